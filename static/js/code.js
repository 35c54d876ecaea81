// Warns of a typing slip in a code before it is sent: its last symbol checks the others, over GF(32).
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const WEIGHTS = [2, 4, 8, 16, 5, 10, 20, 13, 26, 17, 7, 14, 28, 29, 31, 1];

const times = (first, second) => {
  let product = 0;
  for (let bit = 0; bit < 5; bit += 1) {
    if (second >> bit & 1) product ^= first;
    first = first & 16 ? first << 1 ^ 37 : first << 1;
  }
  return product;
};
const isSlip = (text) => {
  const bare = text.replace(/.*\/c\//i, '').replace(/[\s-]/g, '').toUpperCase().replace(/O/g, '0').replace(/[IL]/g, '1');
  const values = [...bare].map((symbol) => ALPHABET.indexOf(symbol));
  if (values.length !== WEIGHTS.length) return false;
  return values.includes(-1) || values.reduce((sum, value, place) => sum ^ times(WEIGHTS[place], value), 0) !== 0;
};

for (const field of document.querySelectorAll('input.code')) {
  const told = document.querySelector(`[data-checks="${field.id}"]`);
  field.addEventListener('input', () => {
    told.textContent = isSlip(field.value) ? told.dataset.slip : '';
  });
}
