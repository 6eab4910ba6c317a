import { LogCollapsingLowestDenseDDSketch } from '@datadog/sketches-js';
import { SKETCH_ACCURACY, SKETCH_BINS, type SketchWire } from '../../agent/protocol.js';

export type Sketch = LogCollapsingLowestDenseDDSketch;

/** An empty one that takes what agents send. */
export function newSketch(): Sketch {
  return new LogCollapsingLowestDenseDDSketch({ relativeAccuracy: SKETCH_ACCURACY, binLimit: SKETCH_BINS });
}

/** Adds what a beat told to a sketch. */
export function addWire(sketch: Sketch, wire: SketchWire): void {
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
export function quantileMs(sketch: Sketch, ratio: number): number {
  if (sketch.count === 0) return 0;
  const value = sketch.getValueAtQuantile(ratio);
  return Number.isFinite(value) ? value : 0;
}
