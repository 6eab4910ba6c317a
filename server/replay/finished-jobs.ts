import type { Redactor } from '../model/redact.js';
import type { Cursor, DryRun, ReplayBatch } from '../model/replay.js';
import type { ReplayFilter } from '../model/replay-spec.js';
import { isOnlyTime, matchesFilter } from '../model/replay-spec.js';
import type { RedisClient } from '../redis/connect.js';
import { runForced } from '../redis/forced-script.js';
import {
  addToGroup,
  errorGroup,
  type JobSelection,
  type JobSource,
  type JobWalk,
  largestGroups,
  MAX_LOOK_MS,
  MAX_LOOKED_AT,
  MAX_SAMPLES,
} from './job-source.js';
import { countRange, readCandidates, readOutcomes, readWindow, type Sweep } from './read-finished.js';
import { type CallCost, costAfter, jobsACall } from './replay-pace.js';

/** Jobs that a search for matching ones takes at a time. */
const MAX_A_STEP = 1_000;
const KEYS = ['meta', 'active', 'wait', 'paused', 'prioritized', 'pc', 'marker', 'events'] as const;

/** Failed or completed jobs in Redis, as the source of a replay. */
export class FinishedJobs implements JobSource {
  readonly #selection: JobSelection;
  readonly #from: 'failed' | 'completed';
  readonly #canFlagScripts: () => boolean;
  readonly #redactor: Redactor | null;
  #cost: CallCost | null = null;

  constructor(
    selection: JobSelection,
    from: 'failed' | 'completed',
    canFlagScripts: () => boolean,
    redactor: Redactor | null,
  ) {
    this.#selection = selection;
    this.#from = from;
    this.#canFlagScripts = canFlagScripts;
    this.#redactor = redactor;
  }

