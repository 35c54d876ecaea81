'use strict';

// Redeeming with a till's shaky connection: the button says what it takes, and a lost answer is asked for again with
// the same request key, which the server answers as it did the first time.
(() => {
  const form = document.getElementById('redeem');
  if (!form) return;
  const [button, leaves, connection, typed] = ['take', 'leaves', 'connection', 'other_amount'].map((id) => document.getElementById(id));
  const [left, rules] = [Number(form.dataset.left), JSON.parse(form.dataset.money)];
  const money = (cents) => Amounts.write(cents, rules);
  const fill = (sentence, amounts) => sentence.replace(/\{(\w+)\}/g, (_place, name) => money(amounts[name]));
  const say = form.dataset;

  // What the server will take, or why it will not.
  const chosen = () => {
    const choice = form.querySelector('[name=amount]:checked');
    if (choice?.value !== 'other') return { cents: Number(choice?.dataset.cents ?? 0) };
    return typed.value.trim() ? Amounts.read(typed.value, rules) : { cents: 0 };
  };

  const untouched = leaves.textContent;
  const show = () => {
    const { cents = 0, why } = chosen();
    button.textContent = cents && cents <= left ? fill(say.redeemAmount, { amount: cents }) : say.redeem;
    if (why) leaves.textContent = say[why];
    else if (cents > left) leaves.textContent = fill(say.short, { left, missing: cents - left });
    else leaves.textContent = cents ? fill(say.leaves, { amount: left - cents }) : untouched;
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

  const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

  const send = async () => {
    for (;;) {
      try {
        const answer = await fetch(form.action, { method: 'POST', body: new FormData(form), headers: { Accept: 'application/json' } });
        if (answer.status !== 503) return answer;
      } catch {
        // no answer: whether it was taken is not known here, so ask again below
      }
      if (connection.hidden) dispatchEvent(new CustomEvent('tone', { detail: 'note' }));
      connection.hidden = false;
      await pause(1500);
    }
  };

  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    const answer = await send();
    if (answer.ok) location.replace(`${form.action}?done=${(await answer.json()).entry}`);
    else form.submit(); // the same key gets the same refusal, now as a page
  });

  addEventListener('pageshow', () => {
    button.disabled = false; // also when "back" brings this page as it was left
  });
})();
