import { type Containment, within } from './contain.js';
import type { WorkerBeat } from './protocol.js';
import type { AttachableWorker } from './worker-shape.js';

/** An idle worker has stopped waiting within milliseconds; one that has just taken a job is not waited for longer. */
const PAUSE_WITHIN_MS = 1_000;

/** The agent's pause of one worker, beside that of the application, which is left to it. */
export class WorkerPause {
  readonly #worker: AttachableWorker;
  readonly #running: () => number;
  readonly #contain: Containment;
  #by: 'order' | 'guard' | null = null;
  #pausing: Promise<void> = Promise.resolve();
  #isResuming = false;

  /** @param running jobs that the worker has in hand. */
  constructor(worker: AttachableWorker, running: () => number, contain: Containment) {
    this.#worker = worker;
    this.#running = running;
    this.#contain = contain;
  }

  /** The agent has paused it, not the application. */
  get isOwn(): boolean {
    return this.#by !== null;
  }

  /** Who has paused it; null: it runs. */
  get pausedBy(): WorkerBeat['paused'] {
    if (!this.#worker.isPaused() || this.#isResuming) return null;
    return this.#by ?? 'application';
  }

  pause(by: 'order' | 'guard'): void {
    if (this.#worker.isPaused()) {
      if (this.isOwn) this.#by = by;
      return;
    }
    this.#by = by;
    // true: jobs in hand go on and are not waited for. An idle worker would still take the job that it is waiting for (seen
    // with 5.81 and 6.7); with false it stops waiting, which is done at once as it has nothing in hand.
    this.#pausing = this.#worker
      .pause(by === 'guard' || this.#running() > 0)
      .catch((error: unknown) => this.#contain.failed('pausing', error));
  }

  resume(): void {
    this.#by = null;
    if (!this.#worker.isPaused()) return;
    // While it stops waiting its connection is being renewed; resumed in the middle of that it would wait on a closed one.
    this.#isResuming = true;
    this.#contain.run('resuming', async () => {
      try {
        await within(PAUSE_WITHIN_MS, this.#pausing).catch(() => undefined);
        if (!this.isOwn) await this.#worker.resume();
      } finally {
        this.#isResuming = false;
      }
    });
  }
}
