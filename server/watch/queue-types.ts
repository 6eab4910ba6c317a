import type { SketchWire, TypeBeat } from '../../agent/protocol.js';
import { OTHER_TYPES } from '../../agent/protocol.js';
import { Sketch } from '../../agent/sketch.js';
import type { FinishedJob, RunSource } from '../model/job-type.js';
import type { ByteBudget } from './agent-bounds.js';
import { TypeRecord } from './type-record.js';

/** Types kept apart in one queue; the others are counted together. */
const MAX_TYPES = 100;
/** Single runs that are kept of a type, enough for some batches of some processes; fewer where many types share a queue's. */
const MAX_RUNS = 600;
const LEAST_RUNS = 60;
const RUNS_OF_ALL = 6_000;
/** A type that has not been seen for so long makes room. */
const FORGOTTEN_MS = 26 * 3_600_000;
/** The agent's word counts for so long before what Redis shows is listened to again. */
const AGENT_LASTS_MS = 15_000;
/** Shares of what comes in fade by this with each look at the newest. */
const FADE = 0.8;

/** One running job, as the active list or an agent shows it. */
interface RunningNow {
  readonly type: string;
  readonly startedAtMs: number;
}

/** Nothing is ever put into these. */
const NO_RECORDS = new Map<string, TypeRecord>();
const NO_WEIGHTS = new Map<string, number>();

/** What is remembered of one queue's job types. */
export class QueueTypes {
  // Of ten thousand queues most have nothing in either.
  #records: Map<string, TypeRecord> = NO_RECORDS;
  #newest: Map<string, number> = NO_WEIGHTS;
  #newestWeight = 0;
  #agentAtMs = Number.NEGATIVE_INFINITY;
  #source: RunSource | null = null;
  #running: readonly RunningNow[] = [];
  #isStale = true;
  readonly #budget: ByteBudget;
  #bytes = 0;

  /** @param budget of all queues of this Redis together. */
  constructor(budget: ByteBudget) {
    this.#budget = budget;
  }

  /** Gives back what it took of the budget: the queue is forgotten. */
  release(): void {
    this.#budget.change(-this.#bytes);
    this.#bytes = 0;
  }

  get source(): RunSource | null {
    return this.#source;
  }

  get records(): ReadonlyMap<string, TypeRecord> {
    return this.#records;
  }

  get running(): readonly RunningNow[] {
    return this.#running;
  }

  /** Something has come in since it was last judged. */
  get isStale(): boolean {
    return this.#isStale;
  }

  markJudged(): void {
    this.#isStale = false;
  }

  hasAgent(nowMs: number): boolean {
    return nowMs - this.#agentAtMs < AGENT_LASTS_MS;
  }

  /**
   * What one beat of one worker says; its times are put on the console's clock.
   */
  takeAgent(process: string, types: readonly TypeBeat[], nowMs: number): void {
    this.#agentAtMs = nowMs;
    this.#source = 'agent';
    for (const said of types) {
      if (said.completed + said.failed === 0 && said.runsUntold === 0 && said.wait === null) continue;
      this.#isStale = true;
      const record = this.#record(said.name, nowMs);
      record.addOutcomes(said, null, nowMs);
      if (said.run) for (const sketch of record.runSketches(nowMs)) sketch.addWire(said.run);
      if (said.wait) {
        for (const sketch of record.waitSketches(nowMs)) sketch.addWire(said.wait);
        record.lastWaitedMs = medianOf(said.wait);
      }
      record.addUnseen(said.runsUntold, nowMs);
      for (let i = 0; i + 2 < said.runs.length; i += 3) {
        const [ago = 0, durationMs = 0, failed = 0] = said.runs.slice(i, i + 3);
        const endedAtMs = nowMs - ago;
        record.addRun(
          {
            startedAtMs: endedAtMs - durationMs,
            endedAtMs,
            failed: failed === 1,
            process,
          },
          this.#runsOfOne,
        );
      }
    }
    this.#charge();
  }

