import { type SeededRandom, seededRandom } from './seeded-random.js';
import type { SimulatedWorld } from './simulate-clients.js';
import type { ClientKind } from './simulated-client.js';

export interface NamedWorld {
  readonly name: string;
  readonly world: SimulatedWorld;
}

interface BatchingWorld extends NamedWorld {
  readonly flushTimeoutMs: number;
  readonly batchSize: number;
  /** Slots below the batch size, with a backlog: every batch waits. */
  readonly isStarved: boolean;
}

/** A world in which jobs wait for a batching client's timer: the incident, and the many shapes that it may take. */
export function batchingWorld(seed: number): BatchingWorld {
  const random = seededRandom(seed);
  const size = random.pick([10, 15, 20, 50, 100]);
  const waitMs = random.pick([1_000, 3_000, 5_000, 10_000, 30_000]);
  const flushMs = random.pick([0, 0, 20, 60, 150]);
  const jitterMs = random.pick([0, 0.5, 2, 6]);
  const processes = random.pick([1, 1, 2, 4, 8]);
  const shape = random.pick(['backlog', 'backlog', 'backlog', 'backlog', 'flowing', 'waves'] as const);
  const isFlowing = shape !== 'backlog';
  const batching: ClientKind = { kind: 'batching', size, waitMs, flushMs, jitterMs };
  const slots = isFlowing
    ? random.pick(shape === 'waves' ? [size * 2] : [Math.ceil(size * 0.6), size, size * 2])
    : random.pick([3, 5, Math.ceil(size / 2), size - 1].filter((count) => count >= 3 && count < size));
  // Arrivals that gather to three and more in a wait, but do not fill a batch as a rule, nor all slots.
  const perWait = random.between(3, random.pick([0.65, 0.65, 0.85]) * Math.min(size, slots));
  const perSecond = (perWait * processes * 1000) / waitMs;
  const isMixed = random.uniform() < 0.2;
  const client: ClientKind = isMixed
    ? {
        kind: 'mixed',
        ratio: random.between(0.5, 0.9),
        one: batching,
        other: { kind: 'logNormal', medianMs: random.pick([20, 100, waitMs / 8]), sigma: 0.5 },
      }
    : batching;
  const waits = shape === 'waves' ? 15 : random.pick([2.6, 3.5, 6]);
  return {
    name: `${shape}${isMixed ? ' mixed' : ''}`,
    flushTimeoutMs: waitMs + flushMs,
    batchSize: size,
    isStarved: !isFlowing,
    world: {
      seed: seed + 1,
      processes,
      slotsPerProcess: slots,
      client,
      arrivals: {
        backlog: { kind: 'backlog' as const },
        flowing: { kind: 'steady' as const, perSecond },
        // In the waves batches fill, in half of the wait.
        waves: {
          kind: 'waves' as const,
          lowPerSecond: perSecond * 0.8,
          highPerSecond: (2 * size * processes * 1000) / waitMs,
          periodMs: 5 * waitMs,
        },
      }[shape],
      startsWithinMs: random.pick([0, 500, waitMs]),
      fetchMs: random.pick([0, 0, 1, 5]),
      windowMs: Math.max(15_000, waits * waitMs),
      warmUpMs: random.pick([waitMs, 3 * waitMs]),
      knowsProcesses: random.uniform() < 0.9,
      knowsSlots: random.uniform() < 0.7,
      unseenRatio: random.uniform() < 0.15 ? random.between(0.05, 0.3) : 0,
    },
  };
}

/** Work that takes its time, and what happens to it, in twelve kinds. No batching anywhere. */
export function innocentWorld(seed: number): NamedWorld {
  const random = seededRandom(seed);
  const kind = INNOCENTS[seed % INNOCENTS.length] ?? INNOCENTS[0];
  if (!kind) throw new Error('no kinds');
  const windowMs = random.pick([15_000, 30_000, 60_000]);
  const base: SimulatedWorld = {
    seed: seed + 1,
    processes: random.pick([1, 1, 2, 4, 8]),
    slotsPerProcess: random.pick([3, 5, 10, 20, 50]),
    client: { kind: 'logNormal', medianMs: 300, sigma: 0.5 },
    arrivals: random.pick([
      { kind: 'backlog' },
      { kind: 'steady', perSecond: random.pick([1, 5, 20]) },
      { kind: 'cron', everyMs: random.pick([5_000, 10_000]), count: random.pick([10, 40, 100]) },
    ] as const),
    startsWithinMs: random.pick([0, 500, 5_000]),
    fetchMs: random.pick([0, 0, 1, 5]),
    windowMs,
    warmUpMs: random.pick([0, windowMs]),
    knowsProcesses: random.uniform() < 0.9,
    knowsSlots: random.uniform() < 0.7,
    unseenRatio: random.uniform() < 0.15 ? random.between(0.05, 0.3) : 0,
  };
  return { name: kind.name, world: { ...base, ...kind.change(random, base) } };
}

