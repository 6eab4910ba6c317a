import { MOST_TYPES_A_BEAT, OTHER_TYPES, type TypeBeat } from './protocol.js';
import { newSketch, type Sketch, sketchToWire, UsualTimes } from './run-times.js';

/** Job types that a worker remembers; beyond that the one unseen for longest is forgotten. */
const MOST_TYPES = 200;

interface Since {
  completed: number;
  failed: number;
  run: Sketch | null;
}

/** Outcomes and run times by job type: since the last beat that arrived, and what is usual. Bounded, whatever the job names are. */
export class JobTypes {
  #since = new Map<string, Since>();
  readonly #usual = new Map<string, UsualTimes>();

  finished(type: string, outcome: 'completed' | 'failed', durationMs: number, nowMs: number): void {
    const since = this.#sinceOf(type);
    since[outcome] += 1;
    since.run ??= newSketch();
    since.run.accept(Math.max(0, durationMs));
    this.#usualOf(type, nowMs).add(Math.max(0, durationMs), nowMs);
  }

  usual(type: string, nowMs: number): TypeBeat['usual'] {
    return this.#usual.get(type)?.read(nowMs) ?? null;
  }

  /**
   * What a beat tells of them.
   * @param running types of the jobs that run: they are told of even when none has finished, so that it is known what is usual.
   */
  take(running: ReadonlySet<string>, nowMs: number): { types: readonly TypeBeat[]; giveBack: () => void } {
    const taken = this.#since;
    this.#since = new Map();
    const names = [...taken.keys(), ...[...running].filter((name) => !taken.has(name))];
    const types = names.slice(0, MOST_TYPES_A_BEAT + 1).map((name) => {
      const since = taken.get(name);
      return {
        name,
        completed: since?.completed ?? 0,
        failed: since?.failed ?? 0,
        run: sketchToWire(since?.run ?? null),
        usual: this.usual(name, nowMs),
      };
    });
    return { types, giveBack: () => this.#merge(taken) };
  }

  /** The beat did not arrive: what it told is told again with the next. */
  #merge(taken: ReadonlyMap<string, Since>): void {
    for (const [name, was] of taken) {
      const since = this.#sinceOf(name);
      since.completed += was.completed;
      since.failed += was.failed;
      if (!was.run) continue;
      since.run ??= newSketch();
      since.run.merge(was.run);
    }
  }

  #sinceOf(type: string): Since {
    const name = this.#since.has(type) || this.#since.size < MOST_TYPES_A_BEAT ? type : OTHER_TYPES;
    const known = this.#since.get(name);
    if (known) return known;
    const made: Since = { completed: 0, failed: 0, run: null };
    this.#since.set(name, made);
    return made;
  }

  #usualOf(type: string, nowMs: number): UsualTimes {
    const known = this.#usual.get(type);
    // Deleted and set again: a Map keeps the order of first setting, and the first is the one to forget.
    if (known) this.#usual.delete(type);
    else if (this.#usual.size >= MOST_TYPES) {
      const [oldest] = this.#usual.keys();
      if (oldest !== undefined) this.#usual.delete(oldest);
    }
    const usual = known ?? new UsualTimes(nowMs);
    this.#usual.set(type, usual);
    return usual;
  }
}
