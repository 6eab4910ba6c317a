import { LogCollapsingLowestDenseDDSketch } from '@datadog/sketches-js';
import { SKETCH_ACCURACY, SKETCH_BINS, type SketchWire } from '../../agent/protocol.js';

/** A verdict that is worked out again only where what it was made from has changed. */
export class Memo<T> {
  #key: string | null = null;
  #value: T | null = null;

  /** @param key changes with everything that `make` looks at. */
  of(key: string, make: () => T): T {
    if (this.#key !== key) {
      this.#value = make();
      this.#key = key;
    }
    return this.#value as T;
  }
}

export type MergedSketch = LogCollapsingLowestDenseDDSketch;

/**
 * There may be hundreds of thousands of sketches: they share what holds no state of their own. Durations are never negative,
 * so nothing is ever counted there.
 */
const { mapping: MAPPING, negativeStore: NO_NEGATIVES } = emptySketch();
/** Bins that are added at once: most types keep to some dozen. */
const BINS_AT_ONCE = 24;

/** An empty one that takes what agents send. */
export function newMergedSketch(): MergedSketch {
  const sketch = emptySketch();
  sketch.mapping = MAPPING;
  sketch.negativeStore = NO_NEGATIVES;
  sketch.store.chunkSize = BINS_AT_ONCE;
  return sketch;
}

function emptySketch(): MergedSketch {
  return new LogCollapsingLowestDenseDDSketch({ relativeAccuracy: SKETCH_ACCURACY, binLimit: SKETCH_BINS });
}

/** What it holds in memory, about. */
export function bytesOf(sketch: MergedSketch | null): number {
  return sketch === null ? 0 : 500 + 8 * sketch.store.bins.length;
}

/** What a sketch holds, without its empty bins. */
export function wireOf(sketch: MergedSketch): SketchWire {
  const bins: number[] = [];
  const { offset } = sketch.store;
  sketch.store.bins.forEach((count, i) => {
    if (count > 0) bins.push(i + offset, count);
  });
  return { bins, zero: sketch.zeroCount, sum: sketch.sum, min: sketch.min, max: sketch.max };
}

/** Adds what a beat says to a sketch. */
export function addWire(sketch: MergedSketch, wire: SketchWire): void {
  for (let i = 0; i + 1 < wire.bins.length; i += 2) {
    const [key = 0, count = 0] = [wire.bins[i], wire.bins[i + 1]];
    if (count <= 0) continue;
    sketch.store.add(key, count);
    sketch.count += count;
  }
  sketch.zeroCount += wire.zero;
  sketch.count += wire.zero;
  sketch.sum += wire.sum;
  sketch.min = Math.min(sketch.min, wire.min);
  sketch.max = Math.max(sketch.max, wire.max);
}

/** Value at a quantile in ms; within 2% of the truth. 0 for an empty one. */
export function quantileMs(sketch: MergedSketch, ratio: number): number {
  if (sketch.count === 0) return 0;
  const value = sketch.getValueAtQuantile(ratio);
  return Number.isFinite(value) ? value : 0;
}
