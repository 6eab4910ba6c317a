import type { QueueReading } from '../redis/queue-reading.js';

/** When the jobs at the head of a queue were added: one is asked for at a time, in the next tick's pipeline, so that it takes no second round trip. */
export class HeadAges {
  /** Of those that are known; a handful at most. */
  #ages: readonly { readonly jobId: string; readonly addedAtMs: number }[] = [];
  #last: number | null = null;
  /** The job whose age is to be asked for; null: all are known. */
  askAgeOf: string | null = null;

  take({ age, headJobIds }: Pick<QueueReading, 'age' | 'headJobIds'>): void {
    if (age) {
      this.#last = age.timestampMs + age.delayMs;
      this.#ages = [
        ...this.#ages.filter(({ jobId }) => jobId !== age.jobId),
        { jobId: age.jobId, addedAtMs: this.#last },
      ];
    }
    if (!this.#ages.every(({ jobId }) => headJobIds.includes(jobId)))
      this.#ages = this.#ages.filter(({ jobId }) => headJobIds.includes(jobId));
    this.askAgeOf = headJobIds.find((id) => !this.#ages.some(({ jobId }) => jobId === id)) ?? null;
  }

  /** Of those at the head, or where none of them is known yet, of the last that was asked for; null: none ever was. */
  get oldestAddedAtMs(): number | null {
    // While jobs leave, the head is another one at every tick: the age of the last one asked for is close.
    return this.#ages.length > 0 ? Math.min(...this.#ages.map(({ addedAtMs }) => addedAtMs)) : this.#last;
  }
}
