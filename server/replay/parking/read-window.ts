import type { QueueHandle } from '../../redis/queue-control.js';
import type { ParkableState, ParkedJob } from './parking.js';
import { type ParkSkipReason, skipReason } from './parking.js';
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
