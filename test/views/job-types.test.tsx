import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { QueueState } from '../../server/model/snapshot.js';
import { JobTypeNow } from '../../views/job-type-page.js';
import { JobTypeRow, type TypeContext } from '../../views/job-type-row.js';
import { typeWordsOf } from '../../views/job-type-words.js';
import { JobTypeTable, shownTypes } from '../../views/job-types.js';
import { anyQueue } from '../support/any-snapshot.js';
import { aBatchWait, aJobType } from '../support/job-types.js';
import { rendered, textIn } from '../support/rendered.js';
import { aQueue, NOW_MS } from '../support/snapshot.js';

type Over = Parameters<typeof aJobType>[0];
const OPERATOR = { canAct: true, showsErrors: true };
const VIEWER = { canAct: false, showsErrors: false };

const contextOf = (queue: QueueState, who = OPERATOR): TypeContext => ({
  queue,
  instance: 'default',
  nowMs: NOW_MS,
  ...who,
});
const rowOf = (over: Over, who = OPERATOR, queue = aQueue()): string =>
  rendered(<JobTypeRow type={aJobType(over)} {...contextOf(queue, who)} />);
const cellOf = (html: string, label: string): string =>
  textIn(new RegExp(`<td[^>]*data-label="${label}"[^>]*>(.*?)</td>`, 's').exec(html)?.[1] ?? '');
const linesOf = (over: Over) =>
  typeWordsOf(aJobType(over), true, NOW_MS).lines.map(({ text, at }) => (at ? `${text} ${at.text}` : text));
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

  it('reports several troubles, the worst first; what fails is not called missing too', () => {
    const lines = linesOf({ failing, absent, slow: { code: 'drain', shareOfWork: 0.5 } });
    expect(lines.slice(0, 2)).toEqual(['fails 92% since 03:03:03 UTC', 'slow: 50% of the work that waits']);
    expect(lines.join()).not.toContain('missing');
  });

  it('hides errors from who may not see job data, and gives a viewer nothing to press', () => {
    expect(rowOf({ failing })).toContain('private-address');
    const row = rowOf({ failing }, VIEWER);
    expect(row).not.toContain('private-address');
    expect(row).not.toContain('class="setting"');
    expect(rowOf({ name: '(other)' })).not.toContain('class="setting"');
  });

  it('shows an estimate with its range, and what is exact without', () => {
    const waiting = (value: number, low: number, high: number) =>
      cellOf(rowOf({ waiting: { value, low, high } }), 'Waiting');
    expect(waiting(30, 30, 30)).toBe('30');
    expect(waiting(1_234, 1_100, 1_400)).toBe('1,200 1,100–1,400');
  });

  it('has a page: how its runs spread, against when its batches are flushed or from where on it is slow', () => {
    const now = (over: Over) =>
      rendered(<JobTypeNow name="digest" type={aJobType(over)} {...contextOf(aQueue())} />);
    const histogramOf = (html: string) =>
      /<svg class="histogram is-large"[^>]*aria-label="([^"]*)"/.exec(html)?.[1];
    expect(histogramOf(now({ slowThresholdMs: 5_000 }))).toMatch(/^Run times of digest: .*; slow from 5 s, /);
    expect(histogramOf(now({ slowThresholdMs: 5_000, batchWait: aBatchWait() }))).toMatch(
      /; batches flushed after 10 s, /,
    );
    expect(textIn(now({ failing }))).toContain('fails 92% since 03:03:03 UTC');
    const gone = rendered(<JobTypeNow name="digest" type={null} {...contextOf(aQueue())} />);
    expect(textIn(gone)).toContain('No job of it has been seen lately');
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
    expect(shownTypes(queue).map(({ name }) => name)).toEqual(['broken', 'gone', 'slow', 'much', 'little']);
  });

  it('can be read whatever a type is called and whatever is known of it', () => {
    fc.assert(
      fc.property(anyQueue, fc.constantFrom(OPERATOR, VIEWER), (queue, who) => {
        const html = String(<JobTypeTable {...contextOf(queue, who)} />);
        const ids = [...html.matchAll(/ id="(type-[^"]*)"/g)].map(([, id]) => id);
        expect(new Set(ids).size).toBe(ids.length);
        expect(html).not.toContain('<script');
        // Names, and errors in words, are somebody else's text.
        const own = textIn(html.replace(/<th scope="row".*?<\/th>|<span class="type-why">.*?<\/span>/gs, ''));
        expect(own).not.toMatch(/NaN|Infinity|undefined|\[object/);
      }),
    );
  });
});

it('a type that fails leads to the form of a replay of it, for those who may and where something is left to replay', () => {
  const queue = { ...aQueue(), counts: { ...aQueue().counts, failed: 46 } };
  const hrefOf = (over: Over, who = OPERATOR, of = queue) =>
    /href="(\/replays[^"]*)"/.exec(rowOf(over, who, of))?.[1]?.replaceAll('&amp;', '&') ?? null;
  const href = new URL(hrefOf({ name: 'bill & co', failing }) ?? '', 'http://console');
  expect(Object.fromEntries(href.searchParams)).toEqual({
    instance: 'default',
    queues: queue.id,
    from: 'failed',
    jobTypes: 'bill & co',
    from_time: new Date(failing.firstFailureAtMs).toISOString(),
  });
  expect(hrefOf({ lastError: null, failedPerSecond: 0 })).toBeNull();
  expect(hrefOf({ failing }, VIEWER)).toBeNull();
  expect(hrefOf({ failing }, OPERATOR, { ...queue, counts: { ...queue.counts, failed: 0 } })).toBeNull();
});
