/** Names of queues beyond the limit that are kept, and how long they may be: others are as if never met. */
const MAX_KEPT = 100_000;
const MAX_NAME = 300;
/** Looks for a queue to give up, of one that has workers and found no place. */
const MAX_LOOKS = 200;

interface Idle {
  readonly isIdle: boolean;
}

/** Which queues are watched where a Redis has more than can be, and which are not. */
export class QueueLimit<Queue extends Idle> {
  readonly #most: number;
  readonly #watched: Map<string, Queue>;
  readonly #beyond = new Set<string>();

  constructor(watched: Map<string, Queue>, most: number) {
    this.#watched = watched;
    this.#most = most;
  }

  /** Queues that are known of and not watched. */
  get beyond(): number {
    return this.#beyond.size;
  }

  /** Is it a queue, watched or not? Its keys are no application's. */
  has(id: string): boolean {
    return this.#watched.has(id) || this.#beyond.has(id);
  }

  /**
   * May it be watched? Where there is no room, one with workers takes the place of one that holds nothing and has none: a
   * queue that somebody works on is real, however many were left behind.
   */
  admit(id: string, hasWorkers: boolean): boolean {
    const isRoom = this.#watched.size < this.#most || (hasWorkers && this.#giveUpIdle());
    if (isRoom) this.#beyond.delete(id);
    else if (this.#beyond.size < MAX_KEPT && id.length <= MAX_NAME) this.#beyond.add(id);
    return isRoom;
  }

  /** Those for which there is room by now, as watched ones are gone. */
  takeWaiting(): readonly string[] {
    return [...this.#beyond].slice(0, Math.max(0, this.#most - this.#watched.size));
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
