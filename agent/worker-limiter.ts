import type { WorkerLimiter } from './protocol.js';
import { type AttachableWorker, insideOf } from './worker-shape.js';

/** The limiter of one worker: as it was deployed, as it is, and as orders want it. */
export class LimiterSetting {
  readonly #worker: AttachableWorker;
  readonly deployed: WorkerLimiter | null;
  #isOrdered = false;

  constructor(worker: AttachableWorker) {
    this.#worker = worker;
    this.deployed = this.now;
  }

  get now(): WorkerLimiter | null {
    const { limiter } = insideOf(this.#worker).opts;
    return limiter ? { max: limiter.max, durationMs: limiter.duration } : null;
  }

  /** @param wanted null: as deployed, which is left alone where nothing was ever ordered. */
  set(wanted: WorkerLimiter | 'none' | null): void {
    if (wanted === null && !this.#isOrdered) return;
    this.#isOrdered = wanted !== null;
    const limiter = wanted === 'none' ? null : (wanted ?? this.deployed);
    // BullMQ reads the option anew each time it takes a job.
    insideOf(this.#worker).opts.limiter =
      limiter === null ? undefined : { max: limiter.max, duration: limiter.durationMs };
  }
}
