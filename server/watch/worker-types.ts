import { OTHER_TYPES, type TypeBeat } from '../../agent/protocol.js';
import { Sketch } from '../../agent/sketch.js';
import type { WorkerType } from '../model/worker.js';
import type { ByteBudget } from './agent-bounds.js';

/** Run times are those of this time: two generations, the older one dropped when the newer is full. */
const GENERATION_MS = 2 * 60_000;
const RECENT_MS = 10_000;
/** Job types that are kept of one worker; the others are counted together. */
const MAX_TYPES = 200;
/** An entry of a map with its name, beside its sketch. */
const ENTRY_BYTES = 400;
const MAX_SHOWN = 20;

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

  readonly #budget: ByteBudget;
  #bytes = 0;
  #listed: readonly WorkerType[] | null = null;
  #refused = 0;

  /** @param budget of all workers of this Redis together. */
  constructor(nowMs: number, budget: ByteBudget) {
    this.#budget = budget;
    this.#sinceMs = nowMs;
    this.#recentSinceMs = nowMs;
  }

  /** @returns types that were counted with others, as what is kept of workers is full. */
  take(types: readonly TypeBeat[], nowMs: number): number {
    this.#listed = null;
    this.#refused = 0;
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
    for (const said of types) {
      if (said.usual) this.#noteUsual(said.name, said.usual);
      if (said.completed + said.failed === 0) continue;
      const counted = this.#of(said.name);
      counted.completed += said.completed;
      counted.failed += said.failed;
      if (!said.run) continue;
      counted.sketch.addWire(said.run);
      if (!this.#recent.has(said.name) && (this.#recent.size >= MAX_TYPES || !this.#budget.takesNew))
        continue;
      const recent = this.#recent.get(said.name) ?? new Sketch();
      recent.addWire(said.run);
      this.#recent.set(said.name, recent);
    }
    this.#charge();
    return this.#refused;
  }

  /** Gives back what it took of the budget. */
  release(): void {
    this.#budget.change(-this.#bytes);
    this.#bytes = 0;
  }

  /** Types that are known may still have grown beyond what there is: then they begin anew, so that it always holds. */
  #charge(): void {
    const bytes = this.#held();
    this.#budget.change(bytes - this.#bytes);
    this.#bytes = bytes;
    if (!this.#budget.isFull || bytes === 0) return;
    this.#refused += this.#current.size + this.#former.size;
    for (const map of [this.#current, this.#former, this.#recent, this.#lately, this.#usual]) map.clear();
    this.release();
  }

  #held(): number {
    let bytes = ENTRY_BYTES * this.#usual.size;
    for (const map of [this.#current, this.#former])
      for (const { sketch } of map.values()) bytes += ENTRY_BYTES + sketch.bytes;
    for (const map of [this.#recent, this.#lately])
      for (const sketch of map.values()) bytes += ENTRY_BYTES + sketch.bytes;
    return bytes;
  }

  /** Most frequent first. */
  list(): readonly WorkerType[] {
    this.#listed ??= this.#list();
    return this.#listed;
  }

  #list(): readonly WorkerType[] {
    const names = new Set([...this.#current.keys(), ...this.#former.keys(), ...this.#usual.keys()]);
    const all = [...names].map((name) => {
      const [now, then] = [this.#current.get(name), this.#former.get(name)];
      return {
        name,
        completed: (now?.completed ?? 0) + (then?.completed ?? 0),
        failed: (now?.failed ?? 0) + (then?.failed ?? 0),
        now,
        then,
      };
    });
    return all
      .sort((a, b) => b.completed + b.failed - (a.completed + a.failed))
      .slice(0, MAX_SHOWN)
      .map(({ now, then, ...type }) => ({
        ...type,
        run: this.#run(type.name, now, then),
        recent: this.#recentOf(type.name),
      }));
  }

  #run(name: string, now: Counted | undefined, then: Counted | undefined): WorkerType['run'] {
    const usual = this.#usual.get(name);
    const count = (now?.sketch.count ?? 0) + (then?.sketch.count ?? 0);
    // A console that has just started has seen little: then the worker's own word is better.
    const longestMs = Math.max(now?.sketch.max ?? 0, then?.sketch.max ?? 0, 0);
    if (usual && usual.count > count) return { ...usual, longestMs };
    if (count === 0) return null;
    const all = new Sketch();
    if (now) all.merge(now.sketch);
    if (then) all.merge(then.sketch);
    return { count, p50Ms: all.quantileMs(0.5), p99Ms: all.quantileMs(0.99), longestMs };
  }

  #recentOf(name: string): WorkerType['recent'] {
    const all = new Sketch();
    for (const sketch of [this.#recent.get(name), this.#lately.get(name)]) if (sketch) all.merge(sketch);
    return all.count === 0 ? null : { count: all.count, p50Ms: all.quantileMs(0.5) };
  }

  #noteUsual(name: string, usual: NonNullable<TypeBeat['usual']>): void {
    if (!this.#usual.has(name) && !this.#budget.takesNew) return;
    if (!this.#usual.has(name) && this.#usual.size >= MAX_TYPES) {
      const [oldest] = this.#usual.keys();
      if (oldest !== undefined) this.#usual.delete(oldest);
    }
    this.#usual.delete(name);
    this.#usual.set(name, usual);
  }

  #of(type: string): Counted {
    const isKnown = this.#current.has(type);
    if (!isKnown && !this.#budget.takesNew) this.#refused += 1;
    const isTaken = isKnown || (this.#current.size < MAX_TYPES && this.#budget.takesNew);
    const name = isTaken ? type : OTHER_TYPES;
    const known = this.#current.get(name);
    if (known) return known;
    const made = { completed: 0, failed: 0, sketch: new Sketch() };
    this.#current.set(name, made);
    return made;
  }
}
