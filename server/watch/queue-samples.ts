import type { QueueMemory } from '../model/memory.js';
import type { QueueCounts, QueueState } from '../model/snapshot.js';
import type { StateKey } from '../redis/queue-keys.js';
import { stateKeys } from '../redis/queue-keys.js';
import type { QueueSample, QueueStructure, StateSample } from '../redis/sample-jobs.js';
import { queueMemoryOf } from './queue-memory.js';
import {
  addJob,
  effectiveSamples,
  fadeState,
  largerOf,
  newState,
  type SampledState,
} from './sampled-state.js';
import type { SamplingNeed } from './sampling-plan.js';

/** Samples of one state are worth at most so many: more would only make it slow to notice what has changed. */
const MAX_WEIGHT = 6_000;
const STRUCTURE_EVERY_MS = 20_000;
/** The same where no job and no event has come or gone. */
const UNCHANGED_STRUCTURE_EVERY_MS = 180_000;

/** Samples of one queue over time, and what they say of its memory. */
export class QueueSamples {
  readonly #states = new Map<string, SampledState>();
  #structure: QueueStructure | null = null;
  #structureAtMs = Number.NEGATIVE_INFINITY;
  /** How the queue was then. */
  #structureMark: number | null = null;
  #largest: QueueMemory['largest'] = null;

  /** What is known of one of its lists, for the plan of the next samples. */
  need(queue: QueueState, { state, key, count }: Omit<StateKey, 'kind'>, nowMs: number): SamplingNeed {
    const sampled = this.#states.get(key) ?? null;
    // So many have come since, and may have gone.
    const changed = sampled ? Math.max(0, queue.addedTotal - sampled.addedTotal) : 0;
    return {
      queueId: queue.id,
      key,
      count,
      isBacklog: state === 'waiting' || state === 'prioritized',
      known: sampled && spreadOf(sampled),
      isCensus: sampled?.isCensus ?? false,
      ageMs: nowMs - (sampled?.sampledAtMs ?? Number.NEGATIVE_INFINITY),
      changedRatio: Math.min(1, changed / Math.max(1, count)),
    };
  }

  /** Are the keys beside its jobs to be measured anew? */
  isStructureDue(queue: QueueState, nowMs: number): boolean {
    const isAsItWas = this.#structureMark === markOf(queue);
    return nowMs - this.#structureAtMs >= (isAsItWas ? UNCHANGED_STRUCTURE_EVERY_MS : STRUCTURE_EVERY_MS);
  }

  /** @param queue as it was when its jobs were drawn. */
  take(sample: QueueSample, queue: QueueState, nowMs: number): void {
    for (const state of sample.states) {
      if (state.jobs.length === 0) continue;
      const taken = this.#takeState(state, this.need(queue, state, nowMs).changedRatio);
      taken.sampledAtMs = nowMs;
      taken.addedTotal = queue.addedTotal;
    }
    if (sample.structure) {
      this.#structure = sample.structure;
      this.#structureAtMs = nowMs;
      this.#structureMark = markOf(queue);
    }
  }

  memory(queue: { readonly id: string; readonly counts: QueueCounts }, nowMs: number): QueueMemory {
    return queueMemoryOf({
      queue,
      states: this.#states,
      structure: this.#structure,
      largest: this.#largest,
      nowMs,
    });
  }

  get structure(): QueueStructure | null {
    return this.#structure;
  }

  get states(): ReadonlyMap<string, SampledState> {
    return this.#states;
  }

  /** Shares of types in one state, for the counts of a queue's job types. */
  state(key: string): SampledState | null {
    return this.#states.get(key) ?? null;
  }

  #takeState(sample: StateSample, changedRatio: number): SampledState {
    const known = this.#states.get(sample.key);
    const state = known && !sample.isCensus ? known : newState(sample.state);
    state.isCensus = sample.isCensus;
    if (known && !sample.isCensus) {
      fadeState(state, 1 - Math.min(0.9, changedRatio));
      const over = (state.all.weight + sample.jobs.length) / MAX_WEIGHT;
      if (over > 1) fadeState(state, 1 / over);
    }
    for (const job of sample.jobs) {
      addJob(state, job);
      this.#largest = largerOf(this.#largest, job);
    }
    this.#states.set(sample.key, state);
    return state;
  }
}

