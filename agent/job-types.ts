import { MOST_TYPES_A_BEAT, OTHER_TYPES, type TypeBeat } from './protocol.js';
import { type Sketch, sketchToWire, Tally, UsualTimes } from './run-times.js';

/** Job types that a worker remembers; beyond that the one unseen for longest is forgotten. */
const MOST_TYPES = 200;

/** One job type: what has not been told yet, and what is usual. */
interface TypeRecord {
  completed: number;
  failed: number;
  run: Tally;
  /** Told by a beat that did not arrive; it is part of what is usual already. */
  untold: Sketch | null;
  readonly usual: UsualTimes;
  isActive: boolean;
  usedMs: number;
}

/** Outcomes and run times by job type: since the last beat that arrived, and what is usual. Bounded, whatever the job names are. */
export class JobTypes {
  readonly #records = new Map<string, TypeRecord>();
  /** Types that have something to tell. */
  #active = new Set<TypeRecord>();

  /** Called for each job: one look-up and one sketch, nothing more. */
  finished(type: string, outcome: 'completed' | 'failed', durationMs: number): void {
    const known = this.#records.get(type);
    const record = known?.isActive ? known : this.#activate(type);
    if (outcome === 'completed') record.completed += 1;
    else record.failed += 1;
    record.run.add(durationMs);
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
      const { completed, failed, untold } = record;
      const run = record.run.sketch;
      record.usual.add(run, nowMs);
      if (untold) run.merge(untold);
      types.push({ name, completed, failed, run: sketchToWire(run), usual: record.usual.read(nowMs) });
      record.completed = 0;
      record.failed = 0;
      record.untold = null;
      record.isActive = false;
      if (isActive) record.usedMs = nowMs;
      if (run.count > 0) record.run = new Tally();
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
    record.isActive = true;
    this.#active.add(record);
  }

  #activate(type: string): TypeRecord {
    const name = this.#active.size < MOST_TYPES_A_BEAT ? type : OTHER_TYPES;
    const record = this.#records.get(name) ?? this.#make(name, Date.now());
    record.isActive = true;
    this.#active.add(record);
    return record;
  }

  #make(name: string, nowMs: number): TypeRecord {
    if (this.#records.size >= MOST_TYPES) this.#forgetOldest();
    const made: TypeRecord = {
      completed: 0,
      failed: 0,
      run: new Tally(),
      isActive: true,
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