interface Innocent {
  readonly name: string;
  readonly change: (random: SeededRandom, base: SimulatedWorld) => Partial<SimulatedWorld>;
}

const slow = (random: SeededRandom): ClientKind => ({
  kind: 'logNormal',
  medianMs: random.pick([300, 1_000, 3_000, 8_000]),
  sigma: random.pick([0.15, 0.4, 0.8]),
});

const fixed = (random: SeededRandom): ClientKind => ({
  kind: 'fixed',
  ms: random.pick([1_000, 1_500, 3_000, 5_000, 10_000]),
  jitterRatio: random.pick([0.002, 0.005, 0.01, 0.03, 0.1]),
});

const INNOCENTS: readonly Innocent[] = [
  { name: 'slow work', change: (random) => ({ client: slow(random) }) },
  {
    name: 'bimodal work',
    change: (random) => ({
      client: {
        kind: 'bimodal',
        quickMs: random.pick([5, 50, 500]),
        slowMs: random.pick([1_000, 3_000, 10_000]),
        slowRatio: random.between(0.1, 0.9),
      },
    }),
  },
  { name: 'fixed sleep', change: (random) => ({ client: fixed(random) }) },
  {
    name: 'fixed sleep in step',
    change: (random) => ({
      client: fixed(random),
      startsWithinMs: 0,
      arrivals: random.pick([{ kind: 'backlog' }, { kind: 'cron', everyMs: 12_000, count: 60 }] as const),
    }),
  },
  {
    name: 'rate-limited',
    change: (random) => ({
      client: random.pick([slow(random), fixed(random)]),
      arrivals: { kind: 'backlog' },
      rateLimit: random.pick([
        { max: 5, durationMs: 1_000 },
        { max: 20, durationMs: 5_000 },
        { max: 50, durationMs: 10_000 },
      ]),
    }),
  },
  {
    name: 'time-outs that fail',
    change: (random) => ({
      client: {
        kind: 'timeouts',
        ms: random.pick([2_000, 5_000, 10_000]),
        ratio: random.between(0.2, 1),
        medianMs: random.pick([200, 1_000]),
        isQuiet: false,
      },
    }),
  },
  {
    name: 'time-outs that complete',
    change: (random) => ({
      client: {
        kind: 'timeouts',
        ms: random.pick([2_000, 5_000, 10_000]),
        ratio: random.between(0.2, 0.9),
        medianMs: random.pick([200, 1_000]),
        isQuiet: true,
      },
    }),
  },
  {
    name: 'an upstream that stalls',
    change: (random, base) => ({
      client: slow(random),
      stalls: [
        {
          atMs: base.warmUpMs + random.between(1_000, base.windowMs / 3),
          ms: random.pick([2_000, 5_000, 8_000]),
          process: null,
        },
      ],
    }),
  },
  {
    name: 'stalls of single processes',
    change: (random, base) => ({
      client: slow(random),
      stalls: Array.from({ length: base.processes * 3 }, (_, i) => ({
        atMs: base.warmUpMs + random.between(0, base.windowMs),
        ms: random.logNormal(1_500, 0.6),
        process: i % base.processes,
      })),
    }),
  },
  {
    name: 'cron bursts',
    change: (random) => ({
      client: random.pick([slow(random), fixed(random)]),
      arrivals: {
        kind: 'cron',
        everyMs: random.pick([2_000, 5_000, 10_000]),
        count: random.pick([10, 40, 100]),
      },
    }),
  },
  {
    name: 'blocked event loops',
    change: (random, base) => {
      const everyMs = random.pick([2_000, 5_000]);
      const ms = random.pick([300, 800, 1_500]);
      const count = Math.ceil((base.warmUpMs + base.windowMs) / everyMs);
      return {
        client: slow(random),
        stalls: Array.from({ length: base.processes * count }, (_, i) => ({
          atMs:
            Math.floor(i / base.processes) * everyMs +
            random.between(0, everyMs / 4) +
            (i % base.processes) * 137,
          ms,
          process: i % base.processes,
        })),
      };
    },
  },
  {
    name: 'payloads that decide',
    change: (random) => ({
      client: {
        kind: 'payload',
        perKbMs: random.pick([50, 300, 1_500]),
        jitterRatio: random.pick([0.01, 0.1]),
      },
    }),
  },
  {
    name: 'mixed innocent work',
    change: (random) => ({
      client: { kind: 'mixed', ratio: random.between(0.3, 0.9), one: fixed(random), other: slow(random) },
    }),
  },
];
