'use strict';

// Sends the counter's forms so that their end is always known. Every try has a limit; what brought no whole answer of
// ours is asked again under the same request key, and the page says so until it knows. Without this script they are
// plain forms.
(() => {
  const [TRY, TRY_PHOTO, SPEAK_AFTER, SPEAK_AFTER_PHOTO, GIVE_UP] = [8_000, 120_000, 2_500, 10_000, 180_000];
  const [FIRST_PAUSE, LONGEST_PAUSE] = [1_000, 5_000];
  const UNSENT = 'unconfirmed'; // acts on money outlive their page: a reload asks on, under the same key
  const box = document.getElementById('connection');
  const [told, more, again] = ['told', 'more', 'again'].map((name) => box.querySelector(`[data-place=${name}]`));
  const under = {}; // by kind: the act whose end is not known yet
  const policy = window.trustedTypes?.createPolicy('answers', { createHTML: (text) => text }) ?? { createHTML: (text) => text };

  const isHere = (act) => new URL(act.action).pathname.replace(/\/undo$/, '') === location.pathname;
  const mark = () => {
    for (const form of document.querySelectorAll('form[data-asks]')) {
      const act = under[form.dataset.asks];
      const isBusy = Boolean(act) && (act.kind === 'find' || isHere(act));
      form.toggleAttribute('data-busy', isBusy);
      for (const button of form.querySelectorAll('[type=submit]')) button.setAttribute('aria-disabled', String(isBusy && act.kind === 'money'));
    }
  };

  const hush = () => {
    delete box.dataset.shown;
    told.replaceChildren();
    more.hidden = again.hidden = true;
  };

  const say = (act, what, page = '') => {
    const shown = `${act.kind}-${what}`;
    const [title, sentence] = ['title', 'text'].map((part) => {
      const words = box.dataset[`${shown}-${part}`.replace(/-(\w)/g, (_dash, letter) => letter.toUpperCase())];
      return (words ?? '').replace('{act}', act.name);
    });
    if (box.dataset.shown !== shown) {
      told.replaceChildren(...[['b', title], ['span', sentence]].map(([kind, text]) => Object.assign(document.createElement(kind), { textContent: text })));
      if (!box.dataset.shown) dispatchEvent(new CustomEvent('tone', { detail: 'note' }));
    }
    box.dataset.shown = shown;
    again.hidden = !['asking', 'offline', 'stopped'].includes(what);
    more.hidden = !page;
    if (page) more.href = page;
  };

  const remember = () => {
    const { action, name, kind, fields } = under.money ?? {};
    if (under.money) sessionStorage.setItem(UNSENT, JSON.stringify({ action, name, kind, fields: [...fields] }));
    else sessionStorage.removeItem(UNSENT);
  };

  const read = (text) => new DOMParser().parseFromString(policy.createHTML(text), 'text/html');

  // Puts the page that was answered in the place of this one, as a browser would have done with a plain form.
  const show = (page, address) => {
    if (address !== location.pathname) history.pushState(null, '', address);
    document.title = page.title;
    document.getElementById('main').replaceWith(document.adoptNode(page.getElementById('main')));
    dispatchEvent(new Event('shown'));
    scrollTo(0, 0);
    document.querySelector('#main [autofocus]')?.focus();
  };

  const isOurs = (text, page) => text.trimEnd().endsWith('</html>') && page.body.matches('.staff') && page.getElementById('main');

  // One try: where to go on, or the page that says why not; null when nobody can tell from what came whether it was done.
  const attempt = async (act) => {
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), act.hasFile ? TRY_PHOTO : TRY);
    act.hurry = (isMeant) => {
      if (isMeant) [act.wait] = [1, limit.abort()];
    };
    try {
      const answer = await fetch(act.action, {
        method: 'POST',
        body: act.fields,
        redirect: 'error',
        headers: { Accept: 'text/html', 'X-Requested-With': 'fetch' },
        signal: limit.signal,
      });
      const text = await answer.text();
      if (answer.status === 429) act.wait = Number(answer.headers.get('Retry-After')) * 1000;
      if (answer.status === 429 || answer.status >= 500) return null;
      if (answer.headers.get('Content-Type')?.startsWith('application/json')) {
        const { page } = JSON.parse(text);
        return page ? { page } : null;
      }
      const page = read(text);
      return isOurs(text, page) ? { html: page, isOut: [400, 403, 404].includes(answer.status) && !page.querySelector('.till') } : null;
    } catch {
      return null;
    } finally {
      clearTimeout(timer);
    }
  };

  const pause = (act, milliseconds) => new Promise((done) => {
    act.hurry = done;
    if (milliseconds) setTimeout(done, milliseconds);
  });

  const settle = (act, end) => {
    delete under[act.kind];
    remember();
    mark();
    hush();
    const isFind = act.kind === 'find';
    const isLost = end.isOut && act.wasLost && !isFind; // refused this time, but what became of the first time?
    if (isLost) say(act, 'lost');
    if (end.page && (isFind || isHere(act) || !end.page.startsWith('/redeem'))) location[isFind ? 'assign' : 'replace'](new URL(end.page, location.origin));
    else if (end.page) say(act, 'done', end.page);
    else if (isFind || isHere(act)) show(end.html, new URL(act.action).pathname === '/redeem' ? '/redeem' : location.pathname);
    else if (!isLost) say(act, 'refused', new URL(act.action).pathname.replace(/\/undo$/, ''));
  };

  const ask = async (act) => {
    const older = under[act.kind];
    under[act.kind] = act;
    older?.hurry(true);
    hush();
    remember();
    mark();
    const [isNew, began] = [() => under[act.kind] === act, performance.now()];
    const speak = () => isNew() && say(act, navigator.onLine ? 'asking' : 'offline');
    for (let rest = FIRST_PAUSE; isNew(); rest = Math.min(1.5 * rest, LONGEST_PAUSE)) {
      const silence = setTimeout(speak, act.hasFile ? SPEAK_AFTER_PHOTO : SPEAK_AFTER);
      const end = await attempt(act);
      clearTimeout(silence);
      if (!isNew()) return;
      if (end) return void settle(act, end);
      act.wasLost = true;
      speak();
      const isOver = performance.now() - began > (act.patience ?? GIVE_UP);
      if (isOver) say(act, 'stopped');
      await pause(act, isOver ? 0 : act.wait || rest);
      if (isOver) act.patience = performance.now() - began + GIVE_UP;
      act.wait = 0;
    }
  };

  const isSame = (fields, others) => JSON.stringify([...fields]) === JSON.stringify([...others]);

  document.addEventListener('submit', (event) => {
    const form = event.target;
    const kind = form.dataset.asks;
    if (!kind || event.defaultPrevented) return;
    event.preventDefault();
    const fields = new FormData(form);
    const name = (form.querySelector('[data-act]') ?? form.querySelector('[type=submit]')).textContent.trim();
    if ([...fields.values()].some((value) => value.size > Number(form.dataset.most))) return void say({ kind, name }, 'large');
    if (under[kind] && (kind === 'money' || isSame(fields, under[kind].fields))) return void under[kind].hurry(); // one act after the other
    ask({ kind, name, fields, action: form.action, hasFile: [...fields.values()].some((value) => value instanceof File) });
  });

  const hurry = () => Object.values(under).forEach((act) => act.hurry(true));
  again.addEventListener('click', hurry);
  addEventListener('online', hurry);
  addEventListener('shown', mark);

  const goOn = () => {
    const kept = JSON.parse(sessionStorage.getItem(UNSENT) ?? 'null');
    if (!kept || under.money) return;
    const fields = new FormData();
    for (const [name, value] of kept.fields) fields.append(name, value);
    ask({ ...kept, fields, wasLost: true });
    say(under.money, 'asking');
  };
  addEventListener('pageshow', (event) => {
    if (event.persisted) for (const kind of Object.keys(under)) delete under[kind]; // "back" brings the page as it was left
    if (event.persisted) hush();
    if (event.persisted) mark();
    if (event.persisted) goOn();
  });
  goOn();

  // What was just done is said once: opened again, the page says what is so by then, and that it was just redeemed.
  if (location.search && location.pathname !== '/redeem') history.replaceState(null, '', location.pathname);
})();
