'use strict';

// The button says what it takes, and the line below what that leaves.
(function wire() {
  addEventListener('shown', wire, { once: true });
  const form = document.getElementById('redeem');
  if (!form) return;
  const [button, leaves, typed] = ['take-says', 'leaves', 'other_amount'].map((id) => document.getElementById(id));
  const [left, rules] = [Number(form.dataset.left), JSON.parse(form.dataset.money)];
  const money = (cents) => Amounts.write(cents, rules);
  const fill = (sentence, amounts) => sentence.replace(/\{(\w+)\}/g, (_place, name) => money(amounts[name]));
  const say = form.dataset;

  // The letters change where they stand: WebKit forgets a press when what was pressed is put anew meanwhile.
  const write = (place, text) => {
    if (place.textContent !== text) place.firstChild.nodeValue = text;
  };

  // What the server will take, or why it will not.
  const chosen = () => {
    const choice = form.querySelector('[name=amount]:checked');
    if (choice?.value !== 'other') return { cents: Number(choice?.dataset.cents ?? 0) };
    return typed.value.trim() ? Amounts.read(typed.value, rules) : { cents: 0 };
  };

  const untouched = leaves.textContent;
  const show = () => {
    const { cents = 0, why } = chosen();
    write(button, cents && cents <= left ? fill(say.redeemAmount, { amount: cents }) : say.redeem);
    if (why) write(leaves, say[why]);
    else if (cents > left) write(leaves, fill(say.short, { left, missing: cents - left }));
    else write(leaves, cents ? fill(say.leaves, { amount: left - cents }) : untouched);
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
