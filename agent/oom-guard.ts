/**
 * Keeps a worker from spinning against a full Redis. A BullMQ worker with a free slot asks again at once when Redis refuses
 * it: about 7,000 errors a second at half a core, for ever [measured with BullMQ 6.7 on Redis 7.0]. What is still running
 * must go on, though: a job that ends takes the next one in the same script, and Redis lets that through.
 *
 * - idle → narrowed: slots are taken down to the busy ones, so that no free slot asks and the busy ones go on draining;
 * - idle, narrowed → stopped: nothing runs, so nothing can drain; the worker is paused;
 * - narrowed, stopped → idle: a probe was let through, so all is put back.
 */
export type GuardState = 'idle' | 'narrowed' | 'stopped';

/** So many refusals within BURST_MS are a spin; a busy worker at the edge has single ones. */
const BURST = 4;
const BURST_MS = 250;

/** What the guard may do to its worker. */
export interface GuardHands {
  readonly running: () => number;
  readonly narrowTo: (slots: number) => void;
  readonly stop: () => void;
  readonly release: () => void;
}

export class OomGuard {
  readonly #hands: GuardHands;
  #state: GuardState = 'idle';
  #refusals: number[] = [];
  #sinceMs: number | null = null;
  times = 0;

  constructor(hands: GuardHands) {
    this.#hands = hands;
  }

  get state(): GuardState {
    return this.#state;
  }

  /** Since when it holds the worker back; null: it does not. */
  get sinceMs(): number | null {
    return this.#sinceMs;
  }

  /**
   * @param steadyMs by a clock that is never set; `nowMs` is for people.
   * @returns true where it has begun to hold the worker back.
   */
  refused(steadyMs: number, nowMs: number): boolean {
    this.#refusals.push(steadyMs);
    if (this.#refusals.length > BURST) this.#refusals.shift();
    const [first] = this.#refusals;
    if (this.#refusals.length < BURST || first === undefined || steadyMs - first > BURST_MS) return false;
    this.#refusals = [];
    const hasBegun = this.#state === 'idle';
    if (hasBegun) {
      this.#sinceMs = nowMs;
      this.times += 1;
    }
    const running = this.#hands.running();
    if (running === 0) {
      if (this.#state !== 'stopped') this.#hands.stop();
      this.#state = 'stopped';
    } else if (this.#state !== 'stopped') {
      this.#hands.narrowTo(running);
      this.#state = 'narrowed';
    }
    return hasBegun;
  }

  /** A probe went through: Redis takes writes again. */
  relieved(): void {
    if (this.#state === 'idle') return;
    this.#state = 'idle';
    this.#sinceMs = null;
    this.#refusals = [];
    this.#hands.release();
  }
}
