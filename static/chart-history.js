// The past in charts: points of a range from the history, what it is compared with, and what happened meanwhile.
window.chartHistory = (() => {
  const HOUR_MS = 3_600_000;
  const base = document.documentElement.dataset.base ?? '';
  const RANGES_MS = {
    '15m': HOUR_MS / 4,
    '1h': HOUR_MS,
    '6h': 6 * HOUR_MS,
    '24h': 24 * HOUR_MS,
    '7d': 168 * HOUR_MS,
    '30d': 720 * HOUR_MS,
  };
  const MAX_POINTS = 400;
  const COMPARED = { yesterday: 'yesterday', 'last-week': 'last week' };
  /** Beginning of a kind: the letter on its line, and its name. */
  const KINDS = [
    ['marker.deploy', 'D', 'Deploy'],
    ['marker.note', 'N', 'Note'],
    ['redis.failover', 'F', 'Failover'],
    ['redis.', 'R', 'Redis'],
    ['alert.', 'A', 'Alert'],
    ['policy.', 'P', 'Spillway policy'],
    ['action.', 'L', 'Action'],
    ['', 'C', 'Console'],
  ];
  const kindOf = (mark) => KINDS.find(([prefix]) => mark.kind.startsWith(prefix));

  const value = (name) => document.querySelector(`[data-chart-${name}]`)?.value ?? '';
  const range = () => value('time') || '15m';
  const compare = () => value('compare');
  /** Where the charts end, in ms; null: now. A link may bring it, so that others see the time that was meant. */
  const endMs = () => Number(document.querySelector('[data-chart-end]')?.dataset.chartEnd) || null;
  /** The last minutes are drawn live, unless they are compared with something. */
  const isLive = () => range() === '15m' && compare() === '' && endMs() === null;

  /** What is chosen stands in the address, and in those of the page's own tabs. */
  function keep() {
    document.querySelector('[data-chart-end]')?.remove();
    for (const link of [null, ...document.querySelectorAll('[data-keeps-time]')]) {
      const url = new URL(link ? link.href : location.href);
      for (const [name, text] of Object.entries({ time: range(), compare: compare(), end: '' }))
        if (text === '' || text === '15m') url.searchParams.delete(name);
        else url.searchParams.set(name, text);
      if (link) link.href = url;
      else history.replaceState(history.state, '', url);
    }
  }

  /** How often the picture can be another one. */
  const everyMs = () => Math.min(60_000, Math.max(2_000, RANGES_MS[range()] / MAX_POINTS));

  async function ask(query, signal, maxPoints, compared) {
    const toMs = endMs() ?? Date.now();
    const fromMs = toMs - RANGES_MS[range()];
    const asked = new URLSearchParams(query);
    for (const [name, text] of Object.entries({
      signal,
      from: fromMs,
      to: toMs,
      maxPoints,
      compare: compared,
    }))
      if (text !== '') asked.set(name, text);
    const answer = await fetch(`${base}/api/v1/history?${asked}`, {
      headers: { accept: 'application/json' },
    });
    if (!answer.ok) throw new Error(`the history answered ${answer.status}`);
    return { ...(await answer.json()), fromMs, toMs };
  }

  /** Points of all lines of a chart. */
  const lines = (canvas, signals) =>
    Promise.all(signals.map((signal) => ask(canvas.dataset.history, signal, MAX_POINTS, compare())));

  const utc = (atMs) => new Date(atMs).toISOString();
  const moment = (atMs) => utc(atMs).slice(5, 16).replace('T', ' ');
  const words = (mark) => {
    const who = mark.actor ? ` (${mark.actor})` : '';
    return `${moment(mark.atMs)} ${kindOf(mark)[2]}: ${mark.text}${who}`;
  };

  let marks = [];
  let marksKey = '';
  /** Takes what happened; true where that is not what is shown already. */
  function takeMarks(fresh) {
    const key = JSON.stringify(fresh);
    if (key === marksKey) return false;
    marksKey = key;
    marks = fresh;
    const list = document.querySelector('[data-chart-marks]');
    const count = document.querySelector('[data-chart-marks-count]');
    if (!list || !count) return true;
    const names = new Map();
    for (const mark of marks) names.set(kindOf(mark)[2], (names.get(kindOf(mark)[2]) ?? 0) + 1);
    const counted = [...names].map(([name, n]) => `${n} × ${name}`).join(', ');
    count.textContent = marks.length === 0 ? 'No events in this time' : `Events in this time: ${counted}`;
    list.replaceChildren(
      ...marks.map((mark, i) => {
        const button = document.createElement('button');
        button.type = 'button';
        button.dataset.mark = String(i);
        button.textContent = `${kindOf(mark)[1]} · ${words(mark)}`;
        button.title = new Date(mark.atMs).toLocaleString();
        const item = document.createElement('li');
        item.append(button);
        return item;
      }),
    );
    return true;
  }

  /** Lines for the annotation plugin; the one that is looked at says all, the others a letter. */
  function annotations(colours, lookedAt, onLook) {
    const found = {};
    marks.forEach((mark, i) => {
      const isLookedAt = i === lookedAt;
      const text = words(mark);
      found[`mark-${i}`] = {
        type: 'line',
        scaleID: 'x',
        value: mark.atMs,
        borderColor: colours.text,
        borderWidth: isLookedAt ? 2 : 1,
        borderDash: kindOf(mark)[1] === 'D' ? [] : [2, 3],
        label: {
          display: isLookedAt || marks.length <= 30,
          content: isLookedAt ? wrapped(text) : kindOf(mark)[1],
          position: isLookedAt ? 'center' : 'end',
          backgroundColor: colours.text,
          color: colours.background,
          font: { size: 11 },
          padding: isLookedAt ? 6 : 2,
          z: isLookedAt ? 2 : 1,
        },
        enter: () => onLook(i),
        leave: () => onLook(-1),
      };
    });
    return found;
  }

  function wrapped(text) {
    const rows = [''];
    for (const word of text.slice(0, 200).split(' ')) {
      if (rows[rows.length - 1].length + word.length > 34) rows.push('');
      rows[rows.length - 1] = `${rows[rows.length - 1]} ${word}`.trim();
    }
    return rows.slice(0, 5);
  }

  /** What a chart over a range shows, in words. */
  function describe(title, answers, labels, format) {
    const said = answers.map((answer, i) => {
      const known = answer.mean.filter((mean) => mean !== null);
      if (known.length === 0) return `${labels[i]}: nothing was read`;
      const [low, high] = [
        Math.min(...answer.min.filter((x) => x !== null)),
        Math.max(...answer.max.filter((x) => x !== null)),
      ];
      const gaps = answer.mean.filter((x, k) => x === null && answer.mean[k - 1] != null).length;
      const holes = gaps > 0 ? `, ${gaps} ${gaps === 1 ? 'gap' : 'gaps'}` : '';
      return `${labels[i]}: ${format(low)} to ${format(high)}, last ${format(known[known.length - 1])}${holes}`;
    });
    const option = document.querySelector('[data-chart-time] option:checked')?.textContent ?? '';
    return `${title}, ${option.toLowerCase()}. ${said.join('; ')}.`;
  }

  function say(text) {
    const state = document.querySelector('[data-chart-state]');
    if (state && state.textContent !== text) state.textContent = text;
  }

  return {
    annotations,
    ask,
    chosen: () => `${range()} ${compare()} ${endMs()}`,
    comparedName: () => COMPARED[compare()] ?? '',
    describe,
    everyMs,
    isLive,
    keep,
    isLong: () => RANGES_MS[range()] > 24 * HOUR_MS,
    lines,
    say,
    takeMarks,
  };
})();
