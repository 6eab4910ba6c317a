import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FlowBars, GaugeBar, ShareBar } from '../../../views/drawn/bars.js';
import { Cells, type SlotState } from '../../../views/drawn/cells.js';
import { Curve, meetsAt } from '../../../views/drawn/curve.js';
import { FlowDrawing } from '../../../views/drawn/flow.js';
import { coneTo, evenly, timeTicks } from '../../../views/drawn/geometry.js';
import { Histogram } from '../../../views/drawn/histogram.js';
import { Lanes } from '../../../views/drawn/lanes.js';
import { Sparkline } from '../../../views/drawn/sparkline.js';
import { Strip } from '../../../views/drawn/strip.js';

const MINUTE = 60_000;
const MB = 1024 * 1024;
/** 2026-01-02 03:00 UTC. */
const AT = Date.UTC(2026, 0, 2, 3);
const SPAN = { fromMs: AT - 30 * MINUTE, toMs: AT + 30 * MINUTE };

const html = (element: { toString(): string | Promise<string> }): string => String(element.toString());
const labelOf = (drawing: string): string => /aria-label="([^"]*)"/.exec(drawing)?.[1] ?? '';

const anyNumber = fc.oneof(
  fc.double(),
  fc.constantFrom(0, -1, Number.NaN, Infinity, -Infinity, Number.MAX_VALUE, -Number.MAX_VALUE, 5e-324),
);
const anyValue = fc.oneof(anyNumber, fc.constant(null));
const anyPoints = fc.array(fc.record({ atMs: anyNumber, value: anyValue }), { maxLength: 30 });
const anySpan = fc.record({ fromMs: anyNumber, toMs: anyNumber });
const anyPin = fc.record({
  atMs: anyNumber,
  kind: fc.constantFrom('action' as const, 'deploy' as const, 'alert' as const, 'note' as const),
  label: fc.string(),
});

/** The places that a path goes through: of the commands that the drawings use. */
function placesOf(path: string): readonly (readonly [number, number])[] {
  const places: (readonly [number, number])[] = [];
  let [x, y] = [0, 0];
  for (const [, command = '', rest = ''] of path.matchAll(/([MhvzL])([^MhvzL]*)/g)) {
    const numbers = rest.trim().split(/ +/).filter(Boolean).map(Number);
    if (command === 'h' || command === 'v') {
      [x, y] = command === 'h' ? [x + (numbers[0] ?? Number.NaN), y] : [x, y + (numbers[0] ?? Number.NaN)];
      places.push([x, y]);
    }
    for (let i = 0; command === 'M' && i < numbers.length; i += 2) {
      [x, y] = [numbers[i] ?? Number.NaN, numbers[i + 1] ?? Number.NaN];
      places.push([x, y]);
    }
  }
  return places;
}

/**
 * Every number of every attribute that places something is finite, and no place lies outside of its drawing: percents
 * within 0 to 100, and those of a `viewBox` within that.
 */
function expectWithin(drawing: string): void {
  expect(drawing).not.toMatch(/NaN|Infinity|undefined|null/);
  for (const [, share] of drawing.matchAll(/"(-?[\d.e+-]+)%"/g)) {
    expect(Number(share)).toBeGreaterThanOrEqual(0);
    expect(Number(share)).toBeLessThanOrEqual(100);
  }
  for (const [, width, height, inner = ''] of drawing.matchAll(
    /viewBox="0 0 ([\d.]+) ([\d.]+)"[^>]*>(.*?)<\/svg>/gs,
  )) {
    const isWithin = (x: number, y: number): void => {
      expect(x).toBeGreaterThanOrEqual(0);
      expect(x).toBeLessThanOrEqual(Number(width));
      expect(y).toBeGreaterThanOrEqual(0);
      expect(y).toBeLessThanOrEqual(Number(height));
    };
    for (const [, path = ''] of inner.matchAll(
      /<path(?: class="(?:curve-line|curve-limit|histogram-bars)")? d="([^"]*)"/g,
    ))
      for (const [x, y] of placesOf(path)) isWithin(x, y);
    for (const [, points = ''] of inner.matchAll(/points="([^"]*)"/g))
      for (const pair of points.split(' ')) isWithin(Number(pair.split(',')[0]), Number(pair.split(',')[1]));
    for (const [rect] of inner.matchAll(/<rect[^>]*>/g)) {
      const at = (name: string): number => Number(new RegExp(`${name}="([^"%]*)"`).exec(rect)?.[1] ?? 0);
      isWithin(at(' x'), at(' y'));
      // Cells lie in groups that are moved.
      isWithin(at(' x') + at(' width'), at(' y') + at(' height'));
    }
  }
}

