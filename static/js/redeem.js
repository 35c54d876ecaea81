'use strict';

// The button says what it takes, and the line below what that leaves.
(function wire() {
  addEventListener('shown', wire, { once: true });
  const form = document.getElementById('redeem');
  if (!form) return;
  const [button, leaves, typed] = ['take-says', 'leaves', 'other_amount'].map((id) => document.getElementById(id));
  const [left, digits] = [Number(form.dataset.left), Number(form.dataset.digits)];
  const written = new Intl.NumberFormat('en-US', {
    style: 'currency',
    currency: form.dataset.currency,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  const sign = written.formatToParts(0).find((part) => part.type === 'currency').value;
  const money = (cents) => written.format(cents / 10 ** digits);
  const fill = (sentence, amounts) => sentence.replace(/\{(\w+)\}/g, (_place, name) => money(amounts[name]));
  const say = form.dataset;

  // The letters change where they stand: WebKit forgets a press when what was pressed is put anew meanwhile.
  const write = (place, text) => {
    if (place.textContent !== text) place.firstChild.nodeValue = text;
  };

  const chosen = () => {
    const choice = form.elements.amount.value;
    const text = choice === 'other' ? typed.value.replace(sign, '').replace(/[,\s]/g, '') : choice;
    const isAmount = /^\d+(\.\d+)?$/.test(text) && (text.split('.')[1] ?? '').length <= digits;
    return isAmount ? Math.round(Number(text) * 10 ** digits) : 0;
  };

  const show = () => {
    const cents = chosen();
    write(button, cents ? fill(say.redeemAmount, { amount: cents }) : say.redeem);
    if (cents && cents <= left) write(leaves, fill(say.leaves, { amount: left - cents }));
    else if (cents) write(leaves, fill(say.short, { left, missing: cents - left }));
  };

  const follow = () => {
    if (typed.value) form.querySelector('[name=amount][value=other]').checked = true;
    show();
  };

  form.addEventListener('change', () => {
    if (form.elements.amount.value !== 'other') typed.value = '';
    show();
  });
  typed.addEventListener('input', follow);
  follow(); // also what was typed before this script came
})();
