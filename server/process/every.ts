/**
 * The process: its loops, its log, and what becomes of errors that nobody caught. It imports the model. Begin here, with the
 * one way to do something again and again; own-health.ts gathers what fails.
 */

import { performance } from 'node:perf_hooks';

/** Longer than this nothing else of the console waits for one piece of work: a page, an alert that has to go out. */
const MAX_MS = 5;

/** Cuts long work into turns of the event loop: SQLite and zlib answer at once, so that `await` alone lets nobody in. */
export class Yielder {
  #sinceMs = performance.now();

  /** To be awaited between two pieces of work; lets others in where this turn has lasted long enough. */
  async yieldToEventLoop(): Promise<void> {
    if (performance.now() - this.#sinceMs < MAX_MS) return;
    await new Promise((resolve) => setImmediate(resolve));
    this.#sinceMs = performance.now();
  }

  /** Takes the steps of a generator one after the other, and lets others in between them. @returns what it returns. */
  async through<T>(steps: Iterator<unknown, T>): Promise<T> {
    for (;;) {
      const { done, value } = steps.next();
      if (done) return value;
      await this.yieldToEventLoop();
    }
  }
}

/** How work that is done again and again, or goes on by itself, does. Times by the clock that people see. */
export interface WorkHealth {
  readonly lastSuccessAtMs: number | null;
  /** Failures since the last success. */
  readonly failuresInRow: number;
  /** When the first of them was; null: it does not fail. */
  readonly failingSinceMs: number | null;
  /** Why the last one failed; null: it does not fail. */
  readonly problem: string | null;
  /** How far behind its time it is: the next run is overdue, or the one under way does not come back. 0: on time. */
  readonly lateMs: number;
}

/** One piece of work that is done every so often. */
export interface Loop {
  /** Begins; the first run is after one period, or after `inMs`. */
  start(inMs?: number): void;
  /** A run now; the one that is under way where there is one: never two at once. Never rejects. */
  run(): Promise<void>;
  /** The next run at once; where one is under way, another follows it at once. */
  soon(): void;
  health(): WorkHealth;
  /** No more runs; resolves once the one under way has ended. */
  stop(): Promise<void>;
}

/** However long a run takes, others get their turn before the next. */
const LEAST_GAP_MS = 10;
const MAX_PROBLEM_CHARS = 300;

/** Success and failure of some work, as they come. */
export class WorkRecord {
  #health: WorkHealth = {
    lastSuccessAtMs: null,
    failuresInRow: 0,
    failingSinceMs: null,
    problem: null,
    lateMs: 0,
  };

  get health(): WorkHealth {
    return this.#health;
  }

  succeeded(nowMs: number): void {
    this.#health = {
      lastSuccessAtMs: nowMs,
      failuresInRow: 0,
      failingSinceMs: null,
      problem: null,
      lateMs: 0,
    };
  }

  /** @returns failures in a row, with this one. */
  failed(error: unknown, nowMs: number): number {
    const { failuresInRow, failingSinceMs } = this.#health;
    this.#health = {
      ...this.#health,
      failuresInRow: failuresInRow + 1,
      failingSinceMs: failingSinceMs ?? nowMs,
      problem: reasonOf(error),
    };
    return failuresInRow + 1;
  }
}

/**
 * Work that is done every `ms` from start to start: one run at a time, so that nothing piles up behind one that is slow;
 * a run that throws costs that run only.
 * @param ms a function is asked anew after each run.
 * @param onProblem called with the first failure of a row, and then of the 10th, the 100th and so on: for a log.
 */
export function every(
  ms: number | (() => number),
  run: () => unknown,
  onProblem: (error: unknown, failuresInRow: number) => void,
): Loop {
  const periodMs = typeof ms === 'number' ? () => ms : ms;
  const record = new WorkRecord();
  let timer: NodeJS.Timeout | null = null;
  let dueAtMs: number | null = null;
  let underWay: Promise<void> | null = null;
  let isWantedSoon = false;

  const runOnce = async (): Promise<void> => {
    try {
      await run();
      record.succeeded(Date.now());
    } catch (error) {
      const failures = record.failed(error, Date.now());
      if (isPowerOfTen(failures)) onProblem(error, failures);
    }
  };
  const loop: Loop = {
    start(inMs = periodMs()) {
      if (timer) return;
      plan(inMs);
    },
    run() {
      underWay ??= runOnce().finally(() => {
        underWay = null;
      });
      return underWay;
    },
    soon() {
      if (!timer) return;
      if (underWay) isWantedSoon = true;
      else {
        clearTimeout(timer);
        plan(0);
      }
    },
    health() {
      const lateMs = dueAtMs === null ? 0 : Math.max(0, performance.now() - dueAtMs);
      return { ...record.health, lateMs };
    },
    async stop() {
      if (timer) clearTimeout(timer);
      timer = null;
      dueAtMs = null;
      await underWay;
    },
  };
  const plan = (inMs: number): void => {
    dueAtMs = performance.now() + inMs;
    const mine = setTimeout(async () => {
      const startedAtMs = performance.now();
      isWantedSoon = false;
      await loop.run();
      // Stopped, or begun anew, while it was under way.
      if (timer !== mine) return;
      const leftMs = isWantedSoon ? 0 : periodMs() - (performance.now() - startedAtMs);
      plan(Math.max(LEAST_GAP_MS, leftMs));
    }, inMs);
    mine.unref();
    timer = mine;
  };
  return loop;
}

/** One line of what went wrong: some clients put what they were asked in front of it, as the error that it caused. */
export function reasonOf(error: unknown): string {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return (inner instanceof Error ? inner.message : String(inner)).slice(0, MAX_PROBLEM_CHARS);
}

export function isPowerOfTen(count: number): boolean {
  return Number.isInteger(Math.log10(count));
}

/** Runs the works of one name one after the other, those of others beside them. Passes on what the work gives or throws. */
export function oneAtATime(): <T>(name: string, work: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>();
  return async (name, work) => {
    const mine = (last.get(name) ?? Promise.resolve()).then(work);
    const done = mine.catch(() => undefined);
    last.set(name, done);
    try {
      return await mine;
    } finally {
      if (last.get(name) === done) last.delete(name);
    }
  };
}
