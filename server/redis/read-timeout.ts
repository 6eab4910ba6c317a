/** A read that was given up for taking too long. */
export class ReadTimeout extends Error {}

/** The clock is looked at so often. */
const STEP_MS = 100;

/**
 * A race against the clock whose timer does not outlive it. Counted in steps of its own event loop and not by the wall: a
 * console that was held up for longer than `afterMs` finds the time over before it has read what came meanwhile, and
 * would call a late look no answer.
 */
export class Timeout {
  readonly promise: Promise<never>;
  #timer: NodeJS.Timeout | undefined;

  constructor(afterMs: number) {
    let stepsLeft = Math.ceil(afterMs / STEP_MS);
    this.promise = new Promise((_, reject) => {
      this.#timer = setInterval(() => {
        stepsLeft -= 1;
        if (stepsLeft > 0) return;
        this.clear();
        reject(new ReadTimeout(`the read timed out after ${afterMs} ms`));
      }, STEP_MS);
    });
  }

  clear(): void {
    clearInterval(this.#timer);
  }
}
