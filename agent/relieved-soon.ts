import type { RedisShape } from './redis-shape.js';

/** With jitter around this, so that many agents don't knock together; relief is noticed within 600 ms. */
const PROBE_EVERY_MS = 400;
/** Workers that were held back come back spread over this. */
const SPREAD_MS = 200;

export interface HeldBack {
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
  readonly #mouth: () => RedisShape | null;
  readonly #workers: () => readonly HeldBack[];
  #timer: NodeJS.Timeout | null = null;

  constructor(mouth: () => RedisShape | null, workers: () => readonly HeldBack[]) {
    this.#mouth = mouth;
    this.#workers = workers;
  }

  /** Asks until no worker is held back any more. */
  watch(): void {
    if (this.#timer) return;
    this.#timer = setTimeout(() => void this.#ask(), PROBE_EVERY_MS * (0.5 + Math.random()));
    this.#timer.unref();
  }

  stop(): void {
    if (this.#timer) clearTimeout(this.#timer);
  }

  async #ask(): Promise<void> {
    const held = this.#workers().filter((worker) => worker.isBlocked);
    const queues = [...new Set(held.map((worker) => worker.queueId))];
    const mouth = this.#mouth();
    // In a Cluster queues lie on several nodes; elsewhere one answer holds for all.
    const asked = mouth?.isCluster ? queues : queues.slice(0, 1);
    const open = mouth ? await Promise.all(asked.map((queueId) => takesWrites(mouth, queueId))) : [];
    for (const worker of held) {
      const i = mouth?.isCluster ? asked.indexOf(worker.queueId) : 0;
      if (open[i]) setTimeout(() => worker.relieved(), Math.random() * SPREAD_MS).unref();
    }
    this.#timer = null;
    if (held.length > 0) this.watch();
  }
}

async function takesWrites(mouth: RedisShape, queueId: string): Promise<boolean> {
  try {
    await mouth.setrange(`${queueId}:spillway:probe`, 0, '');
    return true;
  } catch (error) {
    // What can't be asked (ACL, no answer) is tried: at worst the worker is refused again.
    return !(error instanceof Error && /OOM|timed out|closed|writeable/i.test(error.message));
  }
}
