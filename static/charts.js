// Pictures of the last minutes. Points are fetched once and then only what is new; the server says when that is.
(() => {
  const WINDOW_MS = 15 * 60_000;
  const POINTS = 900;
  const charts = new Map();
  const series = new Map();

  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  /** `light-dark()` is resolved by the browser only in a real property. */
  function colour(name) {
    const probe = document.createElement('span');
    probe.className = `probe-${name}`;
    document.body.append(probe);
    const value = getComputedStyle(probe).color;
    probe.remove();
    return value;
  }

  const FORMATS = {
    bytes(value) {
      const units = ['B', 'KB', 'MB', 'GB', 'TB'];
      let scaled = value;
      let unit = 0;
      while (Math.abs(scaled) >= 1024 && unit < units.length - 1) {
        scaled /= 1024;
        unit += 1;
      }
      return `${Number(scaled.toPrecision(3))} ${units[unit]}`;
    },
    jobs: (value) => new Intl.NumberFormat('en', { maximumFractionDigits: 0 }).format(value),
    perSecond: (value) => `${Number(value.toPrecision(3))}/s`,
  };
  const clock = (ms) => new Date(ms).toISOString().slice(11, 16);

  function draw(canvas) {
    const lines = JSON.parse(canvas.dataset.lines);
    const limit = canvas.dataset.limit ? JSON.parse(canvas.dataset.limit) : null;
    const format = FORMATS[canvas.dataset.unit];
    const muted = colour('muted');
    const grid = colour('line');
    const chart = new Chart(canvas, {
      type: 'line',
      data: {
        datasets: lines.map((line) => ({
          label: line.label,
          data: [],
          borderColor: colour(`chart-${line.colour}`),
          backgroundColor: colour(`chart-${line.colour}`),
          borderWidth: 2,
          borderDash: line.colour === 'two' ? [5, 3] : [],
          pointRadius: 0,
          spanGaps: false,
        })),
      },
      options: {
        animation: false,
        parsing: false,
        normalized: true,
        responsive: true,
        maintainAspectRatio: false,
        interaction: { mode: 'index', intersect: false },
        scales: {
          x: {
            type: 'linear',
            ticks: { color: muted, maxTicksLimit: 6, callback: clock },
            grid: { color: grid },
          },
          y: {
            beginAtZero: true,
            suggestedMax: limit ? limit.value * 1.05 : undefined,
            ticks: { color: muted, maxTicksLimit: 5, callback: format },
            grid: { color: grid },
          },
        },
        plugins: {
          legend: { display: lines.length > 1, labels: { color: muted, boxHeight: 2 } },
          tooltip: {
            callbacks: {
              title: (items) => `${new Date(items[0].parsed.x).toISOString().slice(11, 19)} UTC`,
              label: (item) => `${item.dataset.label}: ${format(item.parsed.y)}`,
            },
          },
          annotation: {
            annotations: limit
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
              : {},
          },
        },
      },
    });
    charts.set(canvas, { chart, lines });
  }

  /** One answer feeds all charts that ask the same address. */
  async function fetchSeries(href) {
    const known = series.get(href) ?? { atMs: [], values: {} };
    series.set(href, known);
    const since = known.atMs[known.atMs.length - 1] ?? 0;
    const answer = await fetch(`${href}?since=${since}`, { headers: { accept: 'application/json' } });
    if (!answer.ok) return;
    const fresh = await answer.json();
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
  async function refresh() {
    if (isBusy || document.hidden) return;
    isBusy = true;
    try {
      const canvases = [...document.querySelectorAll('canvas[data-chart]')];
      for (const canvas of charts.keys()) if (!canvas.isConnected) forget(canvas);
      const addresses = new Set(canvases.map((canvas) => canvas.dataset.chart));
      await Promise.all([...addresses].map(fetchSeries));
      for (const canvas of canvases) show(canvas);
    } catch {
      // Out of touch: the page says so by itself, and the next event comes when it is back.
    } finally {
      isBusy = false;
    }
  }

  function forget(canvas) {
    charts.get(canvas)?.chart.destroy();
    charts.delete(canvas);
  }

  function show(canvas) {
    if (!charts.has(canvas)) draw(canvas);
    const { chart, lines } = charts.get(canvas);
    const { atMs, values } = series.get(canvas.dataset.chart);
    lines.forEach((line, i) => {
      const column = values[line.key] ?? [];
      chart.data.datasets[i].data = atMs.map((x, at) => ({ x, y: column[at] ?? Number.NaN }));
    });
    const last = atMs[atMs.length - 1];
    if (last) {
      chart.options.scales.x.max = last;
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
      if (canvas) canvas.setAttribute('aria-label', text);
    }
    refresh();
  });
  document.addEventListener('visibilitychange', refresh);
  function redraw() {
    for (const canvas of [...charts.keys()]) forget(canvas);
    refresh();
  }
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
  new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ['data-theme'] });
  if (style('--text') !== '') refresh();
})();
