import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inShortWindows, judgeLimit, type LimitMeasured, perSecond } from '../../server/model/rate-limit.js';

const measured = (over: Partial<LimitMeasured>): LimitMeasured => ({
  formerLimit: null,
  formerPerSecond: 50,
  limit: { max: 10, durationMs: 1000 },
  perSecond: 10,
  windowMs: 900,
  ...over,
});

describe('what a rate limit did is judged by what was measured', () => {
  it.each([
    ['it holds', {}, false, /^50\/s left the queue before, 10\/s in the 10 s after\.$/],
    ['it made the queue faster', { formerPerSecond: 5 }, true, /made the queue faster/],
    [
      'it was loosened on purpose',
      { formerPerSecond: 5, formerLimit: { max: 5, durationMs: 1000 } },
      false,
      /10\/s/,
    ],
    ['workers pass it', { perSecond: 40 }, true, /more than the limit of 10\/s/],
    [
      'workers count in longer windows',
      { perSecond: 2, windowMs: 5000 },
      true,
      /means 2\/s and not 10\/s; a max of 50 per 1000 ms/,
    ],
    ['it was removed', { limit: null, perSecond: 400 }, false, /400\/s/],
    ['nothing was known before', { formerPerSecond: null }, false, /^10\/s in the 10 s after\.$/],
    ['a chance job more is no rise', { formerPerSecond: 0.1, perSecond: 0.2 }, false, /0\.2\/s/],
  ] as const)('%s', (_what, over, isWarning, text) => {
    const judged = judgeLimit(measured(over));
    expect(judged.isWarning).toBe(isWarning);
    expect(judged.text).toMatch(text);
  });
});

it('a limit in short windows means the same rate as what was typed', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1_000_000 }),
      fc.integer({ min: 1, max: 86_400_000 }),
      (max, durationMs) => {
        const written = inShortWindows({ max, durationMs });
        expect(Number.isInteger(written.max) && Number.isInteger(written.durationMs)).toBe(true);
        const ratio = perSecond(written) / perSecond({ max, durationMs });
        // Rounding to whole ms is the only difference: half a ms in a window of half a second or more.
        expect(Math.abs(ratio - 1)).toBeLessThan(0.0015);
        if ((max * 1000) / durationMs >= 1) expect(written.durationMs).toBeLessThanOrEqual(1000);
      },
    ),
  );
});
