import type { Worker } from 'bullmq';

/** What a drill's child processes report to their parent: every job id leaves Redis's world here, so that none can get lost unseen. */
export type ChildSays =
  | { readonly kind: 'ready' | 'ended' }
  | {
      readonly kind: 'accepted' | 'refused' | 'completed';
      readonly queue: string;
      readonly ids: readonly string[];
    }
  /** From the adding of jobs to their end (latencies) or to their start (waits). */
  | { readonly kind: 'latencies' | 'waits'; readonly queue: string; readonly ms: readonly number[] }
  /** Jobs of one type that failed for good, and when the first of them did. */
  | {
      readonly kind: 'failed';
      readonly queue: string;
      readonly jobName: string;
      readonly ids: readonly string[];
      readonly atMs: number;
    }
  /** `error` events of workers since the last report. */
  | { readonly kind: 'errors'; readonly count: number };

/** The parent asks a child to finish what it has in hand and end. */
export const STOP = 'stop';

const SAY_EVERY_MS = 200;

/** The plan that the parent gave at start, as JSON in the first argument, and the port of Redis. */
export function readPlan<Plan>(): Plan & { readonly redisPort: number } {
  return JSON.parse(process.argv[2] ?? '{}');
}

export function say(message: ChildSays): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}

/**
 * Ends this process when the parent asks, once `finish` is through; at once when the parent is gone.
 * Ctrl-C reaches the whole process group: the parent decides what it means, so it is not heard here.
 */
export function endWithParent(finish: () => Promise<void>): void {
  process.on('SIGINT', () => undefined);
  process.on('disconnect', () => process.exit(0));
  process.on('message', (message) => {
    if (message === STOP)
      void finish().finally(() => process.send?.({ kind: 'ended' }, () => process.exit(0)));
  });
}

/** What a process of workers has seen since it last said so; said a few times a second. */
export class ChildReport {
  readonly #ids = new Map<string, { readonly kind: 'accepted' | 'completed'; readonly ids: string[] }>();
  readonly #failed = new Map<string, { readonly ids: string[]; readonly atMs: number }>();
  readonly #times = new Map<string, { readonly kind: 'latencies' | 'waits'; readonly ms: number[] }>();
  #errors = 0;

  constructor() {
    setInterval(() => this.flush(), SAY_EVERY_MS);
  }

  ids(kind: 'accepted' | 'completed', queue: string, ids: readonly string[]): void {
    entryOf(this.#ids, `${kind} ${queue}`, { kind, ids: [] }).ids.push(...ids);
  }

  /** From the adding of a job to its start or, as a latency, to its end. */
  time(kind: 'latencies' | 'waits', queue: string, ms: number): void {
    entryOf(this.#times, `${kind} ${queue}`, { kind, ms: [] }).ms.push(ms);
  }

  /** Says of a worker what it completes and fails, how long that took, and its errors. */
  follow(worker: Worker): void {
    const queue = worker.name;
    worker.on('completed', (job) => {
      this.ids('completed', queue, [job.id ?? '']);
      this.time('latencies', queue, Date.now() - job.timestamp);
    });
    worker.on('failed', (job) => {
      if (!job) return;
      const of = { ids: [], atMs: job.finishedOn ?? Date.now() };
      entryOf(this.#failed, `${job.name} ${queue}`, of).ids.push(job.id ?? '');
    });
    // Thousands a second while Redis is full: counted, not printed.
    worker.on('error', () => {
      this.#errors += 1;
    });
  }

  flush(): void {
    for (const [key, { kind, ids }] of this.#ids) say({ kind, queue: afterSpace(key), ids });
    for (const [key, { ids, atMs }] of this.#failed)
      say({ kind: 'failed', queue: afterSpace(key), jobName: key.split(' ')[0] ?? '', ids, atMs });
    for (const [key, { kind, ms }] of this.#times) say({ kind, queue: afterSpace(key), ms });
    if (this.#errors > 0) say({ kind: 'errors', count: this.#errors });
    for (const all of [this.#ids, this.#failed, this.#times]) all.clear();
    this.#errors = 0;
  }
}

/** Ids and names of drills have no spaces. */
function afterSpace(key: string): string {
  return key.slice(key.indexOf(' ') + 1);
}

function entryOf<Value>(map: Map<string, Value>, key: string, fresh: Value): Value {
  const entry = map.get(key) ?? fresh;
  map.set(key, entry);
  return entry;
}
