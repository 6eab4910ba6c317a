import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Beat } from './protocol.js';

const RESOLUTION_MS = 20;

/** How late the event loop is, since the last look. */
export class LoopDelay {
  readonly #histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  constructor() {
    this.#histogram.enable();
  }

  take(): Beat['loopDelay'] {
    const inMs = (nanoseconds: number): number =>
      // The histogram counts the sampling interval in.
      Number.isFinite(nanoseconds) ? Math.max(0, Math.round(nanoseconds / 1e5) / 10 - RESOLUTION_MS) : 0;
    const taken = {
      p50Ms: inMs(this.#histogram.percentile(50)),
      p99Ms: inMs(this.#histogram.percentile(99)),
      maxMs: inMs(this.#histogram.max),
    };
    this.#histogram.reset();
    return taken;
  }

  stop(): void {
    this.#histogram.disable();
  }
}
