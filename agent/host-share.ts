import { readFileSync } from 'node:fs';
import os from 'node:os';
import type { Containment } from './contain.js';
import type { Beat, HostShare } from './protocol.js';

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

  /** @returns what there is to report; `arrived` once it has. */
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

/** Of the thread that reads it: ns on a core, ns runnable without one, time slices [proc(5), sched-stats.rst of Linux]. */
const SCHEDSTAT = '/proc/thread-self/schedstat';

interface Reading {
  readonly steadyMs: number;
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly runWaitMs: number | null;
}

/** What the host leaves to this process, from the last beat that arrived until now. */
export class HostMeter {
  #hasSchedstat = true;
  /** Node 18.0 to 18.13 does not know the first. */
  readonly #cores = os.availableParallelism?.() ?? os.cpus().length;
  #from = this.#now();
  #lateMs = 0;

  /** A timer came so much later than due. */
  late(ms: number): void {
    if (ms > this.#lateMs) this.#lateMs = ms;
  }

  /** @returns what there is to report; `arrived` once it has, so that the next one begins there. */
  read(): { readonly share: HostShare; readonly arrived: () => void } {
    const [from, to, lateMs] = [this.#from, this.#now(), this.#lateMs];
    const spanMs = to.steadyMs - from.steadyMs;
    const hasWaits = to.runWaitMs !== null && from.runWaitMs !== null;
    return {
      share: {
        spanMs: Math.round(spanMs),
        lateMs: Math.round(lateMs),
        cpuMs: Math.round(to.cpuMs - from.cpuMs),
        runWaitMs: hasWaits ? Math.round((to.runWaitMs ?? 0) - (from.runWaitMs ?? 0)) : null,
        clockJumpMs: Math.round(to.wallMs - from.wallMs - spanMs),
        load1m: Math.round((os.loadavg()[0] ?? 0) * 100) / 100,
        cores: this.#cores,
      },
      arrived: () => {
        this.#from = to;
        if (this.#lateMs === lateMs) this.#lateMs = 0;
      },
    };
  }

  #now(): Reading {
    const { user, system } = process.cpuUsage();
    return {
      steadyMs: performance.now(),
      wallMs: Date.now(),
      cpuMs: (user + system) / 1000,
      runWaitMs: this.#runWaitMs(),
    };
  }

  #runWaitMs(): number | null {
    if (!this.#hasSchedstat) return null;
    try {
      const ns = Number(readFileSync(SCHEDSTAT, 'latin1').split(' ')[1]);
      return Number.isFinite(ns) ? ns / 1e6 : null;
    } catch (error) {
      // Elsewhere than on Linux there is none; without a descriptor left it is not known this time.
      this.#hasSchedstat = !(error instanceof Error && 'code' in error && error.code === 'ENOENT');
      return null;
    }
  }
}
