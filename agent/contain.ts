/** Reports to the worker's owner what keeps the agent from its work. Never throws. */
export type Report = (problem: string) => void;

/** `onProblem` as the owner gave it: what it throws or rejects with is its own, and there is nobody left to report it to. */
export function safeReport(onProblem: (problem: string) => unknown): Report {
  return (problem) => {
    try {
      const result = onProblem(problem);
      if (isThenable(result)) Promise.resolve(result).catch(() => undefined);
    } catch {
      // See above.
    }
  };
}

/**
 * What stands at each way into the agent: every timer, listener and promise goes through here. What is thrown behind it, at
 * once or later, ends here and is reported, once for each way in, so that the worker's process goes on whatever happens.
 */
export class Containment {
  readonly #report: Report;
  readonly #reported = new Set<string>();

  constructor(report: Report) {
    this.#report = report;
  }

  /** Runs it, and looks after the promise that it may return. @param what of the agent it is, for people. */
  run(what: string, body: () => unknown): void {
    try {
      const result = body();
      if (isThenable(result)) Promise.resolve(result).catch((error: unknown) => this.failed(what, error));
    } catch (error) {
      this.failed(what, error);
    }
  }

  /** The same as a listener. */
  listener<Args extends readonly unknown[]>(
    what: string,
    body: (...args: Args) => unknown,
  ): (...args: Args) => void {
    return (...args) => this.run(what, () => body(...args));
  }

  /** Runs it later, by a timer that keeps no process alive. */
  after(ms: number, what: string, body: () => unknown): NodeJS.Timeout {
    return setTimeout(() => this.run(what, body), ms).unref();
  }

  /** What comes of it; `otherwise` where it throws. */
  value<T, U>(what: string, body: () => T, otherwise: U): T | U {
    try {
      return body();
    } catch (error) {
      this.failed(what, error);
      return otherwise;
    }
  }

  failed(what: string, error: unknown): void {
    if (this.#reported.has(what)) return;
    this.#reported.add(what);
    this.#report(`spillway-agent: ${what} failed (${messageOf(error)}); the worker works on`);
  }
}

/** What an error says; never throws, whatever was thrown. */
export function messageOf(error: unknown): string {
  try {
    return (error instanceof Error ? error.message : String(error)).slice(0, 300);
  } catch {
    return 'what it says can not be read';
  }
}

/** Never throws, whatever it is given. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  try {
    return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
  } catch {
    return false;
  }
}

/** @throws Error when it has not come within `ms`; what comes of it later is nobody's business any more. */
export async function within<T>(ms: number, what: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it did not come within ${ms} ms`)), ms).unref();
  });
  try {
    return await Promise.race([what, late]);
  } finally {
    clearTimeout(timer);
  }
}
