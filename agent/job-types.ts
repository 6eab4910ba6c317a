import { MOST_TYPES_A_BEAT, OTHER_TYPES, type TypeBeat } from './protocol.js';
import { newSketch, type Sketch, sketchToWire, UsualTimes } from './run-times.js';

/** Job types that a worker remembers; beyond that the one unseen for longest is forgotten. */
const MOST_TYPES = 200;

/** One job type: what has not been told yet, and what is usual. */
interface TypeRecord {
  completed: number;
  failed: number;
  run: Sketch;
  /** Told by a beat that did not arrive; it is part of what is usual already. */
  untold: Sketch | null;
  readonly usual: UsualTimes;
  usedMs: number;
}

/** Outcomes and run times by job type: since the last beat that arrived, and what is usual. Bounded, whatever the job names are. */
export class JobTypes {
  readonly #records = new Map<string, TypeRecord>();
  /** Types that have something to tell. */
  #active = new Set<TypeRecord>();

  /** Called for each job: one look-up and one sketch, nothing more. */
  finished(type: string, outcome: 'completed' | 'failed', durationMs: number, nowMs: number): void {
    const known = this.#records.get(type);
    const record = known && this.#active.has(known) ? known : this.#activate(type, nowMs);
    record[outcome] += 1;
    record.run.accept(durationMs > 0 ? durationMs : 0);
  }

  usual(type: string, nowMs: number): TypeBeat['usual'] {
    return this.#records.get(type)?.usual.read(nowMs) ?? null;
  }

  /**
   * What a beat tells of them.
   * @param running types of the jobs that run: they are told of even when none has finished, so that it is known what is usual.
   */
  take(running: ReadonlySet<string>, nowMs: number): { types: readonly TypeBeat[]; giveBack: () => void } {
    const active = this.#active;
    this.#active = new Set();
    const types: TypeBeat[] = [];
    const giveBacks: (() => void)[] = [];
    for (const [name, record] of this.#records) {
      const isActive = active.has(record);
      if (!isActive && !(running.has(name) && types.length < MOST_TYPES_A_BEAT)) continue;
      const { completed, failed, run, untold } = record;
      record.usual.add(run, nowMs);
      if (untold) run.merge(untold);
      types.push({ name, completed, failed, run: sketchToWire(run), usual: record.usual.read(nowMs) });
      record.completed = 0;
      record.failed = 0;
      record.untold = null;
      if (run.count > 0) record.run = newSketch();
      if (isActive) giveBacks.push(() => this.#giveBack(record, completed, failed, run));
    }
    return {
      types,
      giveBack: () => {
        for (const giveBack of giveBacks) giveBack();
      },
    };
  }

  /** The beat did not arrive: what it told is told again with the next. */
  #giveBack(record: TypeRecord, completed: number, failed: number, run: Sketch): void {
    record.completed += completed;
    record.failed += failed;
    if (record.untold) record.untold.merge(run);
    else record.untold = run;
    this.#active.add(record);
  }

  #activate(type: string, nowMs: number): TypeRecord {
    const name = this.#active.size < MOST_TYPES_A_BEAT ? type : OTHER_TYPES;
    const record = this.#records.get(name) ?? this.#make(name, nowMs);
    record.usedMs = nowMs;
    this.#active.add(record);
    return record;
  }

  #make(name: string, nowMs: number): TypeRecord {
    if (this.#records.size >= MOST_TYPES) this.#forgetOldest();
    const made: TypeRecord = {
      completed: 0,
      failed: 0,
      run: newSketch(),
      untold: null,
      usual: new UsualTimes(nowMs),
      usedMs: nowMs,
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
