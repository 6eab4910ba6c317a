import type { Beat } from './protocol.js';

const EVERY_MS = 50;
const MOST_SAMPLES = 1_000;

/**
 * How late the event loop is, since the last look: how much later than due a timer comes. Not perf_hooks'
 * monitorEventLoopDelay: its reset drops the delay that is just going on, which is the one that matters here.
 */
export class LoopDelay {
  #samples: number[] = [];
  #dueAtMs = performance.now() + EVERY_MS;
  readonly #timer = setInterval(() => this.#sample(), EVERY_MS);

  constructor() {
    this.#timer.unref();
  }

  take(): Beat['loopDelay'] {
    // What is going on counts as well: this may run before the timer that is late.
    this.#sample();
    const sorted = this.#samples.sort((a, b) => a - b);
    const at = (ratio: number): number =>
      Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * ratio))] ?? 0) * 10) / 10;
    this.#samples = [];
    return { p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #sample(): void {
    const now = performance.now();
    if (this.#samples.length < MOST_SAMPLES) this.#samples.push(Math.max(0, now - this.#dueAtMs));
    this.#dueAtMs = now + EVERY_MS;
  }
}
