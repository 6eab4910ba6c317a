import {
  MAX_ERROR_CHARS,
  MAX_RUNS_TOLD,
  MAX_TYPES_A_BEAT,
  OTHER_TYPES,
  TOLD_FROM_MS,
  type TypeBeat,
} from './protocol.js';
import { sketchToWire, Tally, UsualTimes } from './run-times.js';
import type { Sketch } from './sketch.js';

/** Job types that a worker remembers; beyond that the one unseen for longest is forgotten. */
const MAX_TYPES = 200;

/** Runs that one beat reports one by one, of all types together: a beat stays small. */
const MAX_RUNS_A_BEAT = 200;

/** One job type: what has not been reported yet, and what is usual. */
interface TypeRecord {
  completed: number;
  failed: number;
  run: Tally;
  wait: Tally;
  /** Reported by a beat that did not arrive; it is part of what is usual already. */
  untold: Sketch | null;
  readonly usual: UsualTimes;
  /** Long runs: end by performance.now(), run time, failed. */
  runs: number[];
  runsUntold: number;
  error: string | null;
  isActive: boolean;
  usedMs: number;
}

/** Outcomes and run times by job type: since the last beat that arrived, and what is usual. Bounded, whatever the job names are. */
export class JobTypes {
  readonly #records = new Map<string, TypeRecord>();
  /** Types that have something to report. */
  #active = new Set<TypeRecord>();

  /** Called for each job: one look-up and one sketch, nothing more. @param endedAt by performance.now(). */
  finished(
    type: string,
    outcome: 'completed' | 'failed',
    durationMs: number,
    endedAt: number,
    error: unknown,
  ): void {
    const known = this.#records.get(type);
    const record = known?.isActive ? known : this.#activate(type);
    if (outcome === 'completed') record.completed += 1;
    else {
      record.failed += 1;
      record.error = firstLine(error);
    }
    record.run.add(durationMs);
    if (durationMs < TOLD_FROM_MS) return;
    if (record.runs.length < 3 * MAX_RUNS_TOLD)
      record.runs.push(endedAt, durationMs, outcome === 'failed' ? 1 : 0);
    else record.runsUntold += 1;
  }

  /** Called for each first try. */
  started(type: string, waitedMs: number): void {
    const known = this.#records.get(type);
    const record = known?.isActive ? known : this.#activate(type);
    record.wait.add(waitedMs);
  }

  usual(type: string, steadyMs: number): TypeBeat['usual'] {
    return this.#records.get(type)?.usual.read(steadyMs) ?? null;
  }

  /**
   * What a beat reports of them.
   * @param steadyMs performance.now(): a clock that is never set.
   * @param running types of the jobs that run: they are reported even when none has finished, so that it is known what is usual.
   */
  take(running: ReadonlySet<string>, steadyMs: number): { types: readonly TypeBeat[]; giveBack: () => void } {
    const active = this.#active;
    this.#active = new Set();
    const types: TypeBeat[] = [];
    let left = MAX_RUNS_A_BEAT;
    const giveBacks: (() => void)[] = [];
    for (const [name, record] of this.#records) {
      const isActive = active.has(record);
      if (!isActive && !(running.has(name) && types.length < MAX_TYPES_A_BEAT)) continue;
      const { completed, failed, untold } = record;
      const run = record.run.sketch;
      const { wait } = record;
      record.usual.add(run, steadyMs);
      if (untold) run.merge(untold);
      const { error } = record;
      const runs = record.runs.slice(0, 3 * left);
      const runsUntold = record.runsUntold + (record.runs.length - runs.length) / 3;
      left -= runs.length / 3;
      types.push({
        name,
        completed,
        failed,
        run: sketchToWire(run),
        wait: sketchToWire(wait.sketch),
        runs: toldRuns(runs, steadyMs),
        runsUntold,
        error,
        usual: record.usual.read(steadyMs),
      });
      record.runs = [];
      record.runsUntold = 0;
      record.error = null;
      record.completed = 0;
      record.failed = 0;
      record.untold = null;
      record.isActive = false;
      if (isActive) record.usedMs = steadyMs;
      if (run.count > 0) record.run = new Tally();
      if (wait.sketch.count > 0) record.wait = new Tally();
      if (isActive)
        giveBacks.push(() => {
          this.#giveBack(record, completed, failed, run);
          // Times are of use only while they are fresh: of a beat that was lost they are counted.
          record.runsUntold += runsUntold + runs.length / 3;
          record.error ??= error;
          if (wait !== record.wait) record.wait.sketch.merge(wait.sketch);
        });
    }
    return {
      types,
      giveBack: () => {
        for (const giveBack of giveBacks) giveBack();
      },
    };
  }

  /** The beat did not arrive: what it reported is reported again with the next. */
  #giveBack(record: TypeRecord, completed: number, failed: number, run: Sketch): void {
    record.completed += completed;
    record.failed += failed;
    if (record.untold) record.untold.merge(run);
    else record.untold = run;
    record.isActive = true;
    this.#active.add(record);
  }

  #activate(type: string): TypeRecord {
    const name = this.#active.size < MAX_TYPES_A_BEAT ? type : OTHER_TYPES;
    const record = this.#records.get(name) ?? this.#make(name, performance.now());
    record.isActive = true;
    this.#active.add(record);
    return record;
  }

  #make(name: string, steadyMs: number): TypeRecord {
    if (this.#records.size >= MAX_TYPES) this.#forgetOldest();
    const made: TypeRecord = {
      completed: 0,
      failed: 0,
      run: new Tally(),
      wait: new Tally(),
      isActive: true,
      untold: null,
      runs: [],
      runsUntold: 0,
      error: null,
      usual: new UsualTimes(steadyMs),
      usedMs: steadyMs,
    };
    this.#records.set(name, made);
    return made;
  }

  #forgetOldest(): void {
    let oldest: string | null = null;
    let oldestMs = Number.POSITIVE_INFINITY;
    for (const [name, record] of this.#records) {
      if (this.#active.has(record) || record.usedMs >= oldestMs) continue;
      oldest = name;
      oldestMs = record.usedMs;
    }
    if (oldest !== null) this.#records.delete(oldest);
  }
}

function toldRuns(runs: readonly number[], now: number): readonly number[] {
  return runs.map((value, i) => (i % 3 === 0 ? Math.round(now - value) : Math.round(value)));
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const end = text.indexOf('\n');
  return text.slice(0, end < 0 ? MAX_ERROR_CHARS : Math.min(end, MAX_ERROR_CHARS));
}
