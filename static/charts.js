// Pictures of the last minutes, and of longer ranges (chart-history.js). Points of the last minutes are fetched once and
// then only what is new; the server says when that is.
(() => {
  const WINDOW_MS = 15 * 60_000;
  const POINTS = 900;
  const charts = new Map();
  const series = new Map();

  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const past = window.chartHistory;
  const { FORMATS, clock, colour, datasetsOf, day, evenBytes, evenTicks, forecastLook } = window.chartLook;
  let lookedAt = -1;

  function draw(canvas, isPast) {
    const lines = JSON.parse(canvas.dataset.lines);
    const limit = canvas.dataset.limit ? JSON.parse(canvas.dataset.limit) : null;
    const format = FORMATS[canvas.dataset.unit];
    const muted = colour('muted');
    const grid = colour('line');
    const tick = (ms) => (past.isLong() ? `${day(ms)} ${clock(ms)}` : clock(ms));
    const chart = new Chart(canvas, {
      type: 'line',
      data: {
        datasets: [
          ...lines.flatMap((line) => datasetsOf(line, isPast ? past.comparedName() : null)),
          ...(isPast ? [] : lines.filter(({ key }) => key === canvas.dataset.forecast).flatMap(forecastLook)),
        ],
      },
      options: {
        animation: false,
        parsing: false,
        normalized: true,
        responsive: true,
        maintainAspectRatio: false,
        interaction: isPast
          ? { mode: 'nearest', axis: 'x', intersect: false }
          : { mode: 'index', intersect: false },
        scales: {
          x: {
            type: 'linear',
            afterBuildTicks: evenTicks,
            ticks: { color: muted, maxTicksLimit: past.isLong() ? 4 : 6, maxRotation: 0, callback: tick },
            grid: { color: grid },
          },
          y: {
            beginAtZero: true,
            ...(canvas.dataset.unit === 'bytes' ? { afterBuildTicks: evenBytes } : {}),
            suggestedMax: limit ? limit.value * 1.05 : undefined,
            ticks: { color: muted, maxTicksLimit: 5, callback: format },
            grid: { color: grid },
          },
        },
        plugins: {
          legend: {
            display: lines.length > 1 || (isPast && past.comparedName() !== ''),
            labels: {
              color: muted,
              boxHeight: 2,
              filter: (item, { datasets }) => !datasets[item.datasetIndex].isSpan,
            },
          },
          tooltip: {
            callbacks: {
              title: (items) =>
                items.length === 0
                  ? ''
                  : `${past.isLong() ? `${day(items[0].parsed.x)} ` : ''}${new Date(items[0].parsed.x).toISOString().slice(11, 19)} UTC`,
              label: (item) => `${item.dataset.label}: ${format(item.parsed.y)}`,
            },
          },
          annotation: { annotations: {} },
        },
      },
    });
    charts.set(canvas, { chart, lines, limit, isPast, format });
    annotate(canvas);
  }

  /** The limit, and what happened. */
  function annotate(canvas) {
    const { chart, limit } = charts.get(canvas);
    const colours = { text: colour('muted'), background: colour('panel') };
    chart.options.plugins.annotation.annotations = {
      ...past.annotations(colours, lookedAt, look),
      ...(limit
        ? {
            limit: {
              type: 'line',
              yMin: limit.value,
              yMax: limit.value,
              borderColor: colour('chart-limit'),
              borderWidth: 2,
              borderDash: [8, 4],
              label: { display: true, content: limit.label, position: 'start', yAdjust: -10 },
            },
          }
        : {}),
    };
  }

  /** One event is looked at, in the list or on a line: its words stand on its line in every chart. */
  function look(mark) {
    if (mark === lookedAt) return;
    lookedAt = mark;
    for (const [canvas, { chart }] of charts) {
      annotate(canvas);
      chart.update('none');
    }
  }

  /** One answer feeds all charts that ask the same address. */
  async function fetchSeries(href) {
    const known = series.get(href) ?? { atMs: [], values: {} };
    series.set(href, known);
    const since = known.atMs[known.atMs.length - 1] ?? 0;
    const answer = await fetch(`${href}?since=${since}`, { headers: { accept: 'application/json' } });
    if (!answer.ok) return;
    const fresh = await answer.json();
    known.forecast = fresh.forecast ?? null;
    const oldest = (fresh.atMs[fresh.atMs.length - 1] ?? since) - WINDOW_MS;
    known.atMs.push(...fresh.atMs);
    let drop = Math.max(0, known.atMs.length - POINTS);
    while (drop < known.atMs.length && known.atMs[drop] < oldest) drop += 1;
    known.atMs.splice(0, drop);
    for (const [name, values] of Object.entries(fresh.values)) {
      const column = known.values[name] ?? [];
      column.push(...values);
      column.splice(0, drop);
      known.values[name] = column;
    }
  }

  let isBusy = false;
  let pastAtMs = 0;
  async function refresh() {
    if (isBusy || document.hidden) return;
    isBusy = true;
    try {
      const canvases = [...document.querySelectorAll('canvas[data-chart]')];
      for (const canvas of charts.keys()) if (!canvas.isConnected) forget(canvas);
      if (canvases.length === 0) return;
      if (past.isLive()) await refreshLive(canvases);
      else await refreshPast(canvases);
    } catch {
      // Out of touch: the page says so by itself, and the next event comes when it is back.
      if (!past.isLive()) past.say('can’t be read now');
    } finally {
      isBusy = false;
    }
  }

  async function refreshLive(canvases) {
    const addresses = new Set(canvases.map((canvas) => canvas.dataset.chart));
    const isDue = Date.now() - pastAtMs > 10_000;
    const first = JSON.parse(canvases[0].dataset.lines)[0].signal;
    const [happened] = await Promise.all([
      isDue ? past.ask(canvases[0].dataset.history, first, 1, '').catch(() => null) : null,
      ...[...addresses].map(fetchSeries),
    ]);
    if (isDue) pastAtMs = Date.now();
    const areNew = happened !== null && past.takeMarks(happened.markers);
    for (const canvas of canvases) {
      show(canvas);
      if (areNew) annotate(canvas);
    }
    if (areNew) for (const { chart } of charts.values()) chart.update('none');
  }

  async function refreshPast(canvases) {
    if (Date.now() - pastAtMs < past.everyMs()) return;
    const chosen = past.chosen();
    const asked = canvases.map((canvas) =>
      past.lines(
        canvas,
        JSON.parse(canvas.dataset.lines).map(({ signal }) => signal),
      ),
    );
    const answers = await Promise.all(asked);
    if (past.chosen() !== chosen) return;
    pastAtMs = Date.now();
    past.takeMarks(answers[0][0].markers);
    canvases.forEach((canvas, i) => {
      showPast(canvas, answers[i]);
    });
    const { problem } = answers[0][0];
    past.say(problem ? `not kept at present: ${problem}` : noForecast());
  }

  /** A forecast reaches minutes ahead: over hours it would be a dot. */
  const noForecast = () =>
    document.querySelector('canvas[data-forecast]')
      ? 'The forecast reaches minutes: see the last 15 minutes.'
      : '';

  function showPast(canvas, answers) {
    if (charts.get(canvas)?.isPast === false) forget(canvas);
    if (!charts.has(canvas)) draw(canvas, true);
    const { chart, lines, format } = charts.get(canvas);
    const points = ({ atMs }, values) => atMs.map((x, i) => ({ x, y: values[i] ?? Number.NaN }));
    const data = answers.flatMap((answer) => [
      points(answer, answer.mean),
      points(answer, answer.min),
      points(answer, answer.max),
      ...(answer.compare ? [points(answer.compare, answer.compare.mean)] : []),
    ]);
    chart.data.datasets.forEach((dataset, i) => {
      dataset.data = data[i] ?? [];
    });
    chart.options.scales.x.min = answers[0].fromMs;
    chart.options.scales.x.max = answers[0].toMs;
    annotate(canvas);
    chart.update('none');
    const labels = lines.map(({ label }) => label);
    canvas.setAttribute('aria-label', past.describe(canvas.dataset.title, answers, labels, format));
  }

  function forget(canvas) {
    charts.get(canvas)?.chart.destroy();
    charts.delete(canvas);
  }

  function show(canvas) {
    if (charts.get(canvas)?.isPast) forget(canvas);
    if (!charts.has(canvas)) {
      draw(canvas, false);
      const words = canvas.closest('figure')?.querySelector('[id$="-text"]')?.textContent ?? '';
      canvas.setAttribute('aria-label', `${canvas.dataset.title}: ${words}`);
    }
    const { chart, lines } = charts.get(canvas);
    const { atMs, values, forecast } = series.get(canvas.dataset.chart);
    lines.forEach((line, i) => {
      const column = values[line.key] ?? [];
      chart.data.datasets[i].data = atMs.map((x, at) => ({ x, y: column[at] ?? Number.NaN }));
    });
    const last = atMs[atMs.length - 1];
    let aheadMs = 0;
    if (canvas.dataset.forecast) {
      // As far again as half of what is past: a young chart is not to be all future.
      const untilMs = last + Math.max(60_000, (last - Math.max(atMs[0], last - WINDOW_MS)) / 2);
      const points = (forecast ?? []).filter((point) => point.atMs <= untilMs);
      aheadMs = points.at(-1)?.atMs ?? 0;
      for (const [i, edge] of ['jobs', 'low', 'high'].entries())
        chart.data.datasets[lines.length + i].data = points.map((point) => ({
          x: point.atMs,
          y: point[edge],
        }));
    }
    if (last) {
      chart.options.scales.x.max = Math.max(last, aheadMs);
      chart.options.scales.x.min = Math.max(atMs[0], last - WINDOW_MS);
    }
    chart.update('none');
  }

  document.addEventListener('charts', (event) => {
    for (const [id, text] of Object.entries(JSON.parse(event.detail.data))) {
      const words = document.getElementById(`${id}-text`);
      if (!words || words.textContent === text) continue;
      words.textContent = text;
      const canvas = document.querySelector(`#${id} canvas`);
      if (canvas && past.isLive()) canvas.setAttribute('aria-label', `${canvas.dataset.title}: ${text}`);
    }
    refresh();
  });
  document.addEventListener('visibilitychange', refresh);
  function redraw() {
    for (const canvas of [...charts.keys()]) forget(canvas);
    pastAtMs = 0;
    refresh();
  }
  document.addEventListener('change', (event) => {
    if (!event.target.matches?.('[data-chart-time], [data-chart-compare]')) return;
    past.keep();
    past.say(past.isLive() ? '' : 'reading…');
    lookedAt = -1;
    // What is under way answers for what was chosen before: it is drawn over at once.
    isBusy = false;
    redraw();
  });
  for (const [name, isLooking] of [
    ['focusin', true],
    ['focusout', false],
    ['mouseover', true],
    ['mouseout', false],
  ])
    document.addEventListener(name, (event) => {
      const button = event.target.closest?.('[data-mark]');
      if (button) look(isLooking ? Number(button.dataset.mark) : -1);
    });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
  new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ['data-theme'] });
  if (style('--text') !== '') refresh();
})();
