import { every, reasonOf, type WorkHealth } from '../process/every.js';

export interface DutyOptions {
  /** Of the lease: work that was stopped between two looks is taken up anew. */
  readonly term: () => number | null;
  /** Reads what is kept and goes on with it. */
  readonly onElected: () => Promise<void>;
  /** Stops at once. */
  readonly onDemoted: () => Promise<void>;
  readonly warn: (message: string) => void;
}

/** The holder of a lease gives up 2 s before another may take it: time enough to see that, and to let go. */
const LOOK_EVERY_MS = 100;

/** Work that goes on only where a lease is held: taken up when it is taken, let go when it is lost; one after the other. */
export class LeaderTask {
  readonly #options: DutyOptions;
  /** The term for which it is taken up. */
  #on: number | null = null;
  readonly #loop = every(
    LOOK_EVERY_MS,
    () => this.#turn(),
    (error) => this.#options.warn(`what moves jobs can't be taken up or let go: ${reasonOf(error)}`),
  );

  constructor(options: DutyOptions) {
    this.#options = options;
  }

  /** Resolves once it is taken up, where it is ours by now. */
  async start(): Promise<void> {
    this.#loop.start();
    await this.#loop.run();
  }

  get health(): WorkHealth {
    return this.#loop.health();
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
    if (this.#on !== null) await this.#options.onDemoted();
    this.#on = null;
  }

  async #turn(): Promise<void> {
    const { onElected, onDemoted } = this.#options;
    const term = this.#options.term();
    if (term === this.#on) return;
    try {
      if (this.#on !== null) await onDemoted();
      this.#on = null;
      if (term !== null) await onElected();
      this.#on = term;
    } catch (error) {
      // A store that can't be read now: what was begun of it is left, and it is tried again at the next look.
      if (term !== null) await onDemoted().catch(() => undefined);
      throw error;
    }
  }
}
