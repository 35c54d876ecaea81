'use strict';

// Scanners that type: keys that come faster than people type and end in Enter or Tab are a scan, wherever the focus is,
// and never a press. It opens what was scanned, as it was typed; what is half done on the page is asked about first.
(() => {
  const [LEAST_SIGNS, LEAST_KINDS, SLOW, ECHO] = [6, 3, 75, 300];
  // Milliseconds: half of a scanner's pauses are shorter than any person's; a busy till lets a few of them grow.
  const halfBelow = (signs) => (signs < 12 ? 35 : 60);
  const longest = (target) => (target.id === 'code' ? 1_000 : 400);
  const TYPED_INTO = 'textarea, input:not([type=radio], [type=checkbox], [type=file], [type=submit], [type=button])';
  const [scanned, meanwhile] = ['scanned', 'meanwhile'].map((id) => document.getElementById(id));
  let burst = []; // the signs since the last long pause
  let echoEnds = 0;

  const main = () => document.getElementById('main');
  const swallow = (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
  };

  const remember = (target) => (target.form ? [...target.form.elements].filter((each) => each.type !== 'file').map((each) => [each, each.value, each.checked]) : []);
  const takeOut = (stood) => {
    for (const [each, value, checked] of stood) {
      const isOther = each.value !== value || each.checked !== checked;
      if (each.value !== value) each.value = value;
      if (each.checked !== checked) each.checked = checked;
      if (isOther) each.dispatchEvent(new Event('input', { bubbles: true }));
    }
  };

  const follows = (event) => burst.length > 0 && event.timeStamp - burst.at(-1).at <= longest(event.target);

  // The signs of the scan that ends here, if it is one; what a person typed just before it is none of it.
  const findScan = (event) => {
    if (!follows(event)) return null;
    const start = burst.findIndex((_each, number) => number + 1 < burst.length && burst[number + 1].gap <= SLOW);
    const signs = burst.slice(start < 0 ? burst.length : start);
    const gaps = signs.slice(1).map((each) => each.gap).sort((one, other) => one - other);
    const isFast = signs.length >= LEAST_SIGNS && gaps[Math.floor(gaps.length / 2)] <= halfBelow(signs.length);
    return isFast && new Set(signs.map((each) => each.sign)).size >= LEAST_KINDS ? signs : null;
  };

  // An amount tapped or typed, a word typed, an act whose end is not known.
  const isHalfDone = () => [...main().querySelectorAll('form[data-asks=money]')].some((form) => {
    const fields = [...form.elements].filter((each) => each.matches(TYPED_INTO) && each.type !== 'hidden');
    return form.dataset.touched || 'busy' in form.dataset || fields.some((each) => each.value);
  });

  const open = (text) => {
    const form = document.getElementById('find') ?? scanned;
    form.elements.code.value = text;
    if (form === scanned && isHalfDone()) {
      meanwhile.hidden = false;
      scanned.querySelector('[type=submit]').focus();
      dispatchEvent(new CustomEvent('tone', { detail: 'note' }));
    } else form.requestSubmit();
  };

  const end = (event) => {
    const isEcho = event.timeStamp < echoEnds; // the line feed after a carriage return
    const signs = findScan(event);
    burst = [];
    if (isEcho || signs) swallow(event);
    if (!signs) return;
    echoEnds = event.timeStamp + ECHO;
    takeOut(signs[0].stood);
    open(signs.map((each) => each.sign).join(''));
  };

  const add = (event) => {
    const isNext = follows(event);
    const gap = isNext ? event.timeStamp - burst.at(-1).at : Infinity;
    const isFast = gap <= SLOW;
    const isText = event.target.matches(TYPED_INTO);
    const field = isText ? event.target : document.getElementById('code') ?? event.target;
    if (!isNext) burst = [];
    burst.push({ sign: event.key, at: event.timeStamp, gap, stood: isFast ? [] : remember(field) });
    if (isText) return;
    if (isFast) event.preventDefault(); // or a browser searches its page for it
    else if (field !== event.target && event.key !== ' ') field.focus(); // what people type beside the field is for it
  };

  addEventListener('keydown', (event) => {
    const isShortcut = (event.ctrlKey || event.metaKey || event.altKey) && !event.getModifierState('AltGraph');
    if (event.repeat || event.isComposing) burst = []; // a key held down is a person's
    else if (event.key === 'Enter' || event.key === 'Tab') end(event);
    else if (event.key.length === 1 && !isShortcut) add(event);
  }, true);

  document.addEventListener('click', (event) => {
    const form = event.target.closest?.('form[data-asks=money]');
    if (form && event.isTrusted && event.target.matches('[type=radio]')) form.dataset.touched = 'true';
  });
  scanned.querySelector('[data-stays]').addEventListener('click', () => {
    meanwhile.hidden = true;
  });
  addEventListener('shown', () => {
    meanwhile.hidden = true;
  });
})();
