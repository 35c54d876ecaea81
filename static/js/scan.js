'use strict';

// The counter's camera: the phone's own detector where it has one, else frames decoded by the server. Whatever is found
// goes through the same form as a typed code.
(function wire() {
  addEventListener('shown', wire, { once: true });
  const find = (id) => document.getElementById(id);
  const [box, video, form, field] = ['camera', 'video', 'find', 'code'].map(find);
  const [start, stop, torch, says, anew] = ['start', 'stop', 'torch', 'camera-says', 'anew'].map(find);
  if (!box) return;
  const token = form.elements.csrf_token.value;
  const MOST_OF_A_FRAME = 5_000;
  const SECONDS_TO_LOOK = 30;
  const SIDE = 640;
  const isAllowed = new URL(performance.getEntriesByType('navigation')[0].name).pathname === '/redeem'; // by the page's own headers
  let stream = null;
  let giveUp = 0;

  // What to say stands in the page, in its language.
  const words = box.dataset;
  const TROUBLE = { NotAllowedError: words.blocked, NotFoundError: words.none, NotReadableError: words.busy };
  const SHUT = { 401: words.signedOut, 403: words.outOfDate };

  const say = (sentence) => {
    says.textContent = sentence;
    says.hidden = !sentence;
  };

  const halt = (sentence = '') => {
    stream?.getTracks().forEach((track) => track.stop());
    stream = null;
    clearTimeout(giveUp);
    video.hidden = stop.hidden = torch.hidden = true;
    start.hidden = false;
    say(sentence);
  };

  const shut = (sentence) => {
    halt(sentence);
    start.hidden = true;
    anew.hidden = false;
  };

  const take = (text) => {
    halt();
    field.value = text;
    form.requestSubmit();
  };

  const detector = async () => {
    if (!('BarcodeDetector' in window)) return null;
    const formats = await window.BarcodeDetector.getSupportedFormats().catch(() => []);
    return formats.includes('qr_code') ? new window.BarcodeDetector({ formats: ['qr_code'] }) : null;
  };

  const canvas = document.createElement('canvas');
  const picture = () => {
    const side = Math.min(video.videoWidth, video.videoHeight);
    canvas.width = canvas.height = Math.min(side, SIDE);
    const [x, y] = [(video.videoWidth - side) / 2, (video.videoHeight - side) / 2];
    canvas.getContext('2d').drawImage(video, x, y, side, side, 0, 0, canvas.width, canvas.height);
    return new Promise((done) => canvas.toBlob(done, 'image/jpeg', 0.7));
  };

  const askServer = async () => {
    const answer = await fetch(box.dataset.frame, {
      method: 'POST',
      body: await picture(),
      headers: { 'Content-Type': 'image/jpeg', 'X-CSRFToken': token, Accept: 'application/json' },
      signal: AbortSignal.timeout(MOST_OF_A_FRAME),
    });
    if (answer.status === 200) return (await answer.json()).code;
    if (answer.status >= 500) throw answer;
    if (stream && SHUT[answer.status]) shut(SHUT[answer.status]);
    return null;
  };

  const look = async (own) => {
    if (!stream) return;
    try {
      const text = video.videoWidth ? (own ? (await own.detect(video))[0]?.rawValue : await askServer()) : null;
      if (!stream) return;
      if (text) return void take(text);
      say(words.looking);
    } catch {
      say(navigator.onLine ? words.unreadable : words.offline);
    }
    setTimeout(look, 200, own);
  };

  start.addEventListener('click', async () => {
    if (!navigator.mediaDevices) return void say(words.insecure);
    say(words.asking);
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
    } catch (error) {
      return void halt(TROUBLE[error.name] || words.failed);
    }
    video.srcObject = stream;
    video.hidden = stop.hidden = false;
    start.hidden = true;
    torch.hidden = !stream.getVideoTracks()[0].getCapabilities?.().torch;
    giveUp = setTimeout(halt, SECONDS_TO_LOOK * 1000, words.nothing);
    await video.play();
    look(await detector());
  });
  stop.addEventListener('click', () => halt());
  torch.addEventListener('click', () => {
    torch.dataset.on = torch.dataset.on ? '' : 'on';
    stream?.getVideoTracks()[0].applyConstraints({ advanced: [{ torch: Boolean(torch.dataset.on) }] });
  });
  addEventListener('pagehide', () => halt());

  // A photo that was chosen is sent; its button is for browsers without scripts.
  const photo = find('photo');
  photo.addEventListener('change', () => photo.form.requestSubmit());
  photo.form.querySelector('button').hidden = true;

  video.hidden = true;
  box.hidden = false;
  start.hidden = !isAllowed;
  anew.hidden = isAllowed;
})();
