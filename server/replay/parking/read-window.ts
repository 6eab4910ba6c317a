import type { ParkableState, ParkSkipReason } from '../../model/parking.js';
import { readTypes } from '../../redis/job-facts.js';
import type { QueueHandle } from '../../redis/queue-control.js';
import type { ParkEstimate, ParkedJob, ParkRequest } from './parking.js';
import { skipReason } from './parking.js';
import { runParkingScript } from './run-script.js';

/** One list or sorted set of a queue that is parked from. */
export interface ParkingSource {
  readonly key: string;
  readonly kind: 'list' | 'zset';
  readonly place: ParkableState;
}

/** Where the next window begins. */
export interface WindowCursor {
  readonly offset: number;
  readonly edge: Buffer;
  readonly edgeScore: Buffer;
}

export const FIRST_WINDOW: WindowCursor = { offset: 0, edge: Buffer.alloc(0), edgeScore: Buffer.alloc(0) };

export interface JobWindow {
  readonly looked: number;
  /** Where it began, after what came and went since. */
  readonly offset: number;
  readonly length: number;
  /** Id and score of each that was looked at, of other types too. */
  readonly entries: readonly (readonly [id: Buffer, score: Buffer])[];
  readonly jobs: readonly (ParkedJob & { readonly skip: ParkSkipReason | null })[];
}

/**
 * A window ends early at this much data: what is held at a time stays bounded, and Redis is not held up. Taking a window
 * out means hashing all of it in Redis once more, which takes about 3 ms for so much.
 */
const MAX_WINDOW_BYTES = 1024 * 1024;

/** Lists and sorted sets of some states; `waiting` has two where BullMQ 5 has paused the queue. */
export function sourcesOf(queueId: string, states: readonly ParkableState[]): readonly ParkingSource[] {
  const all: readonly ParkingSource[] = [
    // What BullMQ 5 has put aside is older than what waits.
    { key: `${queueId}:paused`, kind: 'list', place: 'waiting' },
    { key: `${queueId}:wait`, kind: 'list', place: 'waiting' },
    { key: `${queueId}:prioritized`, kind: 'zset', place: 'prioritized' },
    { key: `${queueId}:delayed`, kind: 'zset', place: 'delayed' },
  ];
  return all.filter(({ place }) => states.includes(place));
}

/**
 * Reads one window, oldest first: jobs of the wanted types as they are now, all in one step of Redis.
 * @param withFields false: only what they are and what they hold.
 * @throws what Redis says.
 */
export async function readJobWindow(
  queue: QueueHandle,
  source: ParkingSource,
  cursor: WindowCursor,
  size: number,
  jobTypes: readonly string[] | null,
  withFields: boolean,
): Promise<JobWindow> {
  const answer = (await runParkingScript(
    queue,
    'read-window',
    [source.key],
    [
      `${queue.id}:`,
      source.kind,
      cursor.offset,
      size,
      MAX_WINDOW_BYTES,
      withFields ? '1' : '0',
      cursor.edge,
      cursor.edgeScore,
      ...(jobTypes ?? []),
    ],
  )) as WindowAnswer;
  const [looked, offset, length, flat, jobs] = answer;
  return {
    looked,
    offset,
    length,
    entries: Array.from(
      { length: flat.length / 2 },
      (_, i) => [flat[2 * i], flat[2 * i + 1]] as [Buffer, Buffer],
    ),
    jobs: jobs.map((job) => jobOf(job, source.place)),
  };
}

type WindowAnswer = [number, number, number, Buffer[], JobAnswer[]];
type JobAnswer = [Buffer, Buffer, Buffer, number, number, number, number, number, number, Buffer[]?];

function jobOf(answer: JobAnswer, place: ParkableState): JobWindow['jobs'][number] {
  const [id, score, name, bytes, parent, deduplication, scheduler, logs, flow, fields] = answer;
  const skip = skipReason({
    jobId: id.toString('latin1', 0, 16),
    // Without fields, only whether there are any is known: a hash that is there has a size.
    fieldCount: fields ? fields.length / 2 : bytes === 0 ? 0 : 1,
    hasParent: parent === 1,
    hasChildren: flow === 1,
    isDeduplicated: deduplication === 1,
    isOfScheduler: scheduler === 1,
    hasLogs: logs === 1,
  });
  return {
    jobId: id,
    name: name.toString('utf8'),
    place,
    score: score.toString('latin1'),
    bytes: Math.max(0, bytes),
    fields: fields ?? [],
    skip,
  };
}

const WINDOW_JOBS = 500;
/** Looked at in each list: 10 windows of about 5 ms. */
const MAX_LOOKED = 5_000;
const MAX_TYPES = 50;

/** Counts by type what a parking would take, what that would free, and what it would leave and why. Changes nothing. */
export async function estimatePark(
  queue: QueueHandle,
  request: Pick<ParkRequest, 'states' | 'jobTypes' | 'most'>,
): Promise<ParkEstimate> {
  const types = new Map<string, { jobs: number; bytes: number }>();
  const skipped = new Map<ParkSkipReason, number>();
  let total = 0;
  let looked = 0;
  for (const source of sourcesOf(queue.id, request.states)) {
    const found: { readonly type: string; readonly bytes: number; readonly skip: ParkSkipReason | null }[] =
      [];
    let length = 0;
    let offset = 0;
    while (offset < MAX_LOOKED) {
      const window = await readJobWindow(
        queue,
        source,
        { ...FIRST_WINDOW, offset },
        WINDOW_JOBS,
        request.jobTypes,
        false,
      );
      length = window.length;
      if (window.looked === 0) break;
      offset += window.looked;
      found.push(...window.jobs.map(({ name, bytes, skip }) => ({ type: name, bytes, skip })));
    }
    const scale = offset === 0 ? 0 : Math.max(1, length / offset);
    for (const { type, bytes, skip } of found) {
      if (skip !== null) skipped.set(skip, (skipped.get(skip) ?? 0) + scale);
      else {
        const before = types.get(type) ?? { jobs: 0, bytes: 0 };
        types.set(type, { jobs: before.jobs + scale, bytes: before.bytes + bytes * scale });
      }
    }
    total += length;
    looked += offset;
  }
  const active = await countActive(queue, request.jobTypes);
  if (active > 0) skipped.set('active', active);
  const all = [...types.values()].reduce((sum, { jobs }) => sum + jobs, 0);
  const share = request.most === null || all === 0 ? 1 : Math.min(1, request.most / all);
  const rounded = [...types].map(([type, { jobs, bytes }]) => ({
    type,
    jobs: Math.round(jobs * share),
    bytes: Math.round(bytes * share),
  }));
  return {
    total,
    looked,
    isExact: looked >= total && share === 1,
    jobs: rounded.reduce((sum, { jobs }) => sum + jobs, 0),
    freedBytes: rounded.reduce((sum, { bytes }) => sum + bytes, 0),
    types: rounded.sort((a, b) => b.bytes - a.bytes).slice(0, MAX_TYPES),
    skipped: Object.fromEntries([...skipped].map(([reason, jobs]) => [reason, Math.round(jobs)])),
  };
}

/** Jobs at work, of these types where looking at some shows it. */
async function countActive({ client, id }: QueueHandle, jobTypes: readonly string[] | null): Promise<number> {
  if (jobTypes === null) return client.llen(`${id}:active`);
  const ids = await client.lrange(`${id}:active`, 0, WINDOW_JOBS - 1);
  const types = await readTypes(
    client,
    ids.map((jobId) => `${id}:${jobId}`),
  );
  return types.filter((type) => type !== null && jobTypes.includes(type)).length;
}
