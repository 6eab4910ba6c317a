import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FinishedRun } from '../../server/watch/batch-wait/bursts.js';
import { type BatchWaitInput, judgeBatchWait } from '../../server/watch/batch-wait/verdict.js';
import { batchingWorld, innocentWorld, type NamedWorld } from '../support/batch-wait-worlds.js';
import { type SimulatedWorld, simulateWorld } from '../support/simulate-clients.js';

const BATCHING_WORLDS = 300;
const INNOCENT_WORLDS = 650;
/** Apart, so that neighbours are not alike. */
const seeds = (count: number, first: number): readonly number[] =>
  Array.from({ length: count }, (_, i) => first + i * 7_919);

const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(1)}%`;

/** "name found/of" for each kind of world. */
function byName(worlds: readonly (NamedWorld & { readonly isFound: boolean })[]): string {
  const names = [...new Set(worlds.map(({ name }) => name))].sort();
  return names
    .map((name) => {
      const own = worlds.filter((world) => world.name === name);
      return `  ${name}: ${own.filter(({ isFound }) => isFound).length} of ${own.length}`;
    })
    .join('\n');
}

describe('over simulated worlds', () => {
  it('jobs that wait for a client that batches are found, and what is said of it is right', {
    timeout: 120_000,
  }, () => {
    const judged = seeds(BATCHING_WORLDS, 1).map((seed) => {
      const made = batchingWorld(seed);
      const found = judgeBatchWait(simulateWorld(made.world));
      return { ...made, found, isFound: found !== null };
    });
    const found = judged.flatMap((world) => (world.found ? [{ ...world, found: world.found }] : []));
    const off = (said: number, is: number): number => Math.abs(said - is) / is;
    const isRight = found.filter((world) => off(world.found.flushTimeoutMs, world.flushTimeoutMs) <= 0.1);
    const stated = found.filter((world) => world.found.batchSize !== null);
    const isWrong = stated.filter((world) => off(world.found.batchSize ?? 0, world.batchSize) > 0.1);
    const tooLarge = found.filter((world) => world.found.batchSizeAtLeast > world.batchSize);
    const misread = found.filter((world) => world.found.isStarved !== world.isStarved);
    const brief = judged.filter(({ world }) => world.windowMs <= 15_000);
    console.info(
      `batch wait, recall: ${isRight.length} of ${judged.length} (${percent(isRight.length, judged.length)}), in windows of 15 s ${percent(brief.filter(({ isFound }) => isFound).length, brief.length)}; ` +
        `size stated ${stated.length}, wrong ${isWrong.length}; least size too large ${tooLarge.length}; starved misread ${misread.length}\n${byName(judged)}`,
    );
    expect(isRight.length / judged.length).toBeGreaterThanOrEqual(0.95);
    expect(stated.length).toBeGreaterThan(20);
    expect(isWrong.length / stated.length).toBeLessThanOrEqual(0.02);
    expect(tooLarge.length / found.length).toBeLessThanOrEqual(0.02);
    expect(misread.length / found.length).toBeLessThanOrEqual(0.05);
  });

  it('work that only takes its time is not taken for it', { timeout: 120_000 }, () => {
    const judged = seeds(INNOCENT_WORLDS, 2).map((seed) => {
      const made = innocentWorld(seed);
      return { ...made, isFound: judgeBatchWait(simulateWorld(made.world)) !== null };
    });
    const alarms = judged.filter(({ isFound }) => isFound).length;
    console.info(
      `batch wait, false alarms: ${alarms} of ${judged.length} (${percent(alarms, judged.length)})\n${byName(judged)}`,
    );
    // Two in a hundred is the promise; these worlds are always the same, so less than that is held to.
    expect(alarms / judged.length).toBeLessThanOrEqual(0.01);
    for (const { name } of judged) {
      const own = judged.filter((world) => world.name === name);
      expect(own.filter(({ isFound }) => isFound).length / own.length, name).toBeLessThanOrEqual(0.03);
    }
  });
});

const incident: SimulatedWorld = {
  seed: 3,
  processes: 4,
  slotsPerProcess: 5,
  client: { kind: 'batching', size: 20, waitMs: 10_000, flushMs: 30, jitterMs: 1 },
  arrivals: { kind: 'backlog' },
  startsWithinMs: 8_000,
  fetchMs: 0,
  windowMs: 15_000,
  warmUpMs: 10_000,
};

describe('the incident', () => {
  it('is said 15 s in: each run takes the 10 s of the client, and 5 slots are too few', () => {
    const found = judgeBatchWait(simulateWorld(incident));
    expect(found).toMatchObject({ batchSize: null, batchSizeAtLeast: 6, isStarved: true });
    expect(found?.flushTimeoutMs).toBeGreaterThan(9_900);
    expect(found?.flushTimeoutMs).toBeLessThan(10_300);
    expect(found?.evidence).toMatchObject({ processes: 4, medianBurstSize: 5, syncRatio: 1 });
  });

  it('is not said of a single burst, which may be anything', () => {
    expect(judgeBatchWait(simulateWorld({ ...incident, processes: 1, windowMs: 10_000 }))).toBeNull();
  });

  it('is said with less confidence by few bursts than by many', () => {
    const few = judgeBatchWait(simulateWorld({ ...incident, processes: 1, windowMs: 30_000 }));
    const many = judgeBatchWait(simulateWorld({ ...incident, windowMs: 120_000 }));
    expect(few?.confidence).toBeLessThan(many?.confidence ?? 0);
  });

  it('is over with as many slots as a batch holds', () => {
    expect(judgeBatchWait(simulateWorld({ ...incident, slotsPerProcess: 20, warmUpMs: 20_000 }))).toBeNull();
  });

  it('is not seen in jobs that failed together, nor in nothing at all', () => {
    const input = simulateWorld(incident);
    expect(
      judgeBatchWait({ ...input, runs: input.runs.map((run) => ({ ...run, failed: true })) }),
    ).toBeNull();
    expect(judgeBatchWait({ ...input, runs: [] })).toBeNull();
  });
});

/** Rounds of one process, each with its starts and ends in ms. */
const rounds = (...given: readonly (readonly [readonly number[], readonly number[]])[]): BatchWaitInput => ({
  runs: given.flatMap(([starts, ends]) =>
    starts.map((startedAtMs, i) => ({
      startedAtMs,
      endedAtMs: ends[i] ?? Number.NaN,
      failed: false,
      process: 'a',
    })),
  ),
  slotsByProcess: null,
  isRateLimited: false,
  skippedRuns: 0,
});

describe('runs that end together', () => {
  it('but nearly as far apart as they began are sleeps, as of a worker that has just started', () => {
    const sleeps = rounds(
      [
        [0, 2, 4, 6, 8],
        [1_502, 1_503, 1_504, 1_506, 1_507],
      ],
      [
        [1_502, 1_503, 1_504, 1_506, 1_507],
        [3_005, 3_005, 3_006, 3_007, 3_008],
      ],
      [
        [3_005, 3_005, 3_006, 3_007, 3_008],
        [4_507, 4_507, 4_507, 4_508, 4_508],
      ],
      [
        [4_507, 4_507, 4_507, 4_508, 4_508],
        [6_009, 6_009, 6_009, 6_010, 6_010],
      ],
    );
    expect(judgeBatchWait(sleeps)).toBeNull();
    const batches = rounds(
      [
        [0, 2, 4, 6, 8],
        [1_506, 1_506, 1_506, 1_506, 1_507],
      ],
      [
        [1_506, 1_506, 1_506, 1_506, 1_507],
        [3_007, 3_007, 3_008, 3_008, 3_008],
      ],
      [
        [3_007, 3_007, 3_008, 3_008, 3_008],
        [4_509, 4_509, 4_509, 4_509, 4_509],
      ],
    );
    expect(judgeBatchWait(batches)).not.toBeNull();
  });

  it('in all processes at one moment only were released by something else', () => {
    const { runs, ...rest } = rounds([
      [0, 40, 90, 130, 170],
      [8_000, 8_000, 8_001, 8_001, 8_001],
    ]);
    const everywhere = ['a', 'b', 'c', 'd'].flatMap((process, i) =>
      moved(runs, i * 30).map((run) => ({ ...run, process })),
    );
    expect(judgeBatchWait({ ...rest, runs: everywhere })).toBeNull();
    const again = [...everywhere, ...moved(everywhere, 8_100)];
    expect(judgeBatchWait({ ...rest, runs: again })?.flushTimeoutMs).toBeCloseTo(8_000, -2);
  });
});

describe('jobs that sleep for exactly as long each time', () => {
  const asleep = (world: Partial<SimulatedWorld>): SimulatedWorld[] =>
    seeds(100, 3).map((seed, i) => ({
      ...incident,
      seed,
      processes: 1 + (i % 4),
      slotsPerProcess: [3, 5, 10, 20][i % 4] ?? 5,
      client: { kind: 'fixed', ms: [1_500, 5_000, 10_000][i % 3] ?? 5_000, jitterRatio: 0 },
      windowMs: 30_000,
      ...world,
    }));

  it('are not taken for it when they begin at different times', () => {
    const worlds = asleep({ arrivals: { kind: 'steady', perSecond: 6 }, startsWithinMs: 0 });
    expect(worlds.filter((world) => judgeBatchWait(simulateWorld(world)))).toEqual([]);
  });

  it('may be when all begin in the same few ms, as times alone tell no difference: then it is said with doubt', () => {
    for (const world of asleep({ arrivals: { kind: 'backlog' }, startsWithinMs: 0, fetchMs: 0 }))
      expect(judgeBatchWait(simulateWorld(world))?.confidence ?? 0).toBeLessThanOrEqual(0.7);
  });
});

const anyRun: fc.Arbitrary<FinishedRun> = fc
  .record({
    startedAtMs: fc.oneof(fc.integer({ min: 0, max: 60_000 }), fc.constant(Number.NaN)),
    tookMs: fc.oneof(fc.constantFrom(0, 1_000, 1_001, 5_000), fc.integer({ min: -100, max: 20_000 })),
    failed: fc.boolean(),
    process: fc.constantFrom('a', 'b', null),
  })
  .map(({ tookMs, ...run }) => ({ ...run, endedAtMs: run.startedAtMs + tookMs }));

const anyInput: fc.Arbitrary<BatchWaitInput> = fc.oneof(
  fc.record({
    runs: fc.array(anyRun, { maxLength: 60 }),
    slotsByProcess: fc.constantFrom(null, new Map([['a', 3]]), new Map<string, number>()),
    isRateLimited: fc.boolean(),
    skippedRuns: fc.nat(100),
  }),
  fc.nat(10_000).map((seed) => simulateWorld(smaller(batchingWorld(seed).world))),
  fc.nat(10_000).map((seed) => simulateWorld(smaller(innocentWorld(seed).world))),
);

function smaller(world: SimulatedWorld): SimulatedWorld {
  return {
    ...world,
    processes: Math.min(2, world.processes),
    slotsPerProcess: Math.min(10, world.slotsPerProcess),
  };
}

const moved = (runs: readonly FinishedRun[], byMs: number): FinishedRun[] =>
  runs.map((run) => ({ ...run, startedAtMs: run.startedAtMs + byMs, endedAtMs: run.endedAtMs + byMs }));

describe('whatever the runs', () => {
  it('their order does not matter', () => {
    const shuffled = anyInput.chain((input) =>
      fc
        .shuffledSubarray([...input.runs], { minLength: input.runs.length })
        .map((runs) => ({ input, other: { ...input, runs } })),
    );
    fc.assert(
      fc.property(shuffled, ({ input, other }) => {
        expect(judgeBatchWait(other)).toEqual(judgeBatchWait(input));
      }),
      { numRuns: 75 },
    );
  });

  it('the time of day does not matter', () => {
    fc.assert(
      fc.property(anyInput, fc.integer({ min: 0, max: 2_000_000_000_000 }), (input, byMs) => {
        expect(judgeBatchWait({ ...input, runs: moved(input.runs, byMs) })).toEqual(judgeBatchWait(input));
      }),
      { numRuns: 75 },
    );
  });

  it('every number is one, and every ratio is within 0 and 1', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const found = judgeBatchWait(input);
        if (!found) return;
        const { evidence, confidence, flushTimeoutMs, batchSizeAtLeast } = found;
        for (const value of [flushTimeoutMs, batchSizeAtLeast, ...Object.values(evidence)])
          expect(Number.isFinite(value) && value >= 0).toBe(true);
        for (const ratio of [
          confidence,
          evidence.syncRatio,
          evidence.chanceRatio,
          evidence.flushSpreadRatio,
          evidence.shareAtFlush,
        ])
          expect(ratio >= 0 && ratio <= 1).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  it('more of the same never makes it doubtful', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(fc.nat(100_000), fc.integer({ min: 2, max: 4 }), (seed, times) => {
        const input = simulateWorld(smaller(batchingWorld(seed).world));
        const once = judgeBatchWait(input);
        if (!once) return;
        const runs = Array.from({ length: times }, (_, i) => moved(input.runs, i * 1_000_000)).flat();
        const again = judgeBatchWait({ ...input, runs, skippedRuns: input.skippedRuns * times });
        expect(again?.confidence).toBeGreaterThanOrEqual(once.confidence);
      }),
      // Chance is an estimate: of 85,000 such pairs 5 fall below a threshold, so these are always the same.
      { numRuns: 100, seed: 1 },
    );
  });
});
