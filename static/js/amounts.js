'use strict';

// Amounts as people type them, read as giftshop/money/reading.py reads them: tests/amounts.json holds both to one table.
// `rules` is what that module gives for a currency; its pattern is the same regular expression.
globalThis.Amounts = (() => {
  const fold = (text, zero) => {
    if (/\p{No}/u.test(text)) return null; // "5²" would become 52
    const first = zero.codePointAt(0);
    const figure = (letter) => letter.codePointAt(0) - first;
    const ours = (letter) => (figure(letter) >= 0 && figure(letter) < 10 ? figure(letter) : letter);
    return [...text.normalize('NFKC').toLowerCase()].map(ours).join('');
  };

  // Whether the only sign among figures, with three of them behind it, parts units from decimals; null: it may or not.
  const isDecimalSign = (group, whole, { isWhole, fractions }) => {
    if (!'.,'.includes(group) || whole.split(group).length > 2 || isWhole) return false;
    if (fractions === 3 && group === '.') return true;
    return fractions === 2 && group === ',' ? false : null;
  };

  const parts = (found, rules) => {
    const [, , whole, group, sign, part = '', beforeDash] = found;
    const other = sign ?? beforeDash;
    if (!group || other) return group && group === other ? 'unreadable' : [whole, part];
    const isDecimal = isDecimalSign(group, whole, rules);
    if (isDecimal === null) return 'twoWays';
    return isDecimal ? whole.split(group) : [whole, part];
  };

  // Minor units, or why there are none: "unreadable", "tooFine", "twoWays".
  const read = (text, rules) => {
    const found = fold(text, rules.zero)?.match(new RegExp(`^(?:${rules.pattern})$`, 'u'));
    if (!found || (found[1] && found[1] === found[7])) return { why: 'unreadable' };
    const read = parts(found, rules);
    if (typeof read === 'string') return { why: read };
    const figures = read[0].replace(/[^0-9]/g, '');
    if (figures.length > rules.figures) return { why: 'unreadable' };
    if (read[1].length > rules.fractions) return { why: 'tooFine' };
    return { cents: Number(figures) * 10 ** rules.decimals + Number(read[1].padEnd(rules.decimals, '0')) };
  };

  const write = (cents, { decimals, isWhole, sign, standsAfter, isSetApart }) => {
    const unit = 10 ** decimals;
    const part = cents % unit;
    const whole = String((cents - part) / unit).replace(/\B(?=(\d{3})+$)/g, ',');
    const figures = decimals && !(isWhole && part === 0) ? `${whole}.${String(part).padStart(decimals, '0')}` : whole;
    if (standsAfter) return `${figures}\u00a0${sign}`;
    return `${sign}${isSetApart ? '\u00a0' : ''}${figures}`;
  };

  return { read, write };
})();
