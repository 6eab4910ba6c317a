import { performance } from 'node:perf_hooks';

/** Longer than this nothing else of the console waits for one piece of work: a page, an alert that has to go out. */
const MAX_MS = 5;

/** Cuts long work into turns of the event loop: SQLite and zlib answer at once, so that `await` alone lets nobody in. */
export class Turns {
  #sinceMs = performance.now();

  /** To be awaited between two pieces of work; lets others in where this turn has lasted long enough. */
  async next(): Promise<void> {
    if (performance.now() - this.#sinceMs < MAX_MS) return;
    await new Promise((resolve) => setImmediate(resolve));
    this.#sinceMs = performance.now();
  }

  /** Takes the steps of a generator one after the other, and lets others in between them. @returns what it returns. */
  async through<T>(steps: Iterator<unknown, T>): Promise<T> {
    for (;;) {
      const { done, value } = steps.next();
      if (done) return value;
      await this.next();
    }
  }
}
