/** A read that was given up for taking too long. */
export class ReadTimeout extends Error {}

/** A race against the clock whose timer does not outlive it. */
export class Timeout {
  readonly promise: Promise<never>;
  #timer: NodeJS.Timeout | undefined;

  constructor(afterMs: number) {
    this.promise = new Promise((_, reject) => {
      this.#timer = setTimeout(
        () => reject(new ReadTimeout(`the read timed out after ${afterMs} ms`)),
        afterMs,
      );
    });
  }

  clear(): void {
    clearTimeout(this.#timer);
  }
}
