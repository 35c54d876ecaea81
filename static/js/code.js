// Warns of a typing slip in a code before it is sent: its last symbol checks the others, over GF(32). Only a text in
// which nothing fits and something has the form of a code is a slip; the server finds a code wherever it stands.
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const WEIGHTS = [2, 4, 8, 16, 5, 10, 20, 13, 26, 17, 7, 14, 28, 29, 31, 1];
const LENGTH = WEIGHTS.length;

const times = (first, second) => {
  let product = 0;
  for (let bit = 0; bit < 5; bit += 1) {
    if (second >> bit & 1) product ^= first;
    first = first & 16 ? first << 1 ^ 37 : first << 1;
  }
  return product;
};
const isFitting = (signs) => {
  const values = [...signs.toUpperCase().replace(/O/g, '0').replace(/[IL]/g, '1')].map((sign) => ALPHABET.indexOf(sign));
  return !values.includes(-1) && values.reduce((sum, value, place) => sum ^ times(WEIGHTS[place], value), 0) === 0;
};

// Every run of whole words that has the signs of a code, and whether it can hardly be anything else.
const listRuns = (words) => words.flatMap((_, start) => {
  let end = start;
  let signs = '';
  while (signs.length < LENGTH && end < words.length) signs += words[end++];
  if (signs.length !== LENGTH) return [];
  const taken = words.slice(start, end);
  const isInForm = taken.length === words.length || taken.length === 1 || taken.every((word) => word.length === 4);
  return [{ signs, isCodeLike: isInForm && (/\d/.test(signs) || (taken.length === 1 && words.length === 1)) }];
});
const isSlip = (text) => {
  const seen = text.normalize('NFKC').replace(/\p{Cf}/gu, '').replace(/^\s*\][a-z][0-9a-z]/i, ' ');
  const parts = seen.split(/[^\p{L}\p{N}\p{M}\s_\-\u2010-\u2015\u2212.,·•∙⋅*'’|~+]+/u);
  const runs = parts.flatMap((part) => listRuns(part.split(/[^\p{L}\p{N}\p{M}]+/u).filter(Boolean)));
  return !runs.some(({ signs }) => isFitting(signs)) && runs.some(({ isCodeLike }) => isCodeLike);
};

for (const field of document.querySelectorAll('input.code')) {
  const told = document.querySelector(`[data-checks="${field.id}"]`);
  field.addEventListener('input', () => {
    told.textContent = isSlip(field.value) ? told.dataset.slip : '';
  });
}
