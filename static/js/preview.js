// The live preview.
const form = document.querySelector('form[data-money]');
const { someone, you, anySession } = form.dataset;
const rules = JSON.parse(form.dataset.money);
const gifts = [...form.querySelectorAll('.gift')];

const field = (gift, name) => gift.querySelector(`[name$="-${name}"]`);
const typed = (gift, name) => field(gift, name).value.trim();
const chosen = (gift, name) => gift.querySelector(`[name$="-${name}"]:checked`);
const write = (root, part, words) => { root.querySelector(`[data-is="${part}"]`).textContent = words; };

// What the server will ask, or why it will not.
const priceOf = (gift) => {
  const { cents } = chosen(gift, 'offer')?.dataset ?? {};
  if (cents) return { cents: Number(cents) };
  const text = typed(gift, 'amount');
  if (!text) return {};
  const read = Amounts.read(text, rules);
  if (read.cents < form.dataset.least || read.cents > form.dataset.most) return { ...read, why: 'bounds' };
  return read.cents % rules.step ? { ...read, why: 'step' } : read;
};
const many = (gift) => Math.min(10, Math.max(1, parseInt(typed(gift, 'quantity'), 10) || 1));
const written = (cents) => (cents === undefined || Number.isNaN(cents) ? '–' : Amounts.write(cents, rules));

const isSeen = (gift) => chosen(gift, 'price')?.value !== 'hidden';

const sayWhyNot = (gift, why) => {
  const hint = document.getElementById(`${field(gift, 'amount').id}-hint`);
  hint.dataset.usual ??= hint.textContent;
  hint.setAttribute('aria-live', 'polite');
  const words = why ? form.dataset[why] : hint.dataset.usual;
  if (hint.textContent !== words) hint.textContent = words;
};

const lengthOf = (text) => [...text].length;
const showFacts = (gift) => {
  const name = typed(gift, 'recipient_name');
  const { longName, longWord } = form.dataset;
  const isLong = lengthOf(name) > longName || name.split(/\s+/).some((word) => lengthOf(word) > longWord);
  write(gift, 'recipient_name', name || someone);
  gift.querySelector('.name').classList.toggle('long', isLong);
  write(gift, 'giver_name', typed(gift, 'giver_name') || you);
  write(gift, 'message', typed(gift, 'message'));
  write(gift, 'session', form.dataset.for.replace('{what}', () => chosen(gift, 'offer')?.dataset.session || anySession));
  const { cents, why } = priceOf(gift);
  sayWhyNot(gift, why);
  if (gift.querySelector('[data-is=costs]')) {
    write(gift, 'of_whom', name || someone);
    write(gift, 'costs', written(cents));
  }
  write(gift, 'amount', isSeen(gift) ? written(cents) : '');
  write(form, 'total', written(gifts.reduce((sum, one) => sum + priceOf(one).cents * many(one), 0)));
};

// No markup is built from text.
const showDrawing = (gift, design) => {
  const request = new XMLHttpRequest();
  request.open('GET', `/art/${design}.svg`);
  request.responseType = 'document';
  request.onload = () => {
    const drawing = request.responseXML?.documentElement;
    if (drawing && chosen(gift, 'design')?.value === design) {
      gift.querySelector('.certificate > svg').replaceWith(document.adoptNode(drawing));
    }
  };
  request.send();
};

const count = (area) => {
  const left = area.dataset.limit - lengthOf(area.value.trim());
  const words = left < 0 ? area.dataset.over.replace('{n}', -left) : area.dataset.left.replace('{n}', left);
  document.querySelector(`[data-counts="${area.id}"]`).textContent = left > 100 ? '' : words;
};

for (const gift of gifts) {
  gift.addEventListener('input', ({ target }) => {
    if (target.name.endsWith('-amount') && target.value.trim()) gift.querySelector('[value="amount"]').checked = true;
    if (target.name.endsWith('-offer') && target.value !== 'amount') field(gift, 'amount').value = '';
    if (target.name.endsWith('-design')) showDrawing(gift, target.value);
    if (target.dataset.limit) count(target);
    showFacts(gift);
  });
}

// A nicety: the request key makes a second press harmless.
const main = form.querySelector('.total button');
const wake = () => { main.disabled = false; };
form.addEventListener('submit', ({ submitter }) => {
  if (submitter?.name) return;
  main.disabled = true;
  setTimeout(wake, 10000);
});
addEventListener('pageshow', () => { // also after "back"
  wake();
  for (const gift of gifts) {
    count(field(gift, 'message'));
    showFacts(gift);
  }
});

document.getElementById('summary')?.focus();
