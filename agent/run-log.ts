import { type Containment, isThenable } from './contain.js';
import { jobTypeOf } from './job-type-of.js';
import { JobTypes } from './job-types.js';
import { MAX_RUNNING_NAMED, MAX_TYPES_A_BEAT, type RunningJob, type WorkerBeat } from './protocol.js';
import { type AttachableWorker, insideOf, type ShapeOfJob } from './worker-shape.js';

/** What a processor's rejection means: BullMQ's own ways to put a job back are no failures. */
const PUT_BACK = new Set(['DelayedError', 'WaitingError', 'WaitingChildrenError', 'RateLimitError']);

function isPutBack(error: unknown): boolean {
  return error instanceof Error && (PUT_BACK.has(error.name) || error.message === 'bullmq:rateLimitExceeded');
}

export type ErrorKind = 'oom' | 'connection' | 'lock' | 'other';

/** What kind of `error` event it was, by the words of Redis, ioredis and BullMQ. */
export function errorKindOf(error: unknown): ErrorKind {
  const text = error instanceof Error ? `${error.name} ${error.message}` : String(error);
  if (/\bOOM\b/.test(text)) return 'oom';
  if (/\block\b/i.test(text)) return 'lock';
  if (/ECONN|ETIMEDOUT|EPIPE|ENOTFOUND|Connection is closed|READONLY|LOADING|CLUSTERDOWN/.test(text))
    return 'connection';
  return 'other';
}

/** An id that is longer is not sent: the console looks at no such job. */
const MAX_JOB_ID_CHARS = 1_000;

type BeatPart = Pick<WorkerBeat, 'running' | 'oldest' | 'lastStartedAtMs' | 'lastFinishedAtMs' | 'types'>;

interface Run {
  jobId: string;
  type: string;
  /** By performance.now(): one look at a clock a start and a finish; wall-clock time is worked out once a beat. */
  readonly from: number;
}

/**
 * What a worker runs and has run, seen from around its processor: that is balanced (each start has an end) also where
 * BullMQ emits neither `completed` nor `failed`, as for a job whose lock was lost.
 */
export class RunLog {
  readonly #worker: AttachableWorker;
  readonly #contain: Containment;
  readonly #types = new JobTypes();
  readonly #running = new Set<Run>();
  #lastStart: number | null = null;
  #lastEnd: number | null = null;

  constructor(worker: AttachableWorker, contain: Containment) {
    this.#worker = worker;
    this.#contain = contain;
  }

  /** Jobs started so far. */
  started = 0;

  get running(): number {
    return this.#running.size;
  }

  /** Stands around the processor; returns the way back. Without a processor jobs are taken by hand, and runs are not seen. */
  begin(): () => void {
    const inside = insideOf(this.#worker);
    const original = inside.processFn;
    if (typeof original !== 'function') return () => undefined;
    const own: typeof original = (job, token, signal) => {
      const run = this.#start(job);
      let result: unknown;
      try {
        result = original.call(this.#worker, job, token, signal);
      } catch (error) {
        this.#end(run, 'failed', error);
        throw error;
      }
      if (!isThenable(result)) {
        this.#end(run, 'completed', null);
        return result;
      }
      // A query begins anew each time it is waited for: BullMQ is given what is waited for here.
      const settled = result instanceof Promise ? result : Promise.resolve(result);
      settled.then(
        () => this.#end(run, 'completed', null),
        (error) => this.#end(run, 'failed', error),
      );
      return settled;
    };
    // Some versions of BullMQ look at it to see whether the processor takes a signal.
    Object.defineProperty(own, 'length', { value: original.length });
    inside.processFn = own;
    return () => {
      if (inside.processFn === own) inside.processFn = original;
    };
  }

  /** When one started and ended last, and when the one that runs longest began; by performance.now(). null: none. */
  get times(): {
    readonly startedAt: number | null;
    readonly endedAt: number | null;
    readonly oldestAt: number | null;
  } {
    const [oldest] = this.#running;
    return { startedAt: this.#lastStart, endedAt: this.#lastEnd, oldestAt: oldest?.from ?? null };
  }

  /** For a beat; `giveBack` where it did not arrive, so that the next one reports it again. */
  take(nowMs: number): { readonly part: BeatPart; readonly giveBack: () => void } {
    const steadyMs = performance.now();
    const offsetMs = nowMs - steadyMs;
    const types = this.#types.take(this.#runningTypes(), steadyMs);
    return {
      part: {
        running: this.#running.size,
        oldest: this.#oldest(offsetMs),
        lastStartedAtMs: this.#lastStart === null ? null : Math.round(this.#lastStart + offsetMs),
        lastFinishedAtMs: this.#lastEnd === null ? null : Math.round(this.#lastEnd + offsetMs),
        types: types.types,
      },
      giveBack: () => {
        types.giveBack();
      },
    };
  }

  /** A job of another shape than is known must run all the same: nothing in here or in #end may throw. */
  #start(job: ShapeOfJob): Run {
    const run: Run = { jobId: '', type: '', from: performance.now() };
    this.#running.add(run);
    this.#lastStart = run.from;
    this.started += 1;
    try {
      run.jobId = job.id ?? '';
      run.type = jobTypeOf(job.name);
      // A retry has waited since its first try failed, which nothing shows.
      if ((job.attemptsStarted ?? 1) <= 1 && job.timestamp !== undefined && job.processedOn !== undefined) {
        this.#types.started(run.type, job.processedOn - job.timestamp - (job.delay ?? 0));
      }
    } catch (error) {
      this.#contain.failed('seeing a job start', error);
    }
    return run;
  }

  #end(run: Run, outcome: 'completed' | 'failed', error: unknown): void {
    this.#running.delete(run);
    this.#lastEnd = performance.now();
    try {
      if (outcome === 'failed' && isPutBack(error)) return;
      this.#types.finished(run.type, outcome, this.#lastEnd - run.from, this.#lastEnd, error);
    } catch (failure) {
      this.#contain.failed('seeing a job end', failure);
    }
  }

  #runningTypes(): ReadonlySet<string> {
    const types = new Set<string>();
    for (const { type } of this.#running) if (types.size < MAX_TYPES_A_BEAT) types.add(type);
    return types;
  }

  /** Longest running first: a Set keeps the order of starting. */
  #oldest(offsetMs: number): readonly RunningJob[] {
    const oldest: RunningJob[] = [];
    for (const { jobId, type, from } of this.#running) {
      if (oldest.length >= MAX_RUNNING_NAMED) break;
      if (jobId.length <= MAX_JOB_ID_CHARS)
        oldest.push({ jobId, type, startedAtMs: Math.round(from + offsetMs) });
    }
    return oldest;
  }
}