  /**
   * Jobs that have ended, newly seen in Redis. Where agents tell of the same runs, only errors are taken from here.
   * @param isWhole none has ended unseen in between.
   */
  takeFinished(
    jobs: readonly FinishedJob[],
    source: 'finished' | 'events',
    isWhole: boolean,
    nowMs: number,
  ): void {
    if (jobs.length === 0) return;
    this.#isStale = true;
    if (this.hasAgent(nowMs)) {
      for (const { type, error } of jobs)
        if (error !== null)
          this.#record(type, nowMs).addOutcomes({ completed: 0, failed: 0, error }, null, nowMs);
      return;
    }
    this.#source = source;
    for (const job of jobs) {
      const record = this.#record(job.type, nowMs);
      const outcome = job.failed
        ? { completed: 0, failed: 1, error: job.error }
        : { completed: 1, failed: 0, error: null };
      record.addOutcomes(outcome, job.failed ? job.endedAtMs : null, nowMs);
      if (!isWhole) record.addUnseen(1, nowMs);
      if (job.startedAtMs === null) continue;
      const durationMs = Math.max(0, job.endedAtMs - job.startedAtMs);
      for (const sketch of record.runSketches(nowMs)) sketch.accept(durationMs);
      const waitedMs = Math.max(0, job.startedAtMs - (job.dueAtMs ?? job.startedAtMs));
      if (job.dueAtMs !== null) {
        for (const sketch of record.waitSketches(nowMs)) sketch.accept(waitedMs);
        record.lastWaitedMs = waitedMs;
      }
      if (durationMs >= 100)
        record.addRun(
          {
            startedAtMs: job.startedAtMs,
            endedAtMs: job.endedAtMs,
            failed: job.failed,
            process: job.process,
          },
          this.#runsOfOne,
        );
    }
    this.#charge();
  }

  takeRunning(running: readonly RunningNow[]): void {
    if (running.length > 0 || this.#running.length > 0) this.#isStale = true;
    this.#running = running;
    if (this.#source === null && running.length > 0) this.#source = 'active';
  }

  /** Types of the jobs that were added last. */
  takeNewest(types: readonly string[]): void {
    if (types.length === 0) return;
    this.#isStale = true;
    if (this.#newest === NO_WEIGHTS) this.#newest = new Map();
    for (const [type, weight] of this.#newest) {
      if (weight * FADE < 0.01) this.#newest.delete(type);
      else this.#newest.set(type, weight * FADE);
    }
    this.#newestWeight = this.#newestWeight * FADE + types.length;
    for (const type of types) {
      const name = this.#newest.has(type) || this.#newest.size < MAX_TYPES ? type : OTHER_TYPES;
      this.#newest.set(name, (this.#newest.get(name) ?? 0) + 1);
    }
  }

  /** Share of what comes in, 0..1; null: not known. */
  shareOfArrivals(type: string): number | null {
    return this.#newestWeight === 0 ? null : (this.#newest.get(type) ?? 0) / this.#newestWeight;
  }

  get #runsOfOne(): number {
    return Math.max(LEAST_RUNS, Math.min(MAX_RUNS, Math.floor(RUNS_OF_ALL / this.#records.size)));
  }

  #record(type: string, nowMs: number): TypeRecord {
    const known = this.#records.get(type);
    if (known) return known;
    if (this.#records.size >= MAX_TYPES) this.#forget(nowMs);
    // Where there is no room for what is new, a queue has one record for all that it does not know.
    const hasRoom = this.#records.size < MAX_TYPES && (this.#budget.takesNew || this.#records.size === 0);
    const name = hasRoom ? type : OTHER_TYPES;
    const record = this.#records.get(name) ?? new TypeRecord(nowMs);
    if (this.#records === NO_RECORDS) this.#records = new Map();
    this.#records.set(name, record);
    return record;
  }

  /** What is known may have grown beyond what there is room for: then the largest begin anew, so that it always holds. */
  #charge(): void {
    let bytes = 0;
    for (const record of this.#records.values()) bytes += record.bytes;
    this.#budget.change(bytes - this.#bytes);
    this.#bytes = bytes;
    while (this.#budget.isFull && this.#records.size > 0) {
      let [largest, most] = ['', -1];
      for (const [name, record] of this.#records)
        if (record.bytes > most) [largest, most] = [name, record.bytes];
      this.#records.delete(largest);
      this.#budget.change(-most);
      this.#bytes -= most;
    }
  }

  #forget(nowMs: number): void {
    for (const [name, record] of this.#records)
      if (nowMs - record.lastSeenAtMs > FORGOTTEN_MS) this.#records.delete(name);
  }
}

function medianOf(wire: SketchWire): number {
  const sketch = new Sketch();
  sketch.addWire(wire);
  return sketch.quantileMs(0.5);
}
