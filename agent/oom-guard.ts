import type { Containment } from './contain.js';
import type { RedisShape } from './redis-shape.js';

/** With jitter around this, so that many agents don't knock together; relief is noticed within 600 ms. */
const PROBE_EVERY_MS = 400;
/** Workers that were held back come back spread over this. */
const SPREAD_MS = 200;

interface HeldBack {
  readonly queueId: string;
  readonly isBlocked: boolean;
  relieved(): void;
}

/**
 * Finds out when a full Redis takes writes again, for workers that are held back. The probe is SETRANGE of an empty string
 * on a key that does not exist: Redis refuses it over maxmemory like any write that adds, and else does nothing at all
 * ("no operation", no key made) [run on 7.0.15].
 */
export class RelievedSoon {
  readonly #contain: Containment;
  readonly #publisher: () => RedisShape | null;
  readonly #workers: () => readonly HeldBack[];
  #timer: NodeJS.Timeout | null = null;

  constructor(contain: Containment, publisher: () => RedisShape | null, workers: () => readonly HeldBack[]) {
    this.#contain = contain;
    this.#publisher = publisher;
    this.#workers = workers;
  }

  /** Asks until no worker is held back any more. */
  watch(): void {
    if (this.#timer) return;
    const inMs = PROBE_EVERY_MS * (0.5 + Math.random());
    this.#timer = this.#contain.after(inMs, 'waiting for room in Redis', () => this.#ask());
  }

  stop(): void {
    if (this.#timer) clearTimeout(this.#timer);
  }

  async #ask(): Promise<void> {
    try {
      await this.#look();
    } finally {
      // Whatever comes of this look, there is a next one while a worker is held back.
      this.#timer = null;
      if (this.#workers().some((worker) => worker.isBlocked)) this.watch();
    }
  }

  async #look(): Promise<void> {
    const held = this.#workers().filter((worker) => worker.isBlocked);
    const queues = [...new Set(held.map((worker) => worker.queueId))];
    const publisher = this.#publisher();
    // In a Cluster queues lie on several nodes; elsewhere one answer holds for all.
    const asked = publisher?.isCluster ? queues : queues.slice(0, 1);
    const open = publisher ? await Promise.all(asked.map((queueId) => takesWrites(publisher, queueId))) : [];
    const what = 'going on with room in Redis';
    for (const worker of held) {
      const i = publisher?.isCluster ? asked.indexOf(worker.queueId) : 0;
      if (open[i]) this.#contain.after(Math.random() * SPREAD_MS, what, () => worker.relieved());
    }
  }
}

async function takesWrites(publisher: RedisShape, queueId: string): Promise<boolean> {
  try {
    await publisher.setrange(`${queueId}:spillway:probe`, 0, '');
    return true;
  } catch (error) {
    // What can't be asked (ACL, no answer) is tried: at worst the worker is refused again.
    return !(error instanceof Error && /OOM|timed out|closed|writeable/i.test(error.message));
  }
}

/**
 * Keeps a worker from spinning against a full Redis. A BullMQ worker with a free slot asks again at once when Redis refuses
 * it: about 7,000 errors a second at half a core, for ever [measured with BullMQ 6.7 on Redis 7.0]. What is still running
 * must go on, though: a job that ends takes the next one in the same script, and Redis lets that through.
 *
 * - idle → narrowed: slots are taken down to the busy ones, so that no free slot asks and the busy ones go on draining;
 * - idle, narrowed → stopped: nothing runs, so nothing can drain; the worker is paused;
 * - narrowed, stopped → idle: a probe was let through, so all is put back.
 */
type GuardState = 'idle' | 'narrowed' | 'stopped';

/** So many refusals within BURST_MS are a spin; a busy worker at the edge has single ones. */
const BURST = 4;
const BURST_MS = 250;

/** What the guard may do to its worker. */
interface GuardHands {
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
