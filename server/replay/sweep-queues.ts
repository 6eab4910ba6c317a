import type { RedisClient } from '../redis/connect.js';
import { readCandidates } from './read-candidates.js';
import { readWindow, type Sweep, type WindowEntry } from './read-window.js';
import { isOnlyTime, matchesFilter, type ReplayFilter } from './replay-filter.js';
import type { Cursor, ReplayRecord } from './replay-record.js';

/** Between two windows that are only looked into, so that a search leaves Redis to others. */
const BETWEEN_WINDOWS_MS = 4;

/** What is swept of one queue by a replay. */
export function sweepOf(record: Pick<ReplayRecord, 'spec' | 'cutoffMs'>, queueId: string): Sweep {
  const { from, filter, order } = record.spec;
  return {
    key: `${queueId}:${from}`,
    fromMs: filter.fromMs ?? 0,
    toMs: Math.min(filter.toMs ?? record.cutoffMs, record.cutoffMs),
    isNewestFirst: order === 'newest',
  };
}

/** Matching jobs of a window; those that don't match are left out. */
export async function matchingIn(
  client: RedisClient,
  queueId: string,
  entries: readonly WindowEntry[],
  filter: ReplayFilter,
): Promise<readonly WindowEntry[]> {
  if (isOnlyTime(filter)) return entries;
  const facts = await readCandidates(
    client,
    queueId,
    entries.map(({ id }) => id),
    filter,
  );
  return entries.filter((_, i) => {
    const job = facts[i];
    return job !== undefined && matchesFilter(filter, job);
  });
}

/**
 * The matching jobs of several queues in order of time: exactly within a queue, among queues to within a batch, as a
 * batch is of one queue.
 */
export class QueueSweep {
  readonly #record: Pick<ReplayRecord, 'spec' | 'cutoffMs' | 'queues'>;
  readonly #found = new Map<string, WindowEntry[]>();
  readonly #cursors = new Map<string, Cursor>();
  readonly #ended = new Set<string>();
  readonly #shouldStop: () => boolean;

  /** @param cursors where to go on, by queue. @param shouldStop asked between reads: a long search ends early then. */
  constructor(
    record: Pick<ReplayRecord, 'spec' | 'cutoffMs' | 'queues'>,
    cursors: Readonly<Record<string, Cursor>>,
    shouldStop: () => boolean,
  ) {
    this.#record = record;
    this.#shouldStop = shouldStop;
    for (const [queue, cursor] of Object.entries(cursors)) this.#cursors.set(queue, cursor);
  }

  /** The next matching jobs, all of one queue; null at the end of all queues, or when it was stopped. */
  async next(
    client: RedisClient,
    most: number,
  ): Promise<{ readonly queue: string; readonly jobs: readonly WindowEntry[] } | null> {
    const { spec, queues } = this.#record;
    let head: { queue: string; atMs: number } | null = null;
    for (const queue of queues) {
      const [first] = await this.#fill(client, queue);
      if (this.#shouldStop()) return null;
      if (!first) continue;
      const atMs = Number(first.score) * (spec.order === 'newest' ? -1 : 1);
      if (head === null || atMs < head.atMs) head = { queue, atMs };
    }
    if (head === null) return null;
    return { queue: head.queue, jobs: this.#found.get(head.queue)?.splice(0, most) ?? [] };
  }

  async #fill(client: RedisClient, queue: string): Promise<readonly WindowEntry[]> {
    const found = this.#found.get(queue) ?? [];
    this.#found.set(queue, found);
    const sweep = sweepOf(this.#record, queue);
    while (found.length === 0 && !this.#ended.has(queue) && !this.#shouldStop()) {
      const entries = await readWindow(client, sweep, this.#cursors.get(queue) ?? null);
      const last = entries.at(-1);
      if (!last) {
        this.#ended.add(queue);
        break;
      }
      found.push(...(await matchingIn(client, queue, entries, this.#record.spec.filter)));
      this.#cursors.set(queue, { score: last.score, id: last.id });
      if (found.length === 0) await new Promise((resolve) => setTimeout(resolve, BETWEEN_WINDOWS_MS));
    }
    return found;
  }
}
