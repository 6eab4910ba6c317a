// What HTML and htmx can't do by themselves: being in touch or not, ages that count, local time, keys, theme.
(() => {
  const SILENT_MS = 6_000;
  const GIVE_UP_MS = 12_000;
  const find = (selector, from = document) => from.querySelector(selector);
  /** The path that the console is below; mostly none. */
  const base = document.documentElement.dataset.base ?? '';

  // ---- htmx: what the user opened stays open when the server sends the same element again.
  htmx.registerExtension('spillway', {
    htmx_before_morph_attr: (element, detail) => {
      if (detail.attrName === 'open' && element.tagName === 'DETAILS') return false;
    },
  });

  // ---- Clock of the server: ages are shown by it, not by the viewer's.
  let offsetMs = Number(document.body.dataset.nowMs) - Date.now();
  const serverNow = () => Date.now() + offsetMs;

  function ageInWords(ms) {
    const seconds = Math.max(0, Math.floor(ms / 1000));
    if (seconds < 60) return `${seconds} s`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
    return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  }

  // ---- In touch with the console? A page that shows old numbers as if live has failed.
  let lastBeatMs = Date.now();
  let connection = null;
  const hasLive = () => find('[data-live]') !== null;

  function showLive(state, text) {
    const live = find('.live');
    if (!live) return;
    live.dataset.liveState = state;
    const words = find('[data-live-text]', live);
    if (words && words.textContent !== text) words.textContent = text;
  }

  document.addEventListener('beat', (event) => {
    const beat = JSON.parse(event.detail.data);
    lastBeatMs = Date.now();
    offsetMs = beat.nowMs - lastBeatMs;
    if (document.title !== beat.title) document.title = beat.title;
    const icon = find('#favicon');
    if (icon && icon.dataset.state !== beat.state) {
      icon.dataset.state = beat.state;
      icon.href = `${base}/static/favicon-${beat.state}.svg`;
    }
    showLive(beat.sight === 'live' ? 'live' : 'lost', beat.sight);
    const lost = find('#lost');
    if (lost) lost.hidden = true;
  });

  document.addEventListener('htmx:sse:after:connection', (event) => {
    connection = event.detail.connection;
  });
  document.addEventListener('htmx:sse:error', (event) => {
    if (event.detail.status === 401) location.reload();
  });

  function watchTouch() {
    if (!hasLive() || document.hidden) {
      // A hidden page is not streamed to; it is fresh a moment after it is looked at again.
      if (document.hidden) lastBeatMs = Date.now();
      return;
    }
    const silentMs = Date.now() - lastBeatMs;
    if (silentMs < SILENT_MS) return;
    showLive('lost', 'not live');
    const lost = find('#lost');
    if (!lost) return;
    lost.hidden = false;
    find('[data-lost-age]', lost).textContent = ageInWords(silentMs);
    // A connection that is half open never ends by itself.
    if (silentMs > GIVE_UP_MS && connection?.reader) {
      connection.reader.cancel().catch(() => undefined);
      connection = null;
    }
  }

  function countAges() {
    for (const element of document.querySelectorAll('[data-age-since]')) {
      element.textContent = ageInWords(serverNow() - Number(element.dataset.ageSince));
    }
  }
  setInterval(() => {
    watchTouch();
    countAges();
  }, 1000);

  // ---- Times are UTC; the viewer's own is one hover away.
  document.addEventListener('pointerover', (event) => {
    const time = event.target.closest?.('time[datetime]');
    if (!time || time.title.endsWith('local time')) return;
    const at = new Date(time.dateTime);
    // One that says how long ago it was says there when that was.
    const exact = time.title === '' ? '' : `${time.title}, `;
    if (!Number.isNaN(at.getTime())) time.title = `${exact}${at.toLocaleString()} local time`;
  });

  // ---- Theme: system, light, dark.
  const THEMES = ['system', 'light', 'dark'];
  const button = find('[data-theme-toggle]');
  function showTheme() {
    const theme = document.documentElement.dataset.theme ?? 'system';
    find('[data-theme-text]', button).textContent = `Theme: ${theme}`;
  }
  if (button) {
    button.hidden = false;
    showTheme();
    button.addEventListener('click', () => {
      const now = document.documentElement.dataset.theme ?? 'system';
      const next = THEMES[(THEMES.indexOf(now) + 1) % THEMES.length];
      if (next === 'system') delete document.documentElement.dataset.theme;
      else document.documentElement.dataset.theme = next;
      try {
        localStorage.setItem('spillway.theme', next);
      } catch {
        // Then it holds for this page only.
      }
      showTheme();
      document.dispatchEvent(new CustomEvent('spillway:theme'));
    });
  }

  // ---- A session that is over: the sign-in page must not end up inside a part of this one.
  document.addEventListener('htmx:after:request', (event) => {
    const response = event.detail.ctx.response?.raw;
    if (response?.redirected && new URL(response.url).pathname === `${base}/sign-in`) {
      event.preventDefault();
      const here = location.pathname.slice(base.length) + location.search;
      location.href = `${base}/sign-in?to=${encodeURIComponent(here)}`;
    }
  });
})();
