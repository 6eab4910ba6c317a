import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jobTypesOf, type TypeRowContext, typeRowOf } from '../../server/routes/pages/job-type-view-model.js';
import { JobTypes } from '../../views/job-types.js';
import { anyQueue } from '../support/any-snapshot.js';
import { aBatchWait, aJobType } from '../support/job-types.js';
import { aQueue, NOW_MS } from '../support/snapshot.js';

const context: TypeRowContext = {
  instance: 'default',
  role: 'operator',
  jobDataRole: 'operator',
  nowMs: NOW_MS,
};
const linesOf = (over: Parameters<typeof aJobType>[0], more: Partial<TypeRowContext> = {}) =>
  typeRowOf(aJobType(over), aQueue(), { ...context, ...more }).lines.map(({ text, at }) =>
    at ? `${text} ${at.text}` : text,
  );
const failing = {
  firstFailureAtMs: NOW_MS - 62_000,
  beforeRatio: 0.01,
  sinceRatio: 0.92,
  failedSince: 46,
  error: 'no user private-address',
  isNewError: true,
};
const absent = { lastCompletedAtMs: NOW_MS - 62_000, usualGapMs: 1_000, longestGapMs: 4_200 };

describe('a job type', () => {
  it('says in words what is the matter with it, in numbers', () => {
    expect(linesOf({ slow: { code: 'baseline', baselineP50Ms: 200, nowP50Ms: 10_100 } })).toEqual([
      'slow: 10.1 s against 200 ms usual',
    ]);
    expect(linesOf({ slow: { code: 'threshold', thresholdMs: 1_000, p95Ms: 1_500 } })).toEqual([
      'slow: p95 1.5 s over 1 s set',
    ]);
    expect(linesOf({ slow: { code: 'drain', shareOfWork: 0.84 } })).toEqual([
      'slow: 84% of the work that waits',
    ]);
    expect(linesOf({ batchWait: aBatchWait() })[0]).toBe('waits 10 s for its client to send');
    expect(linesOf({ failing })).toEqual([
      'fails 92% since 03:03:03 UTC',
      '1% before; 46 failed since',
      'New error: no user private-address',
    ]);
    expect(linesOf({ absent })).toEqual([
      'missing since 03:03:03 UTC',
      'completed every 1 s before, 4.2 s apart at most',
    ]);
    expect(linesOf({ completedPerSecond: 2 })).toEqual(['running']);
  });

  it('tells several troubles, the worst first; what fails is not called missing too', () => {
    const lines = linesOf({ failing, absent, slow: { code: 'drain', shareOfWork: 0.5 } });
    expect(lines.slice(0, 2)).toEqual(['fails 92% since 03:03:03 UTC', 'slow: 50% of the work that waits']);
    expect(lines.join()).not.toContain('missing');
  });

  it('hides errors from who may not see job data, and gives a viewer nothing to press', () => {
    const row = typeRowOf(aJobType({ failing }), aQueue(), { ...context, role: 'viewer' });
    expect(JSON.stringify(row)).not.toContain('private-address');
    expect(row.threshold.href).toBeNull();
    expect(typeRowOf(aJobType({ name: '(other)' }), aQueue(), context).threshold.href).toBeNull();
  });

  it('shows an estimate with its range, and what is exact without', () => {
    const waiting = (value: number, low: number, high: number) =>
      typeRowOf(aJobType({ waiting: { value, low, high } }), aQueue(), context).waiting;
    expect(waiting(30, 30, 30)).toEqual({ text: '30', details: [] });
    expect(waiting(1_234, 1_100, 1_400)).toEqual({ text: '1,200', details: ['1,100–1,400'] });
  });
});

describe('the table of job types', () => {
  it('has those in trouble first, then those with most work', () => {
    const waiting = (value: number) => ({ value, low: value, high: value });
    const queue = aQueue({
      types: [
        aJobType({ name: 'little', waiting: waiting(1) }),
        aJobType({ name: 'much', waiting: waiting(100) }),
        aJobType({ name: 'slow', slow: { code: 'threshold', thresholdMs: 10, p95Ms: 20 } }),
        aJobType({ name: 'gone', absent }),
        aJobType({ name: 'broken', failing }),
      ],
    });
    expect(jobTypesOf(queue, context).rows.map(({ name }) => name)).toEqual([
      'broken',
      'gone',
      'slow',
      'much',
      'little',
    ]);
  });

  it('can be read whatever a type is called and whatever is known of it', () => {
    fc.assert(
      fc.property(anyQueue, fc.constantFrom('viewer' as const, 'operator' as const), (queue, role) => {
        const view = jobTypesOf(queue, { ...context, role });
        const html = String(<JobTypes {...view} />);
        const ids = view.rows.map(({ id }) => id);
        expect(new Set(ids).size).toBe(ids.length);
        expect(html).not.toContain('<script');
        const words = view.rows.map(({ name, lines, ...row }) => ({
          ...row,
          lines: lines.filter(({ text }) => !/rror: /.test(text)),
          threshold: row.threshold.value,
        }));
        expect(JSON.stringify(words)).not.toMatch(/NaN|Infinity|undefined|\[object/);
      }),
    );
  });
});

it('a type that fails leads to the form of a replay of it, for those who may and where something is left to replay', () => {
  const queue = { ...aQueue(), counts: { ...aQueue().counts, failed: 46 } };
  const hrefOf = (
    over: Parameters<typeof aJobType>[0],
    role: TypeRowContext['role'] = 'operator',
    of = queue,
  ) => typeRowOf(aJobType(over), of, { ...context, role }).replayHref;
  const href = new URL(hrefOf({ name: 'bill & co', failing }) ?? '', 'http://console');
  expect(Object.fromEntries(href.searchParams)).toEqual({
    instance: 'default',
    queues: queue.id,
    from: 'failed',
    jobTypes: 'bill & co',
    from_time: new Date(failing.firstFailureAtMs).toISOString(),
  });
  expect(hrefOf({ lastError: null, failedPerSecond: 0 })).toBeNull();
  expect(hrefOf({ failing }, 'viewer')).toBeNull();
  expect(hrefOf({ failing }, 'operator', { ...queue, counts: { ...queue.counts, failed: 0 } })).toBeNull();
});
