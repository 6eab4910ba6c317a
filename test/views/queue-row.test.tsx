import { describe, expect, it } from 'vitest';
import { aJobType } from '../support/job-types.js';
import { renderedRow } from '../support/rendered.js';
import { aQueue, aSnapshot, NOW_MS, someRates } from '../support/snapshot.js';

const rowOf = (over: Parameters<typeof aQueue>[0], context: Parameters<typeof renderedRow>[2] = {}) => {
  const queue = aQueue(over);
  return renderedRow(queue, aSnapshot({ queues: [queue] }), context);
};

describe('a row of the table of queues', () => {
  it('offers to resume what is paused, and shows the concurrency that comes back', () => {
    const row = rowOf({
      flow: 'paused-by-spillway',
      concurrency: 0,
      pause: { formerConcurrency: 8, atMs: NOW_MS, actor: 'olga' },
    });
    expect(row.html).toContain('>Resume</a>');
    expect(row.cell('Slots')).toContain('≤ 8');
  });

  it('gives a viewer nothing to press, and the settings to read', () => {
    const row = rowOf({ concurrency: 3, rateLimit: { max: 5, durationMs: 1_000 } }, { canAct: false });
    expect(row.html).not.toMatch(/data-drawer|<input|<button/);
    expect(row.cell('Slots')).toMatch(/≤ 3 ≤ 5\/s$/);
  });

  it('shows what is not known as such, and not as nothing', () => {
    const row = rowOf({ workers: null, rates: null });
    expect([row.cell('In / out'), row.cell('Memory'), row.cell('Drains in')]).toEqual(['– –', '–', '–']);
    expect(row.cell('Slots')).toMatch(/^0 busy – workers/);
    expect(row.inCell('Slots')).toContain('aria-label="slots busy: not known"');
    expect(row.inCell('In / out')).toContain('aria-label="In not known, out not known"');
  });

  it('has a bar for what comes in and one for what goes out, beside the numbers', () => {
    const row = rowOf({ rates: someRates({ arrivalsPerSecond: 40, departuresPerSecond: 10 }) });
    expect(row.cell('In / out')).toBe('40.0 10.0');
    expect(row.inCell('In / out')).toContain('aria-label="In 40/s, out 10/s"');
  });

  it('marks job types that are in trouble, with their names', () => {
    const failing = {
      firstFailureAtMs: NOW_MS - 62_000,
      beforeRatio: 0.01,
      sinceRatio: 0.92,
      failedSince: 46,
      error: null,
      isNewError: false,
    };
    const row = rowOf({ types: [aJobType(), aJobType({ name: 'sync', failing })] });
    expect(row.html).toContain('aria-label="1 job type in trouble: sync failing"');
    expect(rowOf({ types: [aJobType()] }).html).not.toContain('in trouble');
  });
});
