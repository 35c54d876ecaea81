// "Copy the code": the button shows itself only where the browser can do it.
for (const button of navigator.clipboard ? document.querySelectorAll('[data-copies]') : []) {
  const name = button.dataset.copies;
  button.hidden = false;
  button.addEventListener('click', async () => {
    const told = document.querySelector(`[data-copied="${name}"]`);
    try {
      await navigator.clipboard.writeText(document.getElementById(name).textContent);
      told.textContent = told.dataset.done;
    } catch {
      told.textContent = told.dataset.refused;
    }
  });
}