const holds = (property: fc.IProperty<never> | fc.IPropertyWithHooks<never>): void =>
  fc.assert(property as fc.IProperty<unknown>, { numRuns: 150 });

describe('no number, however odd, leaves a drawing', () => {
  it('a curve', () => {
    holds(
      fc.property(
        anyPoints,
        anySpan,
        anyNumber,
        fc.option(anyNumber),
        fc.array(anyPin, { maxLength: 4 }),
        fc.array(fc.record({ fromMs: anyNumber, toMs: anyValue, label: fc.constant('refused') }), {
          maxLength: 3,
        }),
        fc.array(fc.record({ atMs: anyNumber, low: anyNumber, high: anyNumber }), { maxLength: 5 }),
        (points, span, nowMs, limit, pins, bands, forecast) =>
          expectWithin(
            html(
              <Curve
                title="Memory"
                unit="bytes"
                points={points}
                span={span}
                nowMs={nowMs}
                limit={limit === null ? null : { value: limit, label: 'limit', was: points }}
                forecast={{ points: forecast, reaches: 'full' }}
                bands={bands}
                pins={pins.map((pin) => ({ ...pin, label: 'x' }))}
              />,
            ),
          ),
      ) as never,
    );
  });

  it('a sparkline', () => {
    holds(
      fc.property(anyPoints, anySpan, (points, span) =>
        expectWithin(html(<Sparkline title="Waiting" unit="jobs" points={points} span={span} />)),
      ) as never,
    );
  });

  it('bars', () => {
    const anyParts = fc.array(
      fc.record({
        label: fc.constant('mail'),
        value: anyNumber,
        tone: fc.constantFrom('a' as const, 'rest' as const),
      }),
      { maxLength: 8 },
    );
    holds(
      fc.property(
        anyValue,
        anyValue,
        anyParts,
        anyParts,
        anyNumber,
        anyValue,
        (a, b, parts, within, total, limit) => {
          expectWithin(html(<FlowBars inPerSecond={a} outPerSecond={b} />));
          expectWithin(html(<GaugeBar title="slots busy" used={a} of={b} />));
          expectWithin(
            html(
              <ShareBar
                title="By queue"
                unit="bytes"
                parts={parts}
                within={within}
                total={total}
                limit={limit}
              />,
            ),
          );
        },
      ) as never,
    );
  });

  it('cells', () => {
    const anySlot = fc.record({
      state: fc.constantFrom<SlotState>(
        'idle',
        'busy',
        'old',
        'stuck',
        'gone',
        'deaf',
        'blocked',
        'paused',
        'unknown',
      ),
      ageMs: anyValue,
    });
    holds(
      fc.property(fc.array(anySlot, { maxLength: 80 }), anyNumber, (slots, perRow) =>
        expectWithin(html(<Cells title="Slots" slots={slots} perRow={perRow} />)),
      ) as never,
    );
  });

  it('a strip among peers', () => {
    holds(
      fc.property(
        anyNumber,
        fc.array(anyNumber, { maxLength: 20 }),
        fc.boolean(),
        (ownMs, peersMs, isOutlier) =>
          expectWithin(
            html(<Strip title="Run time" ownMs={ownMs} peersMs={peersMs} isOutlier={isOutlier} />),
          ),
      ) as never,
    );
  });

  it('lanes', () => {
    const anyBar = fc.record({
      fromMs: anyNumber,
      toMs: anyValue,
      kind: fc.constantFrom('critical' as const, 'action' as const),
      label: fc.constant('full'),
    });
    const anyLane = fc.record({
      label: fc.constant('Redis'),
      bars: fc.array(anyBar, { maxLength: 4 }),
      pins: fc.array(
        fc.record({ atMs: anyNumber, kind: fc.constant('note' as const), label: fc.constant('x') }),
      ),
    });
    holds(
      fc.property(fc.array(anyLane, { maxLength: 4 }), anySpan, anyNumber, (lanes, span, nowMs) =>
        expectWithin(html(<Lanes title="Incident" span={span} nowMs={nowMs} lanes={lanes} />)),
      ) as never,
    );
  });

  it('a histogram', () => {
    holds(
      fc.property(
        fc.array(fc.record({ upToMs: anyNumber, count: anyNumber }), { maxLength: 30 }),
        anyNumber,
        fc.constantFrom('row' as const, 'large' as const),
        (buckets, ms, size) =>
          expectWithin(
            html(
              <Histogram title="Runs" buckets={buckets} threshold={{ ms, label: 'slow from' }} size={size} />,
            ),
          ),
      ) as never,
    );
  });

  it('a cone and a time axis', () => {
    holds(
      fc.property(
        anyNumber,
        anyNumber,
        anyNumber,
        anyNumber,
        anyValue,
        anyNumber,
        (atMs, value, level, a, b, until) => {
          for (const point of coneTo({ atMs, value }, level, [a, b], until))
            expect(point.low > point.high).toBe(false);
          expect(timeTicks({ fromMs: atMs, toMs: until }, 6).length).toBeLessThanOrEqual(6);
        },
      ) as never,
    );
  });
});

