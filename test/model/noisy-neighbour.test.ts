import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findNoisyNeighbours } from '../../server/model/noisy-neighbour.js';
import { anySnapshot } from '../support/any-snapshot.js';
import { type NeighboursOver, neighbours } from '../support/neighbours.js';
import { NOW_MS } from '../support/snapshot.js';

const found = (over: NeighboursOver = {}) => findNoisyNeighbours(neighbours(over));
const names = (over: NeighboursOver = {}) =>
  found(over).map(({ source, victims }) => [source.name, ...victims.map(({ queue }) => queue.name)]);

describe('a queue that takes what others need', () => {
  test('is reported with everyone it holds up, its share of the slots and how', () => {
    const [noisy, ...others] = found();
    expect(others).toEqual([]);
    expect(noisy).toMatchObject({ through: 'event-loop', processes: 2, loopDelayP99Ms: 180 });
    expect(noisy?.shareOfSlots).toBeCloseTo(24 / 28, 5);
    expect(names()).toEqual([['resync', 'probes-a', 'probes-b']]);
    expect(noisy?.victims[0]).toMatchObject({ waitMs: 2_000, usualWaitMs: 3, runMs: 190, usualRunMs: 6 });
  });

  test('is found where the loops are on time and what all of them call takes longer', () => {
    expect(found({ loopDelayP99Ms: 22 })[0]?.through).toBe('calls');
  });

  test('is found where runs are as ever, slots are free, and the loop does not come round to fill them', () => {
    const type = { runTrend: [6, 6, 7, 6, 6] };
    expect(names({ type })).toHaveLength(1);
    expect(names({ type, victimRunning: 2 })).toEqual([]);
    expect(names({ type, loopDelayP99Ms: 22 })).toEqual([]);
  });
});

describe('nobody is blamed', () => {
  test('for sharing a process without trouble', () => {
    expect(names({ type: { waitTrend: [3, 3, 4, 3, 5], runTrend: [6, 6, 7, 6, 6] } })).toEqual([]);
    // Many times as long, and nobody feels it; or felt, and what bursts differ by.
    expect(names({ type: { waitTrend: [3, 3, 4, 3, 90] } })).toEqual([]);
    expect(names({ type: { waitTrend: [200, 500, 200, 600, 900] } })).toEqual([]);
  });

  test('for a queue whose own surge fills its own slots at its usual run time', () => {
    const type = { runTrend: [6, 6, 7, 6, 7] };
    expect(names({ type, victimRunning: 2, victim: { counts: { waiting: 900, active: 4 } } })).toEqual([]);
  });

  test('by those that work in other processes', () => {
    expect(names({ areApart: true })).toEqual([]);
  });

  test('for a burst that is gone in a moment, a backlog that has only just come, or slots to spare', () => {
    expect(names({ source: { drainSeconds: 8 } })).toEqual([]);
    expect(names({ source: { backlogSinceMs: NOW_MS - 1_000 } })).toEqual([]);
    expect(names({ sourceRunning: 8 })).toEqual([]);
    expect(names({ source: { counts: { waiting: 10, active: 24 } } })).toEqual([]);
  });

  test('for those that a person or a limit holds back', () => {
    expect(names({ victim: { flow: 'paused-by-spillway' } })).toEqual([]);
    expect(names({ victim: { flow: 'paused' } })).toEqual([]);
    expect(names({ victim: { rateLimitedForMs: 400 } })).toEqual([]);
  });

  test('by what was so a while ago, or before it is known what is usual', () => {
    expect(
      names({ type: { waitTrend: [3, 3, 4, 2_000, null, null], runTrend: [6, 6, 7, 190, null, null] } }),
    ).toEqual([]);
    expect(names({ type: { waitTrend: [3, 2_000], runTrend: [6, 190] } })).toEqual([]);
    expect(names({ type: { waitTrend: [], runTrend: [] } })).toEqual([]);
  });

  test('for slots that are busy with everybody’s work alike', () => {
    expect(names({ sourceRunning: 12, victimRunning: 12 })).toEqual([]);
  });
});

test('whatever is seen: a source holds up others and never itself, and has at least half of the slots', () => {
  fc.assert(
    fc.property(anySnapshot, (snapshot) => {
      const sources = findNoisyNeighbours(snapshot);
      expect(new Set(sources.map(({ source }) => source.id)).size).toBe(sources.length);
      for (const { source, victims, shareOfSlots, processes } of sources) {
        expect(victims.length).toBeGreaterThan(0);
        expect(victims.map(({ queue }) => queue.id)).not.toContain(source.id);
        expect(shareOfSlots).toBeGreaterThanOrEqual(0.5);
        expect(shareOfSlots).toBeLessThanOrEqual(1);
        expect(processes).toBeGreaterThan(0);
        for (const { waitMs, usualWaitMs } of victims) expect(waitMs).toBeGreaterThanOrEqual(usualWaitMs);
      }
    }),
    { numRuns: 200 },
  );
});
