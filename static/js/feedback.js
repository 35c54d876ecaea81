'use strict';

// Tells the verdict to ears and hands too, each tone its own: good rises, odd comes twice, bad is low and long.
// Sound is off until somebody turns it on at this till; who asked for less motion is not shaken.
(function wire() {
  const TONES = {
    good: { notes: [[660, 0.09], [990, 0.16]], shakes: [60] },
    warn: { notes: [[520, 0.12], [0, 0.06], [520, 0.12]], shakes: [60, 80, 60] },
    bad: { notes: [[196, 0.4]], shakes: [300] },
    note: { notes: [[440, 0.1]], shakes: [30] },
  };
  const calm = matchMedia('(prefers-reduced-motion: reduce)');
  const isOn = () => localStorage.getItem('sound') === 'on';

  const play = (notes) => {
    const audio = new AudioContext();
    let at = audio.currentTime;
    for (const [hertz, seconds] of notes) {
      const [voice, volume] = [audio.createOscillator(), audio.createGain()];
      voice.frequency.value = hertz;
      volume.gain.setValueAtTime(hertz ? 0.3 : 0.001, at);
      volume.gain.exponentialRampToValueAtTime(0.001, at + seconds);
      voice.connect(volume).connect(audio.destination);
      voice.start(at);
      voice.stop(at + seconds);
      at += seconds;
    }
  };

  const tell = (tone) => {
    if (navigator.userActivation?.hasBeenActive === false) return; // browsers forbid both before the first touch
    if (isOn()) play(TONES[tone].notes);
    if (!calm.matches) navigator.vibrate?.(TONES[tone].shakes);
  };
  const hear = (event) => tell(event.detail);
  addEventListener('tone', hear);
  addEventListener('shown', () => {
    removeEventListener('tone', hear);
    wire();
  }, { once: true });

  const shown = document.getElementById('summary') ? ['bad'] : document.querySelector('.verdict')?.classList ?? [];
  const tone = Object.keys(TONES).find((each) => [...shown].includes(each));
  if (tone) tell(tone);

  const button = document.getElementById('sound');
  if (!button) return;
  const name = () => {
    button.textContent = isOn() ? button.dataset.off : button.dataset.on;
  };
  button.addEventListener('click', () => {
    localStorage.setItem('sound', isOn() ? 'off' : 'on');
    name();
    tell('good');
  });
  name();
  button.hidden = false;
})();