/** Mean and spread of the sizes of a state's jobs, bytes, and how many samples they are known from. null: none. */
function spreadOf(state: SampledState): SamplingNeed['known'] {
  const { weight, bytes, bytesSquared } = state.all;
  if (weight <= 0) return null;
  const meanBytes = bytes / weight;
  const variance = Math.max(0, bytesSquared / weight - meanBytes * meanBytes);
  return {
    meanBytes,
    // A sample of like sizes says less about the spread than it seems: some is taken for granted.
    deviationBytes: Math.max(Math.sqrt(variance), meanBytes * 0.1),
    samples: effectiveSamples(state),
  };
}

/** Another number where a job or an event has come or gone, but for odd chances. */
function markOf({ addedTotal, eventsLength, unfinished, counts }: QueueState): number {
  return addedTotal + eventsLength * 3 + unfinished * 7 + counts.completed * 11 + counts.failed * 13;
}

/** After this long nobody can say what has changed in place. */
const LASTS_MS = 10 * 60_000;
/** From this share of changed jobs on, samples say more than a count that has passed. */
const MAX_CHANGED_RATIO = 0.05;

/** What a count of one queue has found: every job of it, as far as none came or went meanwhile. */
export interface ExactResult {
  readonly states: ReadonlyMap<string, SampledState>;
  readonly structure: QueueStructure;
  readonly structureErrorBytes: number;
  readonly largest: QueueMemory['largest'];
  readonly jobs: number;
  /** Of the queue when the count began: what was added since has changed it. */
  readonly addedTotal: number;
  readonly endedAtMs: number;
}

/** Share of a queue's jobs that has come or gone since they were counted: 0 for one that stands still. */
export function changedRatio(result: ExactResult, queue: QueueState): number {
  const differences = stateKeys(queue.id, queue.counts).reduce(
    (sum, key) => sum + difference(result, key),
    goneStates(result, queue),
  );
  const added = Math.max(0, queue.addedTotal - result.addedTotal);
  const changed = Math.max(added, differences);
  return changed === 0 ? 0 : changed / Math.max(1, result.jobs);
}

/** Does the count still say more than samples do? */
export function isStillExact(result: ExactResult, queue: QueueState, nowMs: number): boolean {
  return nowMs - result.endedAtMs < LASTS_MS && changedRatio(result, queue) <= MAX_CHANGED_RATIO;
}

/** What the queue holds by the count; states that were empty then are known by samples. */
export function exactMemoryOf(
  result: ExactResult,
  queue: QueueState,
  samples: QueueSamples | null,
  nowMs: number,
): QueueMemory {
  const added = Math.max(0, queue.addedTotal - result.addedTotal);
  for (const key of stateKeys(queue.id, queue.counts)) {
    const state = result.states.get(key.key);
    if (state) state.changed = Math.min(key.count, added + difference(result, key));
  }
  const byKey = new Map([...(samples?.structure?.byKey ?? []), ...result.structure.byKey]);
  return queueMemoryOf({
    queue,
    states: new Map([...(samples?.states ?? []), ...result.states]),
    structure: { ...result.structure, byKey },
    structureErrorBytes: result.structureErrorBytes,
    largest: result.largest,
    nowMs,
    source: 'count',
  });
}

function difference(result: ExactResult, { key, count }: StateKey): number {
  return Math.abs(count - (result.states.get(key)?.all.weight ?? 0));
}

/** Jobs of states that were counted and are empty now. */
function goneStates(result: ExactResult, queue: QueueState): number {
  const now = new Set(stateKeys(queue.id, queue.counts).map(({ key }) => key));
  return [...result.states]
    .filter(([key]) => !now.has(key))
    .reduce((sum, [, state]) => sum + state.all.weight, 0);
}