describe('the shape of what was measured', () => {
  const bars = (buckets: readonly { upToMs: number; count: number }[]) =>
    /histogram-bars" d="([^"]*)"/.exec(html(<Histogram title="Runs" buckets={buckets} />))?.[1];

  it('has bars where they belong on one axis for all job types, and none for nothing', () => {
    expect(bars([])).toBe('');
    expect(bars([{ upToMs: 100, count: 0 }])).toBe('');
    expect(bars([{ upToMs: 100, count: 5 }])).toBe('M24 20v-18h3v18z');
    expect(bars([{ upToMs: 1, count: 1 }])).toBe('M0 20v-18h3v18z');
    // One outlier among ten thousand is still seen, and a day is not off the end.
    expect(
      bars([
        { upToMs: 1_000, count: 10_000 },
        { upToMs: 86_400_000, count: 1 },
      ]),
    ).toBe('M36 20v-18h3v18zM80 20v-1.5h3v1.5z');
  });

  it('leaves a gap where nothing is known, draws what stands alone, and keeps spikes among many points', () => {
    const span = { fromMs: 0, toMs: 1 };
    const line = (values: readonly (number | null)[]) =>
      /<path d="([^"]*)"/.exec(
        html(<Sparkline title="" unit="jobs" points={evenly(values, span)} span={span} />),
      )?.[1];
    expect(line([null, null])).toBeUndefined();
    expect(line([10, 20, null, 20, 10])).toBe('M0 10 10 1 M30 1 40 10');
    expect(line([null, 20, null])).toBe('M20 1h0');
    const spike = Array.from({ length: 600 }, (_, i) => (i === 300 ? 100 : 1));
    expect(line(spike)?.split(' ').length).toBeLessThan(100);
    expect(line(spike)).toContain('20 1 ');
  });
});

