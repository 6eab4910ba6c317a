import { describe, expect, it } from 'vitest';
import type { CurrentFinding } from '../../server/model/finding.js';
import { DEFAULT_THRESHOLDS } from '../../server/model/finding.js';
import type { QueueState } from '../../server/model/snapshot.js';
import { detectFindings, wordsOf } from '../support/few-words.js';
import { aWorker } from '../support/fleet.js';
import { aBatchWait, aType, runsOf } from '../support/job-types.js';
import { aNode, aQueue, aSnapshot, NOW_MS, type QueueOver, someRates } from '../support/snapshot.js';

/** 6,000 jobs of 400 ms wait for two workers with 10 slots each, all busy: 50 leave a second, 60 arrive. */
function overloaded(over: QueueOver = {}): QueueState {
  return aQueue({
    counts: { waiting: 6_000, active: 20 },
    rates: someRates({
      arrivalsPerSecond: 60,
      departuresPerSecond: 50,
      growthPerSecond: 10,
      isGrowing: true,
    }),
    drainSeconds: Number.POSITIVE_INFINITY,
    lastDepartureAtMs: NOW_MS,
    types: [aType({ waits: 6_000, arrivalsPerSecond: 60, run: runsOf(400) })],
    ...over,
  });
}

function found(code: string, queue: QueueState, loopDelayP99Ms = 20, cpuRatio = 0.9): CurrentFinding {
  const delay = { heldUpRatio: 0, cpuRatio };
  const workers = ['a', 'b'].map((id) =>
    aWorker({ id, agent: { agentId: id, running: 10, finishedPerSecond: 25, loopDelayP99Ms, delay } }),
  );
  const all = detectFindings(aSnapshot({ queues: [queue], workers }), NOW_MS, DEFAULT_THRESHOLDS);
  const finding = all.find((one) => one.code === code);
  if (!finding) throw new Error(`found ${all.map((one) => one.code).join(', ')}`);
  return finding;
}

describe('remedies of an overloaded queue', () => {
  it('say when it is drained with the slots that do it in time, and within what range', () => {
    const [inTime, twice] = found('queue.overloaded', overloaded()).remedies;
    expect(inTime?.args).toEqual({ drainWithinSeconds: 300 });
    expect(inTime?.effect).toMatch(
      /^20 → \d+ slots \(\d+ for each of 2\): drained in about [1-4] min [^()]*\([^()]+ to [^()]+\)\.$/,
    );
    expect(twice?.effect).toMatch(/^20 → 40 slots: drained in about \d+ min/);
  });

  it('say so where the double is still not enough', () => {
    const queue = overloaded({
      rates: someRates({
        arrivalsPerSecond: 150,
        departuresPerSecond: 50,
        growthPerSecond: 100,
        isGrowing: true,
      }),
    });
    expect(found('queue.overloaded', queue).remedies[1]?.effect).toMatch(
      /^20 → 40 slots: still not enough: 100\/s leave\.$/,
    );
  });

  it('do not call event loops saturated that are late because their host has no CPU to spare', () => {
    const { action, detail } = found('queue.overloaded', overloaded(), 800, 0.1);
    expect(`${action} ${detail}`).not.toContain('event loop');
  });

  it('offer no slots where the event loops are saturated, and say why', () => {
    const finding = found('queue.overloaded', overloaded(), 800);
    expect(wordsOf(finding)).toMatch(
      /Not within 5 min by slots: The event loops of 2 processes are busy at 50\/s/,
    );
    expect(finding.remedies.some(({ args }) => 'drainWithinSeconds' in args)).toBe(false);
  });

  it('offer no slots where Redis itself is busy, and say why', () => {
    const rates = { arrivalsPerSecond: 60_000, departuresPerSecond: 6_000, growthPerSecond: 54_000 };
    const queue = overloaded({
      counts: { waiting: 2_000_000, active: 600 },
      rates: someRates({ ...rates, isGrowing: true }),
      types: [aType({ waits: 6_000, arrivalsPerSecond: 60, run: runsOf(100) })],
    });
    const workers = Array.from({ length: 60 }, (_, i) =>
      aWorker({ id: `w${i}`, agent: { agentId: `w${i}`, running: 10, finishedPerSecond: 100 } }),
    );
    const snapshot = aSnapshot({ nodes: [aNode({ cpuRatio: 0.5 })], queues: [queue], workers });
    const all = detectFindings(snapshot, NOW_MS, DEFAULT_THRESHOLDS);
    const told = all.find(({ code }) => code === 'queue.overloaded');
    expect(wordsOf(told)).toMatch(
      /Not within 5 min by slots: Redis runs commands on one core, which is busy at/,
    );
  });
});

describe('the remedy of runs that wait for a batch', () => {
  it('says what leaves and when it is drained once batches fill', () => {
    const queue = overloaded({
      rates: someRates({ arrivalsPerSecond: 1, departuresPerSecond: 2 }),
      types: [aType({ waits: 6_000, arrivalsPerSecond: 1, run: runsOf(10_000), batchWait: aBatchWait() })],
    });
    const [remedy] = found('jobtype.batch-wait', queue).remedies;
    expect(remedy?.effect).toMatch(/instead of 2\/s, drained in anything from .* to .*\.$/);
  });
});
