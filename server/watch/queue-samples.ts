import type { QueueMemory } from '../model/memory.js';
import type { QueueCounts } from '../model/snapshot.js';
import type { QueueSample, QueueStructure, StateSample } from '../redis/sample-jobs.js';
import { queueMemoryOf } from './queue-memory.js';
import { addJob, effectiveSamples, fadeState, newState, type SampledState } from './sampled-state.js';

/** Samples of one state are worth at most so many: more would only make it slow to notice what has changed. */
const MAX_WEIGHT = 6_000;

/** Samples of one queue over time, and what they say of its memory. */
export class QueueSamples {
  readonly #states = new Map<string, SampledState>();
  #structure: QueueStructure | null = null;
  #structureAtMs = Number.NEGATIVE_INFINITY;
  /** How the queue was then (`markOf`). */
  structureMark: number | null = null;
  #largest: QueueMemory['largest'] = null;

  ageMs(key: string, nowMs: number): number {
    return nowMs - (this.#states.get(key)?.sampledAtMs ?? Number.NEGATIVE_INFINITY);
  }

  /** Jobs that were added since a state was sampled: so many have come, and may have gone. */
  addedSince(key: string, addedTotal: number): number {
    return Math.max(0, addedTotal - (this.#states.get(key)?.addedTotal ?? addedTotal));
  }

  get structureAtMs(): number {
    return this.#structureAtMs;
  }

  /** Mean and spread of the sizes of a state's jobs, bytes, and how many samples they are known from. null: none yet. */
  spread(
    key: string,
  ): { readonly meanBytes: number; readonly deviationBytes: number; readonly samples: number } | null {
    const state = this.#states.get(key);
    if (!state || state.all.weight <= 0) return null;
    const mean = state.all.bytes / state.all.weight;
    const variance = Math.max(0, state.all.bytesSquared / state.all.weight - mean * mean);
    // A sample of like sizes says less about the spread than it seems: some is taken for granted.
    return {
      meanBytes: mean,
      deviationBytes: Math.max(Math.sqrt(variance), mean * 0.1),
      samples: effectiveSamples(state),
    };
  }

  isCensus(key: string): boolean {
    return this.#states.get(key)?.isCensus ?? false;
  }

  /**
   * @param addedTotal jobs that were ever added: tells how many have come and gone since the last samples.
   * @param mark how the queue is now, by which it is told whether it has changed since.
   */
  take(sample: QueueSample, addedTotal: number, mark: number | null, nowMs: number): void {
    for (const state of sample.states) {
      if (state.jobs.length === 0) continue;
      const taken = this.#takeState(state, this.addedSince(state.key, addedTotal));
      taken.sampledAtMs = nowMs;
      taken.addedTotal = addedTotal;
    }
    if (sample.structure) {
      this.#structure = sample.structure;
      this.#structureAtMs = nowMs;
      this.structureMark = mark;
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

  get largest(): QueueMemory['largest'] {
    return this.#largest;
  }

  /** Shares of types in one state, for the counts of a queue's job types. */
  state(key: string): SampledState | null {
    return this.#states.get(key) ?? null;
  }

  #takeState(sample: StateSample, changed: number): SampledState {
    const known = this.#states.get(sample.key);
    const state = known && !sample.isCensus ? known : newState(sample.state);
    state.isCensus = sample.isCensus;
    if (known && !sample.isCensus) {
      fadeState(state, 1 - Math.min(0.9, changed / Math.max(1, sample.count)));
      const over = (state.all.weight + sample.jobs.length) / MAX_WEIGHT;
      if (over > 1) fadeState(state, 1 / over);
    }
    for (const job of sample.jobs) {
      addJob(state, job);
      const bytes = job.bytes + job.logBytes;
      if (bytes > (this.#largest?.bytes ?? 0))
        this.#largest = { jobId: job.jobId, type: job.type, bytes, state: job.state };
    }
    this.#states.set(sample.key, state);
    return state;
  }
}
