import type { PlanChange } from '../../server/model/plan.js';
import { type SeededRandom, seededRandom } from './seeded-random.js';
import type { SimulatedSettings, SimulatedType, SimulatedWorld } from './simulate-queue.js';

export type WorldKind = 'plain' | 'mixed' | 'failing' | 'batching' | 'batching-mixed' | 'limited' | 'stopped';
export const WORLD_KINDS: readonly WorldKind[] = [
  'plain',
  'mixed',
  'failing',
  'batching',
  'batching-mixed',
  'limited',
  'stopped',
];

/** A queue with a backlog, a change that is made to it, and what that change is in the simulation. */
interface Trial {
  readonly kind: WorldKind;
  readonly world: SimulatedWorld;
  readonly change: PlanChange;
  readonly settings: Partial<SimulatedSettings>;
}

/** Arrivals come from this at most, so that an hour of a world is simulated in a second. */
const MAX_PER_SECOND = 300;
const FASTEST_PER_SECOND = 3000;

/** Worlds of all sizes; about 20 to 600 s of work after the change, which raises, lowers or leaves. */
export function trialOf(kind: WorldKind, seed: number): Trial {
  const random = seededRandom(seed);
  const processes = Math.ceil(random.between(0, 5));
  const slotsPerProcess = Math.ceil(random.between(1, 25));
  const types = typesOf(kind, random);
  const factor = random.pick([0.5, 1, 1, 2, 4, 10]);
  const wanted = Math.max(1, Math.round(slotsPerProcess * factor));
  const weights = types.map(() => random.between(0.2, 1));
  const isSteadyMix = random.uniform() < 0.5;
  const arriving = isSteadyMix ? weights : types.map(() => random.between(0, 1));
  // Real workers reach some thousand jobs a second; the simulation knows no such ceiling.
  const wantedPerSecond = roughPerSecond(types, weights, processes, wanted);
  const after = Math.max(1, Math.round(wanted * Math.min(1, FASTEST_PER_SECOND / wantedPerSecond)));
  const perSecond = roughPerSecond(types, weights, processes, after);
  const limit = kind === 'limited' ? Math.max(1, Math.round(perSecond * random.between(0.2, 0.7))) : null;
  const load = random.pick([0, 0, 0.3, 0.6, 0.8]);
  const leaves = Math.min(perSecond, limit ?? perSecond, MAX_PER_SECOND);
  const backlog = Math.min(60_000, leaves * (1 - load) * random.between(20, 400) + 30 * leaves);
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const world: SimulatedWorld = {
    processes,
    types: types.map((type, i) => ({
      ...type,
      waiting: Math.ceil((backlog * (weights[i] ?? 0)) / sum(weights)),
      arrivalsPerSecond: (leaves * load * (arriving[i] ?? 0)) / sum(arriving),
    })),
    settings: {
      slotsPerProcess,
      globalConcurrency: null,
      rateLimit: limit === null ? null : { max: Math.max(1, Math.round(limit / 2)), durationMs: 1000 },
      isPaused: kind === 'stopped',
      arrives: true,
    },
  };
  const isCut = random.uniform() < 0.2;
  const rateLimit = limit === null ? null : { max: limit, durationMs: 1000 };
  const cap = kind === 'stopped' ? Math.max(1, Math.round(after * processes * 0.7)) : null;
  return {
    kind,
    world,
    change: {
      concurrency: after * processes,
      ...(isCut ? { pauseArrivals: true } : {}),
      ...(rateLimit ? { rateLimit } : {}),
      ...(kind === 'stopped' ? { pauseQueue: false, globalConcurrency: cap } : {}),
    },
    settings: {
      slotsPerProcess: after,
      arrives: !isCut,
      isPaused: false,
      ...(rateLimit ? { rateLimit } : {}),
      ...(cap === null ? {} : { globalConcurrency: cap }),
    },
  };
}

type Shape = Omit<SimulatedType, 'waiting' | 'arrivalsPerSecond'>;

function typesOf(kind: WorldKind, random: SeededRandom): readonly Shape[] {
  const one = (name: string, over: Partial<Shape> = {}): Shape => ({
    name,
    runMs: 10 ** random.between(1.3, 3.5),
    variation: random.pick([0, 0.5, 1, 2]),
    failureRatio: 0,
    attempts: 1,
    bytesPerJob: Math.round(random.between(300, 5_000)),
    keepsBytesWhenDone: random.pick([0, 0, 200]),
    batch: null,
    ...over,
  });
  const batch = (): Partial<Shape> => ({
    runMs: random.between(30, 400),
    batch: { flushTimeoutMs: random.pick([2_000, 5_000, 10_000]), size: random.pick([10, 15, 20, 50]) },
  });
  switch (kind) {
    case 'plain':
    case 'limited':
    case 'stopped':
      return [one('mail')];
    case 'mixed':
      return [one('mail'), one('resize'), one('export')];
    case 'failing':
      return [one('mail', { failureRatio: random.between(0.1, 0.7), attempts: 3 }), one('resize')];
    case 'batching':
      return [one('track', batch())];
    case 'batching-mixed':
      return [one('track', batch()), one('mail', { runMs: random.between(50, 800) })];
  }
}

/** About what such workers do, to choose a backlog that drains in reasonable time; not what is tested. */
function roughPerSecond(
  types: readonly Shape[],
  weights: readonly number[],
  processes: number,
  slotsPerProcess: number,
): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const holdMs = types.reduce((sum, type, i) => {
    const isStarved = type.batch !== null && type.batch.size > slotsPerProcess;
    const attempts = 1 + type.failureRatio + type.failureRatio ** 2;
    const heldMs = isStarved ? (type.batch?.flushTimeoutMs ?? 0) : 0;
    return sum + ((weights[i] ?? 0) / total) * (type.runMs * attempts + heldMs);
  }, 0);
  return (processes * slotsPerProcess * 1000) / holdMs;
}
