import type { QueueReading } from '../redis/queue-reading.js';

/** When the jobs at the head of a queue were added: one is asked for at a time, in the next tick's pipeline, so that it takes no second round trip. */
export class HeadAges {
  #heads: readonly string[] = [];
  readonly #addedAtMs = new Map<string, number>();
  #last: number | null = null;
  /** The job whose age is to be asked for; null: all are known. */
  askAgeOf: string | null = null;

  take({ age, headJobIds }: Pick<QueueReading, 'age' | 'headJobIds'>): void {
    if (age) {
      this.#last = age.timestampMs + age.delayMs;
      this.#addedAtMs.set(age.jobId, this.#last);
    }
    this.#heads = headJobIds;
    for (const known of this.#addedAtMs.keys())
      if (!headJobIds.includes(known)) this.#addedAtMs.delete(known);
    this.askAgeOf = headJobIds.find((jobId) => !this.#addedAtMs.has(jobId)) ?? null;
  }

  /** Of those at the head, or where none of them is known yet, of the last that was asked for; null: none ever was. */
  get oldestAddedAtMs(): number | null {
    const ages = this.#heads.flatMap((jobId) => this.#addedAtMs.get(jobId) ?? []);
    // While jobs leave, the head is another one at every tick: the age of the last one asked for is close.
    return ages.length > 0 ? Math.min(...ages) : this.#last;
  }
}
