// Looks again while an order is pending, at growing distances, at most as often as the page says.
const { waits, most } = document.querySelector('[data-waits]').dataset;
const key = `looked:${location.pathname}`;
const tries = Number(sessionStorage.getItem(key)) || 0;
if (tries < Number(most)) {
  sessionStorage.setItem(key, String(tries + 1));
  setTimeout(() => location.reload(), Math.min(2 + tries, 2 * Number(waits)) * 1000);
}
