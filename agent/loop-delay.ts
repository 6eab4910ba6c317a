import type { Containment } from './contain.js';
import type { Beat } from './protocol.js';

const EVERY_MS = 50;
const MAX_SAMPLES = 1_000;

/**
 * How late the event loop is, since the last beat that arrived: how much later than due a timer comes. Not perf_hooks'
 * monitorEventLoopDelay: its reset drops the delay that is just going on, which is the one that matters here.
 */
export class LoopDelay {
  #samples: number[] = [];
  #dueAtMs = performance.now() + EVERY_MS;
  readonly #timer: NodeJS.Timeout;

  constructor(contain: Containment) {
    const sample = contain.listener('watching the event loop', () => this.#sample());
    this.#timer = setInterval(sample, EVERY_MS).unref();
  }

  /** @returns what there is to tell; `arrived` once it has. */
  read(): { readonly delay: Beat['loopDelay']; readonly arrived: () => void } {
    // What is going on counts as well: this may run before the timer that is late.
    this.#sample();
    const count = this.#samples.length;
    const sorted = [...this.#samples].sort((a, b) => a - b);
    const at = (ratio: number): number =>
      Math.round((sorted[Math.min(count - 1, Math.floor(count * ratio))] ?? 0) * 10) / 10;
    return {
      delay: { p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) },
      arrived: () => {
        this.#samples = this.#samples.slice(count);
      },
    };
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #sample(): void {
    const now = performance.now();
    const lateMs = Math.max(0, now - this.#dueAtMs);
    this.#dueAtMs = now + EVERY_MS;
    if (this.#samples.length < MAX_SAMPLES) this.#samples.push(lateMs);
    // While no beat arrives, the worst is what must not get lost.
    else if (lateMs > (this.#samples[0] ?? 0)) this.#samples[0] = lateMs;
  }
}
