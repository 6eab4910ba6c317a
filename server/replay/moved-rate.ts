/**
 * Jobs that replays and restores have put into each queue since the console began. BullMQ's counter of added jobs does not
 * move by them, so whoever works out departures from arrivals has to add them.
 */
export class MovedJobs {
  readonly #moved = new Map<string, number>();

  note(instance: string, queueId: string, jobs: number): void {
    this.#moved.set(`${instance}/${queueId}`, this.to(instance, queueId) + jobs);
  }

  to(instance: string, queueId: string): number {
    return this.#moved.get(`${instance}/${queueId}`) ?? 0;
  }
}
const WINDOW_MS = 5_000;

/** How many jobs a second a replay has moved, over the last seconds. */
export class MovedRate {
  readonly #points: { readonly atMs: number; readonly moved: number }[] = [];

  note(atMs: number, moved: number): void {
    this.#points.push({ atMs, moved });
    while (this.#points.length > 2 && (this.#points[1]?.atMs ?? 0) < atMs - WINDOW_MS) this.#points.shift();
  }

  /** 0 until two looks are known. */
  get perSecond(): number {
    const first = this.#points[0];
    const last = this.#points.at(-1);
    if (!first || !last || last.atMs <= first.atMs) return 0;
    return Math.max(0, ((last.moved - first.moved) / (last.atMs - first.atMs)) * 1000);
  }
}