describe('what a drawing says to whom can’t see it', () => {
  const filling = {
    title: 'Memory of Redis cache',
    unit: 'bytes' as const,
    points: [
      { atMs: AT - 30 * MINUTE, value: 8 * MB },
      { atMs: AT - 10 * MINUTE, value: null },
      { atMs: AT, value: 32 * MB },
    ],
    span: SPAN,
    nowMs: AT,
    limit: { value: 64 * MB, label: 'limit' },
    forecast: {
      points: coneTo({ atMs: AT, value: 32 * MB }, 64 * MB, [720, 900], SPAN.toMs),
      reaches: 'full',
    },
  };

  it('a curve: first, last and highest value, the limit, when it is reached, what held and what was done', () => {
    const drawing = html(
      <Curve
        {...filling}
        bands={[{ fromMs: AT - 6 * MINUTE, toMs: AT - 5 * MINUTE, label: 'writes rejected' }]}
        pins={[{ atMs: AT - 5 * MINUTE, kind: 'action', label: 'Trim events' }]}
      />,
    );
    expect(labelOf(drawing)).toBe(
      'Memory of Redis cache: 8.0 MB at 02:30, 32 MB at 03:00 UTC, highest 32 MB; limit 64 MB; ' +
        'full at 03:12 to 03:15 UTC; writes rejected from 02:54 to 02:55; 02:55 Trim events.',
    );
    expect(labelOf(html(<Curve {...filling} points={[]} forecast={null} />))).toContain('nothing is known');
  });

  it('a curve meets its limit where both edges of the cone do, or says that it may be later', () => {
    expect(meetsAt(filling)?.time).toBe('03:12 to 03:15');
    const open = coneTo({ atMs: AT, value: 32 * MB }, 64 * MB, [720, null], SPAN.toMs);
    expect(meetsAt({ ...filling, forecast: { points: open, reaches: 'full' } })?.time).toBe('03:12 or later');
    const far = coneTo({ atMs: AT, value: 32 * MB }, 64 * MB, [7_200, 9_000], SPAN.toMs);
    expect(meetsAt({ ...filling, forecast: { points: far, reaches: 'full' } })).toBeNull();
  });

  it('a limit that was moved is drawn where it was', () => {
    const was = [
      { atMs: AT - 30 * MINUTE, value: 32 * MB },
      { atMs: AT - 20 * MINUTE, value: 32 * MB },
    ];
    const drawing = html(
      <Curve {...filling} forecast={null} limit={{ value: 64 * MB, label: 'limit', was }} />,
    );
    expect(/curve-limit" d="([^"]*)"/.exec(drawing)?.[1]).toBe('M0 53.7 300 53.7 300 7.4 600 7.4');
  });

  it('never draws what is not known as zero', () => {
    const drawing = html(<Curve {...filling} forecast={null} />);
    // Two stretches, each a dot: nothing joins them across the gap.
    expect(/curve-line" d="([^"]*)"/.exec(drawing)?.[1]).toMatch(/^M0 [\d.]+h0 M300 [\d.]+h0$/);
    expect(labelOf(html(<FlowBars inPerSecond={null} outPerSecond={2} />))).toBe('In not known, out 2/s');
    expect(labelOf(html(<GaugeBar title="slots busy" used={null} of={4} />))).toBe('slots busy: not known');
  });

  it('a sparkline, bars and a gauge: their numbers', () => {
    const span = { fromMs: AT - 15 * MINUTE, toMs: AT };
    expect(
      labelOf(
        html(
          <Sparkline title="Waiting" unit="jobs" points={evenly([12, 39_000, 38_000], span)} span={span} />,
        ),
      ),
    ).toBe('Waiting: 12 jobs to 38,000 jobs; highest 39,000 jobs.');
    expect(labelOf(html(<FlowBars inPerSecond={1_356} outPerSecond={12.3} />))).toBe(
      'In 1,356/s, out 12.3/s',
    );
    expect(labelOf(html(<GaugeBar title="slots busy" used={4} of={5} />))).toBe('4 of 5 slots busy');
    const parts = [
      { label: 'track', value: 43 * MB, tone: 'a' as const },
      { label: 'api', value: 12 * MB, tone: 'b' as const },
    ];
    expect(
      labelOf(html(<ShareBar title="By queue" unit="bytes" parts={parts} total={64 * MB} limit={64 * MB} />)),
    ).toBe('By queue: track 43 MB (67%), api 12 MB (19%); limit 64 MB.');
  });

  it('cells: how many in which state, and for how long; and each state has a shape of its own', () => {
    const drawing = html(
      <Cells
        title="Slots of mail-1"
        slots={[
          { state: 'busy', ageMs: 800 },
          { state: 'busy', ageMs: 12_000 },
          { state: 'stuck', ageMs: 240_000 },
          { state: 'idle', ageMs: null },
        ]}
      />,
    );
    expect(labelOf(drawing)).toBe(
      'Slots of mail-1: 4 in all; 1 idle; 2 busy, the longest for 12 s; 1 hung, the longest for 4 min.',
    );
    const shapes = (['old', 'stuck', 'gone', 'deaf', 'blocked', 'paused', 'unknown'] as const).map(
      (state) =>
        /slot-sign" d="([^"]*)"/.exec(html(<Cells title="" slots={[{ state, ageMs: null }]} />))?.[1],
    );
    expect(new Set(shapes).size).toBe(7);
  });

  it('the flow of a queue: what waits, runs and ended, its rates, and where it piles up; unknown is no zero', () => {
    const counts = { waiting: 620, active: 12, completed: 4_807, failed: 3, delayed: 0 };
    const drawing = (rate: number | null) =>
      html(
        <FlowDrawing
          title="Flow of mail"
          counts={counts}
          rates={{ added: 70, completed: rate, failed: rate === null ? null : 0 }}
          pile={{ at: 'waiting', state: 'warning' }}
        />,
      );
    expect(labelOf(drawing(63))).toBe(
      'Flow of mail: added 70/s; 620 waiting, where it piles up; 12 active; 4,807 completed, 63/s; 3 failed, 0/s; 0 delayed.',
    );
    expect(drawing(63)).toContain('>piles up<');
    expect(labelOf(drawing(null))).toContain('4,807 completed, rate not known');
  });

  it('lanes: what was when, and for how long; what has an address can be followed', () => {
    const drawing = html(
      <Lanes
        title="Incident"
        span={SPAN}
        nowMs={AT}
        lanes={[
          {
            label: 'Redis is full',
            bars: [
              {
                fromMs: AT - 5 * MINUTE,
                toMs: AT - 216_000,
                kind: 'critical',
                label: 'critical',
                href: '/timeline?at=1',
              },
            ],
            pins: [{ atMs: AT - 4 * MINUTE, kind: 'action', label: 'Trim events' }],
          },
          {
            label: 'mail: backlog',
            bars: [{ fromMs: AT - 60_000, toMs: null, kind: 'warning', label: 'warning' }],
            pins: [],
            follows: true,
          },
        ]}
      />,
    );
    expect(labelOf(drawing)).toBe(
      'Incident: Redis is full: critical from 02:55 to 02:56 UTC (1 min 24 s), 02:56 UTC Trim events; ' +
        'mail: backlog: warning since 02:59 UTC (1 min).',
    );
    expect(drawing).toContain('<a href="/timeline?at=1" aria-label="critical from 02:55');
  });

  it('a histogram: how many ran how long, and how many beyond the threshold', () => {
    const buckets = [
      { upToMs: 50, count: 90 },
      { upToMs: 10_000, count: 7 },
      { upToMs: 20_000, count: 3 },
    ];
    expect(
      labelOf(
        html(
          <Histogram
            title="Runs of send"
            buckets={buckets}
            threshold={{ ms: 10_000, label: 'flushed after' }}
          />,
        ),
      ),
    ).toBe(
      'Runs of send: 100 runs; 90 up to 50 ms, 7 up to 10 s, 3 up to 20 s; flushed after 10 s, 3% took longer.',
    );
  });

  it('no name of a queue becomes markup', () => {
    const odd = '"><script>alert(1)</script>';
    const drawing = html(
      <ShareBar title={odd} unit="bytes" parts={[{ label: odd, value: 1, tone: 'a' }]} total={1} />,
    );
    expect(drawing).not.toContain('<script>');
  });
});
