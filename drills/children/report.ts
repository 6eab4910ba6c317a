import type { Worker } from 'bullmq';
import { endWithParent, say } from './talk.js';

const SAY_EVERY_MS = 200;

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

/**
 * Says that this process is ready once its workers are, and lets them finish what they have in hand when the parent asks.
 * @param closeWithinMs what is given to that
 * @param onEnd is called first, so that what waits for a timer need not
 */
export async function runWorkers(
  workers: readonly Worker[],
  closeWithinMs: number,
  report: ChildReport | null,
  onEnd: () => void = () => undefined,
): Promise<void> {
  endWithParent(async () => {
    const closing = Promise.all(workers.map((worker) => worker.close()));
    onEnd();
    const late = new Promise((resolve) => setTimeout(resolve, closeWithinMs));
    await Promise.race([closing.catch(() => undefined), late]);
    report?.flush();
  });
  await Promise.all(workers.map((worker) => worker.waitUntilReady()));
  say({ kind: 'ready' });
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