  /** By Redis' own count where only the time is asked for, else each is looked into. */
  async count(client: RedisClient, shouldStop: () => boolean): Promise<number | null> {
    let matching = 0;
    if (isOnlyTime(this.#selection.spec.filter)) {
      for (const queue of this.#selection.queues)
        matching += await countRange(client, sweepOf(this.#selection, queue));
      return matching;
    }
    const walk = this.walk({}, shouldStop);
    while (true) {
      const found = await walk.next(client, MAX_A_STEP);
      if (shouldStop()) return null;
      if (!found) return matching;
      matching += found.jobs.length;
    }
  }

  walk(cursors: Readonly<Record<string, Cursor>>, shouldStop: () => boolean): JobWalk {
    return new QueueSweep(this.#selection, cursors, shouldStop, this.#redactor);
  }

  async dryRun(connected: () => Promise<RedisClient>, now: () => number): Promise<DryRun> {
    const client = await connected();
    const { queues, spec } = this.#selection;
    const endMs = now() + MAX_LOOK_MS;
    const types = new Map<string, number>();
    const errors = new Map<string, number>();
    const sample: DryRun['sample'][number][] = [];
    let [matched, lookedAt, inRange, isComplete] = [0, 0, 0, true];
    for (const queue of queues) {
      const sweep = sweepOf(this.#selection, queue);
      inRange += await countRange(client, sweep);
      let cursor: Cursor | null = null;
      while (true) {
        const entries = await readWindow(client, sweep, cursor);
        const last = entries.at(-1);
        if (!last) break;
        if (lookedAt >= MAX_LOOKED_AT || now() > endMs) {
          isComplete = false;
          break;
        }
        cursor = { score: last.score, id: last.id };
        lookedAt += entries.length;
        const ids = entries.map(({ id }) => id);
        const hasErrors = this.#from === 'failed';
        const facts = await readCandidates(client, queue, ids, spec.filter, this.#redactor, hasErrors);
        for (const [i, job] of facts.entries()) {
          const entry = entries[i];
          if (!entry || !matchesFilter(spec.filter, job)) continue;
          matched += 1;
          addToGroup(types, job.name);
          if (job.error !== '') addToGroup(errors, errorGroup(job.error));
          if (sample.length < MAX_SAMPLES)
            sample.push({ queue, id: entry.id, name: job.name, finishedAtMs: Number(entry.score) });
        }
      }
    }
    return {
      matched,
      lookedAt,
      inRange,
      isComplete,
      addedBytes: 0,
      byType: largestGroups(types),
      byError: largestGroups(errors),
      sample,
    };
  }

  /** Redis serves nobody else meanwhile: what a job has taken of late says how many go at once (replay-pace.ts). */
  async move(
    client: RedisClient,
    { queue, seq, jobs }: Pick<ReplayBatch, 'queue' | 'seq' | 'jobs'>,
    isLate: boolean,
  ): Promise<string> {
    const some = jobs.slice(0, jobsACall(this.#cost, isLate));
    const { id, spec } = this.#selection;
    const sentAt = performance.now();
    const answer = await runForced(
      client,
      this.#canFlagScripts(),
      'replay-jobs',
      [this.#from, ...KEYS].map((key) => `${queue}:${key}`),
      [`${queue}:`, this.#from, id, spec.resetAttempts ? 1 : 0, seq, ...some.flat()],
    );
    const callUsec = (performance.now() - sentAt) * 1000;
    const [characters = '', heldUsec = 0] = Array.isArray(answer) ? answer : [];
    if (String(characters).length !== some.length) throw new Error(`${characters} for ${some.length} jobs`);
    this.#cost = costAfter(this.#cost, some.length, Number(heldUsec), callUsec);
    return String(characters);
  }

  /** The mark that a moved job carries in Redis is all that is kept of it. */
  async settled(): Promise<void> {}

  outcomes(client: RedisClient, batch: ReplayBatch): Promise<string> {
    return readOutcomes(client, batch, `${batch.replay}:${batch.seq}`);
  }
}

/** Between two windows that are only looked into, so that a search leaves Redis to others. */
const BETWEEN_WINDOWS_MS = 4;

/** What is swept of one queue by a replay. */
function sweepOf(record: JobSelection, queueId: string): Sweep {
  const { from, filter, order } = record.spec;
  return {
    key: `${queueId}:${from}`,
    fromMs: filter.fromMs ?? 0,
    toMs: Math.min(filter.toMs ?? record.cutoffMs, record.cutoffMs),
    isNewestFirst: order === 'newest',
  };
}

/** Matching jobs of a window; those that don't match are left out. */
async function matchingIn(
  client: RedisClient,
  queueId: string,
  entries: readonly Cursor[],
  filter: ReplayFilter,
  redactor: Redactor | null,
): Promise<readonly Cursor[]> {
  if (isOnlyTime(filter)) return entries;
  const facts = await readCandidates(
    client,
    queueId,
    entries.map(({ id }) => id),
    filter,
    redactor,
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
class QueueSweep implements JobWalk {
  readonly #record: JobSelection;
  readonly #found = new Map<string, Cursor[]>();
  readonly #cursors = new Map<string, Cursor>();
  readonly #ended = new Set<string>();
  readonly #shouldStop: () => boolean;
  readonly #redactor: Redactor | null;

  constructor(
    record: JobSelection,
    cursors: Readonly<Record<string, Cursor>>,
    shouldStop: () => boolean,
    redactor: Redactor | null,
  ) {
    this.#record = record;
    this.#redactor = redactor;
    this.#shouldStop = shouldStop;
    for (const [queue, cursor] of Object.entries(cursors)) this.#cursors.set(queue, cursor);
  }

  async next(
    client: RedisClient,
    most: number,
  ): Promise<{ readonly queue: string; readonly jobs: readonly Cursor[] } | null> {
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

  async #fill(client: RedisClient, queue: string): Promise<readonly Cursor[]> {
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
      found.push(...(await matchingIn(client, queue, entries, this.#record.spec.filter, this.#redactor)));
      this.#cursors.set(queue, { score: last.score, id: last.id });
      if (found.length === 0) await new Promise((resolve) => setTimeout(resolve, BETWEEN_WINDOWS_MS));
    }
    return found;
  }
}
