import { ActionError } from '../model/action.js';
import type { RedisClient } from '../redis/connect.js';
import type { ParkedSource } from './parked-source.js';
import { readCandidates } from './read-candidates.js';
import { countRange, readWindow } from './read-window.js';
import { matchesFilter } from './replay-filter.js';
import type { Cursor, ReplayRecord } from './replay-record.js';
import { selectionOf } from './replay-source.js';
import { sweepOf } from './sweep-queues.js';

/** Somebody waits for the answer: more is not looked into, and the answer says so. */
const MAX_LOOKED_AT = 100_000;
const MAX_TIME_MS = 4_000;
const MAX_SAMPLES = 20;
const MAX_GROUPS = 20;
const MAX_KEPT_GROUPS = 2_000;
export const NOTHING_PARKED = 'from: jobs can not be parked by this console: see its log for why';

export interface DryRun {
  /** Jobs that match, of those looked at. */
  readonly matched: number;
  readonly lookedAt: number;
  /** Jobs in the time range. */
  readonly inRange: number;
  /** Every job of the range was looked at: `matched` is exact. */
  readonly isComplete: boolean;
  /** The most frequent first. */
  readonly byType: readonly Group[];
  readonly byError: readonly Group[];
  readonly sample: readonly {
    readonly queue: string;
    readonly id: string;
    readonly name: string;
    /** Of a parked job: when its parking began. */
    readonly finishedAtMs: number;
  }[];
}

export interface Group {
  readonly name: string;
  readonly jobs: number;
}

/** What a replay would take, without changing anything. @param now in ms: the search ends after some seconds. */
export async function dryRun(
  client: RedisClient,
  record: Pick<ReplayRecord, 'spec' | 'cutoffMs' | 'queues'>,
  now: () => number,
): Promise<DryRun> {
  const endMs = now() + MAX_TIME_MS;
  const types = new Map<string, number>();
  const errors = new Map<string, number>();
  const sample: DryRun['sample'][number][] = [];
  let [matched, lookedAt, inRange] = [0, 0, 0];
  let isComplete = true;
  for (const queue of record.queues) {
    const sweep = sweepOf(record, queue);
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
      const facts = await readCandidates(
        client,
        queue,
        ids,
        record.spec.filter,
        record.spec.from === 'failed',
      );
      for (const [i, job] of facts.entries()) {
        const entry = entries[i];
        if (!entry || !matchesFilter(record.spec.filter, job)) continue;
        matched += 1;
        add(types, job.name);
        if (job.error !== '') add(errors, errorGroup(job.error));
        if (sample.length < MAX_SAMPLES)
          sample.push({ queue, id: entry.id, name: job.name, finishedAtMs: Number(entry.score) });
      }
    }
  }
  return { matched, lookedAt, inRange, isComplete, byType: largest(types), byError: largest(errors), sample };
}

/**
 * Errors that differ only in numbers and ids are one: "monitor 63 timed out" and "monitor 64 timed out". The first line,
 * with `#` for each; at most 200 characters.
 */
export function errorGroup(error: string): string {
  const line = (error.split('\n', 1)[0] ?? '').slice(0, 400);
  return line
    .replace(/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi, '#')
    .replace(/\b(?=[a-z]*\d)[0-9a-f]{12,}\b/gi, '#')
    .replace(/\d+(?:[.,]\d+)*/g, '#')
    .slice(0, 200);
}

/** The same for parked jobs. @throws ActionError where none can be parked. */
export async function dryRunParked(
  parked: ParkedSource | null,
  record: Pick<ReplayRecord, 'instance' | 'spec' | 'cutoffMs' | 'queues'>,
  now: () => number,
): Promise<DryRun> {
  if (parked === null) throw new ActionError('unavailable', NOTHING_PARKED);
  const endMs = now() + MAX_TIME_MS;
  const { types, sample, ...found } = await parked.look(
    selectionOf(record),
    (lookedAt) => lookedAt >= MAX_LOOKED_AT || now() > endMs,
  );
  const jobs = sample.map(({ queue, id, name, parkedAtMs }) => ({
    queue,
    id,
    name,
    finishedAtMs: parkedAtMs,
  }));
  return { ...found, byType: largest(types), byError: [], sample: jobs };
}

function add(groups: Map<string, number>, name: string): void {
  const known = groups.get(name);
  if (known === undefined && groups.size >= MAX_KEPT_GROUPS) return;
  groups.set(name, (known ?? 0) + 1);
}

function largest(groups: ReadonlyMap<string, number>): readonly Group[] {
  return [...groups]
    .map(([name, jobs]) => ({ name, jobs }))
    .sort((a, b) => b.jobs - a.jobs || (a.name < b.name ? -1 : 1))
    .slice(0, MAX_GROUPS);
}
