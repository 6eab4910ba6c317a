import { KEPT_ORDERS_FIELD } from '../../agent/protocol.js';
import type { PauseRecord, QueueCounts, RateLimit } from '../model/snapshot.js';
import { numberOrNull, shownText } from './job-facts.js';

/** Which queue, and how much of it is due. */
export interface QueueReadPlan {
  /** `<prefix>:<name>`: the start of all its keys. */
  readonly id: string;
  /** Settings and finished jobs: they cost as much as the rest and say less from second to second. */
  readonly withRare: boolean;
  /** Length of the events stream: rarer still. */
  readonly withEvents: boolean;
  /**
   * The four lists that most queues never have: read one by one where they held jobs lately. Else one EXISTS asks for
   * those of many queues, and where it finds any they are read again (`isPartial`).
   */
  readonly withSparse: boolean;
  /** Jobs that wait, and that run: the same, for a queue that had none and did nothing lately. */
  readonly withWaiting: boolean;
  readonly withActive: boolean;
  /** Completed and failed: the same, where `withRare` asks for them. */
  readonly withFinished: boolean;
  /** Jobs waited at the last read: look which one is next, for its age. */
  readonly withHead: boolean;
  /** The limiter held jobs back at the last read: ask for how long. */
  readonly withLimiter: boolean;
  /** Delayed jobs that fall due before this count as waiting: workers would take them now. */
  readonly nowMs: number;
  /** What queues of others have beside: Bull's mark of a pause, the groups of BullMQ Pro. Left out: nothing. */
  readonly alsoAsks?: 'meta-paused' | 'groups';
  /** A job whose age is not known yet, found at the head of the queue by the last read. */
  readonly askAgeOf: string | null;
}

export interface QueueReading {
  readonly id: string;
  /** False: no meta, no counter, no job: the queue is gone. */
  readonly exists: boolean;
  /** True: lists that were taken for empty hold jobs, of this queue or of its neighbours in one EXISTS; read again. */
  readonly isPartial: boolean;
  readonly counts: Omit<QueueCounts, 'completed' | 'failed'>;
  /** Of `counts.delayed`: those that are due. */
  readonly delayedDue: number;
  readonly finished: { readonly completed: number; readonly failed: number } | null;
  /** Entries of the events stream; null: not read this time. */
  readonly eventsLength: number | null;
  readonly addedTotal: number;
  /** null: not read this time. */
  readonly meta: QueueMeta | null;
  /** The limiter key exists: some window is being counted. */
  readonly hasLimiter: boolean;
  readonly limiterTtlMs: number | null;
  /** Jobs that would be taken next from each list; the oldest in arrival order. */
  readonly headJobIds: readonly string[];
  /** How many of `alsoAsks` there are; null: not asked this time. */
  readonly alsoFound: number | null;
  /** Age facts of `askAgeOf`; null when it was not asked or is gone. */
  readonly age: { readonly jobId: string; readonly timestampMs: number; readonly delayMs: number } | null;
}

/** Fields of `<queue>:meta` as strings, null where unset. */
export interface QueueMeta {
  readonly paused: string | null;
  readonly concurrency: string | null;
  readonly max: string | null;
  readonly duration: string | null;
  readonly version: string | null;
  /** All that workers leave of a queue that nobody has added to yet: by it the queue is there. */
  readonly maxLenEvents: string | null;
  readonly pause: string | null;
  /** What was ordered to its workers and is kept. */
  readonly orders: string | null;
}

const MAX_VERSION_CHARS = 60;

/** In the order of `decodeMeta`. */
export const META_FIELDS = [
  'paused',
  'concurrency',
  'max',
  'duration',
  'version',
  'opts.maxLenEvents',
  'spillway.pause',
  KEPT_ORDERS_FIELD,
] as const;

export function decodeMeta(values: readonly (string | null)[]): QueueMeta {
  const [paused, concurrency, max, duration, version, maxLenEvents, pause, orders] = values;
  return {
    paused: paused ?? null,
    concurrency: concurrency ?? null,
    max: max ?? null,
    duration: duration ?? null,
    version: shownText(version, MAX_VERSION_CHARS),
    maxLenEvents: maxLenEvents ?? null,
    pause: pause ?? null,
    orders: orders ?? null,
  };
}

/** Settings of a queue that has none, or whose meta have not been read yet. */
export const NO_META: QueueMeta = {
  paused: null,
  concurrency: null,
  max: null,
  duration: null,
  version: null,
  maxLenEvents: null,
  pause: null,
  orders: null,
};

/** The global rate limit as BullMQ keeps it: jobs per `duration` ms. null: none is set. */
export function rateLimitOf(max: string | null, duration: string | null): RateLimit | null {
  const value = numberOrNull(max);
  return value === null ? null : { max: value, durationMs: numberOrNull(duration) ?? 0 };
}

/** Nobody's name is longer. */
const MAX_CHARS = 2_000;

/** The record that a pause leaves in the queue's meta hash; null where there is none or it can't be read. */
export function parsePauseRecord(text: string | null): PauseRecord | null {
  if (text === null || text.length > MAX_CHARS) return null;
  try {
    const record = JSON.parse(text) as Partial<PauseRecord> | null;
    if (typeof record !== 'object' || record === null) return null;
    return {
      formerConcurrency: typeof record.formerConcurrency === 'number' ? record.formerConcurrency : null,
      atMs: typeof record.atMs === 'number' ? record.atMs : 0,
      actor: typeof record.actor === 'string' ? record.actor : 'unknown',
    };
  } catch {
    // Not ours: someone else's field of that name must not stop the view of the queue.
    return null;
  }
}
