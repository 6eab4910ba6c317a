import type { SketchWire } from './protocol.js';
import { Sketch } from './sketch.js';

/** Values that are counted one by one; of more than these in one beat every SHARE-th stands for SHARE. */
const COUNTED = 256;
const SHARE = 16;

/** Takes durations at little cost: a worker of empty jobs has tens of thousands a second. */
export class Tally {
  readonly sketch = new Sketch();
  #seen = 0;

  add(durationMs: number): void {
    this.#seen += 1;
    if (this.#seen <= COUNTED) this.sketch.accept(durationMs);
    else if (this.#seen % SHARE === 0) this.sketch.accept(durationMs, SHARE);
  }
}

/** For a beat; null for an empty one. */
export function sketchToWire(sketch: Sketch | null): SketchWire | null {
  if (!sketch || sketch.count === 0) return null;
  const round = (value: number): number => Math.round(value * 100) / 100;
  return {
    ...sketch.toWire(),
    sum: round(sketch.sum),
    min: round(sketch.min),
    max: round(sketch.max),
  };
}

/** How long a generation of `UsualTimes` lasts. */
const GENERATION_MS = 5 * 60_000;

/** What is usual over the last five to ten minutes: two generations, the older one dropped when the newer is full. */
export class UsualTimes {
  #current = new Sketch();
  #former: Sketch | null = null;
  #since: number;

  constructor(steadyMs: number) {
    this.#since = steadyMs;
  }

  add(runs: Sketch, steadyMs: number): void {
    this.#turn(steadyMs);
    if (runs.count > 0) this.#current.merge(runs);
  }

  read(steadyMs: number): { count: number; p50Ms: number; p99Ms: number } | null {
    this.#turn(steadyMs);
    const count = this.#current.count + (this.#former?.count ?? 0);
    if (count === 0) return null;
    const all = new Sketch();
    all.merge(this.#current);
    if (this.#former) all.merge(this.#former);
    const round = (value: number): number => Math.round(value * 10) / 10;
    return { count, p50Ms: round(all.quantileMs(0.5)), p99Ms: round(all.quantileMs(0.99)) };
  }

  #turn(steadyMs: number): void {
    if (steadyMs - this.#since < GENERATION_MS) return;
    // After a long silence neither says what is usual; still better than nothing, so the last one is kept.
    this.#former = this.#current.count > 0 ? this.#current : this.#former;
    this.#current = new Sketch();
    this.#since = steadyMs;
  }
}
