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
