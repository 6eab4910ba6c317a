import { OTHER_TYPES, type TypeBeat } from '../../agent/protocol.js';
import { addWire, newSketch, quantileMs, type Sketch } from './sketch.js';
import type { WorkerType } from './worker-state.js';

/** Run times are told over this: two generations, the older one dropped when the newer is full. */
const GENERATION_MS = 2 * 60_000;
const RECENT_MS = 10_000;
/** Job types that are kept of one worker; the others are counted together. */
const MOST_TYPES = 200;
const MOST_SHOWN = 20;

interface Counted {
  completed: number;
  failed: number;
  readonly sketch: Sketch;
}

/** Job types of one worker, as its beats tell of them; bounded whatever they are called. */
export class WorkerTypes {
  #current = new Map<string, Counted>();
  #former = new Map<string, Counted>();
  readonly #usual = new Map<string, NonNullable<TypeBeat['usual']>>();
  #sinceMs: number;
  #recent = new Map<string, Sketch>();
  #lately = new Map<string, Sketch>();
  #recentSinceMs: number;

  constructor(nowMs: number) {
    this.#sinceMs = nowMs;
    this.#recentSinceMs = nowMs;
  }

  take(types: readonly TypeBeat[], nowMs: number): void {
    if (nowMs - this.#sinceMs > GENERATION_MS) {
      this.#former = this.#current;
      this.#current = new Map();
      this.#sinceMs = nowMs;
    }
    if (nowMs - this.#recentSinceMs > RECENT_MS) {
      this.#lately = this.#recent;
      this.#recent = new Map();
      this.#recentSinceMs = nowMs;
    }
    for (const told of types) {
      if (told.usual) this.#noteUsual(told.name, told.usual);
      if (told.completed + told.failed === 0) continue;
      const counted = this.#of(told.name);
      counted.completed += told.completed;
      counted.failed += told.failed;
      if (!told.run) continue;
      addWire(counted.sketch, told.run);
      const recent = this.#recent.get(told.name) ?? newSketch();
      addWire(recent, told.run);
      if (this.#recent.size < MOST_TYPES) this.#recent.set(told.name, recent);
    }
  }

  /** What is usual for a type of this worker, by its own word. */
  usual(type: string): TypeBeat['usual'] {
    return this.#usual.get(type) ?? null;
  }

  /** Most frequent first. */
  list(): readonly WorkerType[] {
    const names = new Set([...this.#current.keys(), ...this.#former.keys(), ...this.#usual.keys()]);
    const all = [...names].map((name) => {
      const [now, then] = [this.#current.get(name), this.#former.get(name)];
      return {
        name,
        completed: (now?.completed ?? 0) + (then?.completed ?? 0),
        failed: (now?.failed ?? 0) + (then?.failed ?? 0),
        run: this.#run(name, now, then),
        recent: this.#recentOf(name),
      };
    });
    return all.sort((a, b) => b.completed + b.failed - (a.completed + a.failed)).slice(0, MOST_SHOWN);
  }

  #run(name: string, now: Counted | undefined, then: Counted | undefined): WorkerType['run'] {
    const usual = this.#usual.get(name);
    const count = (now?.sketch.count ?? 0) + (then?.sketch.count ?? 0);
    // A console that has just started has heard little: then the worker's own word is better.
    const longestMs = Math.max(now?.sketch.max ?? 0, then?.sketch.max ?? 0, 0);
    if (usual && usual.count > count) return { ...usual, longestMs };
    if (count === 0) return null;
    const all = newSketch();
    if (now) all.merge(now.sketch);
    if (then) all.merge(then.sketch);
    return { count, p50Ms: quantileMs(all, 0.5), p99Ms: quantileMs(all, 0.99), longestMs };
  }

  #recentOf(name: string): WorkerType['recent'] {
    const all = newSketch();
    for (const sketch of [this.#recent.get(name), this.#lately.get(name)]) if (sketch) all.merge(sketch);
    return all.count === 0 ? null : { count: all.count, p50Ms: quantileMs(all, 0.5) };
  }

  #noteUsual(name: string, usual: NonNullable<TypeBeat['usual']>): void {
    if (!this.#usual.has(name) && this.#usual.size >= MOST_TYPES) {
      const [oldest] = this.#usual.keys();
      if (oldest !== undefined) this.#usual.delete(oldest);
    }
    this.#usual.delete(name);
    this.#usual.set(name, usual);
  }

  #of(type: string): Counted {
    const name = this.#current.has(type) || this.#current.size < MOST_TYPES ? type : OTHER_TYPES;
    const known = this.#current.get(name);
    if (known) return known;
    const made = { completed: 0, failed: 0, sketch: newSketch() };
    this.#current.set(name, made);
    return made;
  }
}
