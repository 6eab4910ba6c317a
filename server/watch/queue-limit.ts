import type { DiscoveryState, LongNames } from '../model/snapshot.js';
import { ownText } from '../model/text.js';
import type { Discovery } from '../redis/discover.js';
import { digestOf, MAX_QUEUE_ID_CHARS } from '../redis/queue-keys.js';

/** How far the walks over all keys have come: as far as the one that is furthest behind. */
export function discoveryStateOf(walks: readonly Discovery[]): DiscoveryState {
  const passes = walks.map((walk) => walk.lastPassAtMs);
  return {
    lastPassAtMs:
      passes.length === 0 || passes.includes(null) ? null : Math.min(...passes.flatMap((at) => at ?? [])),
    passDurationMs: walks.length === 0 ? null : Math.max(...walks.map((walk) => walk.passDurationMs ?? 0)),
    keys: walks.reduce((total, walk) => total + walk.keys, 0),
  };
}

/** Names of queues beyond the limit that are kept: others are as if never met. */
const MAX_KEPT = 100_000;
/** Looks for a queue to give up, of one that has workers and found no place. */
const MAX_LOOKS = 200;
/** Queues whose names are too long: what is kept of each is a digest and the beginning of its name. */
const MAX_LONG = 10_000;
const SHOWN_CHARS = 60;
/** The walk over all keys meets each that is still there within this. */
const LONG_FOR_MS = 30 * 60_000;

interface Idle {
  readonly isIdle: boolean;
}

/** Which queues are watched where a Redis has more than can be, and which are not. */
export class QueueLimit<Queue extends Idle> {
  readonly #most: number;
  readonly #watched: Map<string, Queue>;
  readonly #beyond = new Set<string>();
  /** By digest. */
  readonly #long = new Map<string, { readonly start: string; metAtMs: number }>();
  readonly #now: () => number;

  constructor(watched: Map<string, Queue>, most: number, now: () => number) {
    this.#watched = watched;
    this.#most = most;
    this.#now = now;
  }

  /** Queues that are known of and not watched. */
  get beyond(): number {
    return this.#beyond.size;
  }

  /** null: none was met lately. */
  get longNames(): LongNames | null {
    const sinceMs = this.#now() - LONG_FOR_MS;
    for (const [digest, { metAtMs }] of this.#long) if (metAtMs < sinceMs) this.#long.delete(digest);
    const [first] = this.#long.values();
    return first ? { queues: this.#long.size, example: first.start } : null;
  }

  /** Is it a queue, watched or not? Its keys are no application's. */
  has(id: string): boolean {
    if (id.length > MAX_QUEUE_ID_CHARS) return this.#hasLong(id);
    return this.#watched.has(id) || this.#beyond.has(id);
  }

  /**
   * May it be watched? Where there is no room, one with workers takes the place of one that holds nothing and has none: a
   * queue that somebody works on is real, however many were left behind. One whose name is too long never may.
   */
  admit(id: string, hasWorkers: boolean): boolean {
    if (id.length > MAX_QUEUE_ID_CHARS) {
      if (!this.#hasLong(id) && this.#long.size < MAX_LONG)
        this.#long.set(digestOf(id), { start: ownText(id, SHOWN_CHARS), metAtMs: this.#now() });
      return false;
    }
    const isRoom = this.#watched.size < this.#most || (hasWorkers && this.#giveUpIdle());
    if (isRoom) this.#beyond.delete(id);
    else if (this.#beyond.size < MAX_KEPT) this.#beyond.add(id);
    return isRoom;
  }

  /** Those for which there is room by now, as watched ones are gone. */
  takeWaiting(): readonly string[] {
    return [...this.#beyond].slice(0, Math.max(0, this.#most - this.#watched.size));
  }

  #hasLong(id: string): boolean {
    const known = this.#long.size > 0 ? this.#long.get(digestOf(id)) : undefined;
    if (known) known.metAtMs = this.#now();
    return known !== undefined;
  }

  #giveUpIdle(): boolean {
    let looks = 0;
    for (const [id, queue] of this.#watched) {
      if (queue.isIdle) {
        this.#watched.delete(id);
        if (this.#beyond.size < MAX_KEPT) this.#beyond.add(id);
        return true;
      }
      looks += 1;
      if (looks >= MAX_LOOKS) return false;
    }
    return false;
  }
}
