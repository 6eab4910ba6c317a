// How charts look: colours, numbers, times and lines. It knows neither where points come from nor when.
window.chartLook = (() => {
  const TICK_STEPS_MS = [1, 2, 5, 10, 15, 30, 60, 120, 240, 360, 720, 1440, 2880, 7200, 14400].map(
    (minutes) => minutes * 60_000,
  );

  const BYTE_STEPS = [1, 2, 4, 5, 10, 16, 20, 25, 50, 64, 100, 128, 200, 256, 500];

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

  const day = (ms) => new Date(ms).toISOString().slice(5, 10);

  /**
   * A line, and of the past the span between least and largest, and what it is compared with.
   * @param compared name of what it is compared with; '': nothing; null: the last minutes, a line alone.
   */
  function datasetsOf(line, compared) {
    const isPast = compared !== null;
    const main = colour(`chart-${line.colour}`);
    const one = {
      label: line.label,
      data: [],
      borderColor: main,
      backgroundColor: main,
      borderWidth: 2,
      borderDash: line.colour === 'two' ? [5, 3] : [],
      // A point between two gaps has no line to be seen by.
      pointRadius: isPast ? ({ dataset, dataIndex }) => (isAlone(dataset.data, dataIndex) ? 2 : 0) : 0,
      spanGaps: false,
    };
    if (!isPast) return [one];
    const span = { data: [], borderWidth: 0, pointRadius: 0, isSpan: true };
    return [
      one,
      { ...span, label: `${line.label}, least` },
      { ...span, label: `${line.label}, largest`, fill: '-1', backgroundColor: faint(main) },
      ...(compared
        ? [
            {
              ...one,
              label: `${line.label}, ${compared}`,
              borderColor: colour('muted'),
              backgroundColor: colour('muted'),
              borderWidth: 1.5,
              borderDash: line.colour === 'two' ? [1, 4] : [1, 2],
            },
          ]
        : []),
    ];
  }

  /** Where a line may go on: the likeliest, and the span of what may be. */
  function forecastLook({ label, colour: name }) {
    const main = colour(`chart-${name}`);
    const one = { data: [], borderColor: main, backgroundColor: main, pointRadius: 0, isSpan: true };
    const span = { ...one, borderWidth: 0 };
    return [
      { ...one, label: `${label}, forecast`, borderWidth: 1.5, borderDash: [2, 3] },
      { ...span, label: `${label}, least` },
      { ...span, label: `${label}, most`, fill: '-1', backgroundColor: faint(main) },
    ];
  }

  const isAlone = (data, i) =>
    Number.isNaN(data[i - 1]?.y ?? Number.NaN) && Number.isNaN(data[i + 1]?.y ?? Number.NaN);
  const faint = (main) => main.replace(/^rgb\((.*)\)$/, 'rgba($1, 0.18)');

  /** Whole hours and days are where people look for them. */
  function evenTicks(axis) {
    const most = axis.width < 400 ? 4 : 7;
    const step = TICK_STEPS_MS.find((ms) => (axis.max - axis.min) / ms <= most) ?? 1e12;
    axis.ticks = [];
    for (let at = Math.ceil(axis.min / step) * step; at <= axis.max; at += step)
      axis.ticks.push({ value: at });
  }

  /** Whole megabytes, as memory is counted in 1,024s. */
  function evenBytes(axis) {
    const most = 5;
    let unit = 1;
    while (axis.max / unit > most * 500) unit *= 1024;
    const step = unit * (BYTE_STEPS.find((count) => axis.max / (count * unit) <= most) ?? 512);
    axis.ticks = [];
    for (let at = 0; at <= axis.max; at += step) axis.ticks.push({ value: at });
  }

  return { FORMATS, clock, colour, datasetsOf, day, evenBytes, evenTicks, forecastLook };
})();
