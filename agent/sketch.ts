import { SKETCH_ACCURACY, SKETCH_BINS, type SketchWire } from './protocol.js';

/** Each bin is so much wider than the one below it. */
const GAMMA = (1 + SKETCH_ACCURACY) / (1 - SKETCH_ACCURACY);
const BINS_PER_OCTAVE = 1 / Math.log2(GAMMA);
/** What is shorter counts as 0; also what is below 0 or no number, which a clock that jumps may give. */
const SHORTEST_MS = 1e-6;

/**
 * How durations in ms are spread, in little space: counts in bins that grow by GAMMA, so that a value at a quantile is
 * within SKETCH_ACCURACY of the truth, and two can be added (DDSketch: Masson, Rim and Lee, VLDB 2019). Of more than
 * SKETCH_BINS in a row the lowest are counted together.
 */
export class Sketch {
  count = 0;
  zeroCount = 0;
  sum = 0;
  min = Infinity;
  max = -Infinity;
  /** Index of the first of `#bins`. */
  #lowest = 0;
  #bins: number[] = [];

  /** @param weight how many it stands for. */
  accept(durationMs: number, weight = 1): void {
    const value = durationMs >= SHORTEST_MS ? durationMs : 0;
    if (value === 0) this.zeroCount += weight;
    else this.#add(Math.ceil(Math.log2(value) * BINS_PER_OCTAVE), weight);
    this.count += weight;
    this.sum += value * weight;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
  }

  merge(other: Sketch): void {
    if (other.count > 0) this.addWire(other.toWire());
  }

  /** Adds what a beat says; its indices are whole numbers. */
  addWire({ bins, zero, sum, min, max }: SketchWire): void {
    for (let i = 0; i + 1 < bins.length; i += 2) {
      const count = bins[i + 1] as number;
      if (count <= 0) continue;
      this.#add(bins[i] as number, count);
      this.count += count;
    }
    this.zeroCount += zero;
    this.count += zero;
    this.sum += sum;
    this.min = Math.min(this.min, min);
    this.max = Math.max(this.max, max);
  }

  /** What it holds, without its empty bins. Of an empty one the least is Infinity, which JSON can't say. */
  toWire(): SketchWire {
    const bins: number[] = [];
    this.#bins.forEach((count, i) => {
      if (count > 0) bins.push(i + this.#lowest, count);
    });
    return { bins, zero: this.zeroCount, sum: this.sum, min: this.min, max: this.max };
  }

  /** Value in ms at a quantile of 0 to 1; 0 for an empty one. */
  quantileMs(ratio: number): number {
    const rank = ratio * (this.count - 1);
    let below = this.zeroCount;
    if (this.count === 0 || rank < below) return 0;
    const at = this.#bins.findIndex((count) => {
      below += count;
      return below > rank;
    });
    return midstOf((at < 0 ? this.#bins.length - 1 : at) + this.#lowest);
  }

  /** The bins that are not empty, shortest first, with the durations in their midst. */
  forEachBin(visit: (durationMs: number, count: number) => void): void {
    this.#bins.forEach((count, i) => {
      if (count > 0) visit(midstOf(i + this.#lowest), count);
    });
  }

  /** What it takes of memory, about. */
  get bytes(): number {
    // V8 keeps room for half as many again in an array that grows.
    return 250 + 12 * this.#bins.length;
  }

  #add(index: number, weight: number): void {
    const bins = this.#bins;
    if (bins.length === 0) this.#lowest = index;
    const at = index - this.#lowest;
    if (at >= 0 && at < bins.length) {
      bins[at] = (bins[at] as number) + weight;
      return;
    }
    if (at < 0) {
      const more = Math.min(-at, SKETCH_BINS - bins.length);
      if (more > 0) bins.unshift(...new Array<number>(more).fill(0));
      this.#lowest -= more;
      bins[0] = (bins[0] as number) + weight;
      return;
    }
    this.#makeRoomUpTo(at);
    bins[index - this.#lowest] = weight;
  }

  /** Appends bins up to this place; where that is more than may be, the lowest become one. */
  #makeRoomUpTo(at: number): void {
    const bins = this.#bins;
    const surplus = Math.max(0, at + 1 - SKETCH_BINS);
    if (surplus > 0) {
      const lowest = bins.splice(0, surplus + 1);
      bins.unshift(lowest.reduce((sum, count) => sum + count, 0));
      this.#lowest += surplus;
    }
    // Empty ones come one by one: an array with holes would be slow ever after.
    while (bins.length <= at - surplus) bins.push(0);
  }
}

/** In the midst of a bin, so that neither end is further off than SKETCH_ACCURACY. */
function midstOf(index: number): number {
  return (2 ** (index / BINS_PER_OCTAVE) * 2) / (1 + GAMMA);
}
