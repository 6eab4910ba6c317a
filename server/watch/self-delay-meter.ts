import { hostname } from 'node:os';
import { afterLook, JUDGED_MS, noDelay, type SelfDelay, STALL_FROM_MS } from '../model/self-delay.js';

/** A timer is due so often; how late it comes is how long the process was held up. */
const LOOK_EVERY_MS = 100;
const JUDGE_EVERY_MS = 1_000;

/**
 * Notices when the console itself is held up: by a host without CPU to spare, a stop (SIGSTOP, a paused machine) or work
 * of its own. Measured by the monotonic clock, so a clock that is set is no stall.
 */
export class SelfDelayMeter {
  readonly #now: () => number;
  readonly #timer: NodeJS.Timeout;
  #delay: SelfDelay;
  #dueAtMs: number;
  #judgedAtMs: number;
  /** [monotonic ms, CPU ms used so far], over the last JUDGED_MS. */
  #cpu: (readonly [number, number])[] = [];

  /** @param now the wall clock, ms: the times of stalls are by it. */
  constructor(now: () => number) {
    this.#now = now;
    this.#delay = noDelay(hostname());
    this.#judgedAtMs = performance.now();
    this.#dueAtMs = this.#judgedAtMs + LOOK_EVERY_MS;
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS);
    this.#timer.unref();
  }

  /** The same object until something changes. Looks first: whoever asks after a stall may come before the timer. */
  get delay(): SelfDelay {
    if (performance.now() - this.#dueAtMs > STALL_FROM_MS) this.look();
    return this.#delay;
  }

  look(): void {
    const atMs = performance.now();
    const lateMs = atMs - this.#dueAtMs;
    this.#dueAtMs = atMs + LOOK_EVERY_MS;
    const isStall = lateMs > STALL_FROM_MS;
    if (!isStall && atMs - this.#judgedAtMs < JUDGE_EVERY_MS) return;
    this.#judgedAtMs = atMs;
    const cpuRatio = this.#cpuRatio(atMs);
    // A healthy console keeps the object, and with it everything that is made from it.
    if (!isStall && this.#delay.stalls.length === 0 && !this.#delay.isStarved) return;
    const nowMs = this.#now();
    const stall = isStall ? { fromMs: nowMs - lateMs, toMs: nowMs } : null;
    this.#delay = afterLook(this.#delay, { nowMs, stall, cpuRatio });
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #cpuRatio(atMs: number): number {
    const { user, system } = process.cpuUsage();
    this.#cpu = [
      ...this.#cpu.filter(([sinceMs]) => sinceMs > atMs - JUDGED_MS),
      [atMs, (user + system) / 1000],
    ];
    const [first] = this.#cpu;
    const last = this.#cpu.at(-1);
    if (!first || !last || last[0] <= first[0]) return 0;
    return (last[1] - first[1]) / (last[0] - first[0]);
  }
}
