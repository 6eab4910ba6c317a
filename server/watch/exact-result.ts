import type { QueueMemory } from '../model/memory.js';
import type { QueueState } from '../model/snapshot.js';
import type { StateKey } from '../redis/queue-keys.js';
import { stateKeys } from '../redis/queue-keys.js';
import type { QueueStructure } from '../redis/sample-jobs.js';
import { queueMemoryOf } from './queue-memory.js';
import type { QueueSamples } from './queue-samples.js';
import type { SampledState } from './sampled-state.js';

/** After this long nobody can say what has changed in place. */
const LASTS_MS = 10 * 60_000;
/** From this share of changed jobs on, samples say more than a count that has passed. */
const MAX_CHANGED_RATIO = 0.05;

/** What a count of one queue has found: every job of it, as far as none came or went meanwhile. */
export interface ExactResult {
  readonly queueId: string;
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

/** What the queue holds by the count; states that were empty then are told by samples. */
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
