'use strict';

// Redeeming with a till's shaky connection: the button says what it takes, and a lost answer is asked for again with
// the same request key, which the server answers as it did the first time.
(() => {
  const form = document.getElementById('redeem');
  if (!form) return;
  const [button, leaves, connection, typed] = ['take', 'leaves', 'connection', 'other_amount'].map((id) => document.getElementById(id));
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

  const chosen = () => {
    const choice = form.elements.amount.value;
    const text = choice === 'other' ? typed.value.replace(sign, '').replace(/[,\s]/g, '') : choice;
    const isAmount = /^\d+(\.\d+)?$/.test(text) && (text.split('.')[1] ?? '').length <= digits;
    return isAmount ? Math.round(Number(text) * 10 ** digits) : 0;
  };

  const show = () => {
    const cents = chosen();
    button.textContent = cents ? fill(say.redeemAmount, { amount: cents }) : say.redeem;
    if (cents && cents <= left) leaves.textContent = fill(say.leaves, { amount: left - cents });
    else if (cents) leaves.textContent = fill(say.short, { left, missing: cents - left });
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
