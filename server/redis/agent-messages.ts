import { z } from 'zod';
import { jobTypeOf } from '../../agent/job-type-of.js';
import {
  type Acknowledgement,
  type Beat,
  type Farewell,
  type KeptOrders,
  MAX_RUNNING_NAMED,
  MAX_RUNS_TOLD,
  PROTOCOL,
  type SettingOrder,
  type SignedOrder,
  SKETCH_BINS,
} from '../../agent/protocol.js';
import { ownText } from '../model/text.js';
import type { Override } from '../model/worker.js';
import { isJobId, MAX_QUEUE_ID_CHARS } from './queue-keys.js';

/** Messages and fields beyond this are not read: nobody sends them but to do harm. */
const MAX_CHARS = 512 * 1024;
const MAX_WORKERS = 500;
/** What a queue keeps: 500 orders (keep-order.lua) with a reason of 1,000 characters each. */
const MAX_KEPT_LETTERS = 2 * 1024 * 1024;
const MAX_KEPT = 1_000;
/** Beyond it sums are not exact any more, and a time is none that a date can show once the clocks' difference is added. */
const MOST = 1e15;
/** Keys of a sketch with 2% accuracy: a microsecond is at -173, ten thousand years at 832. */
const MAX_KEY = 2_000;

/** As many as an agent tells (agent/options.ts). */
const MAX_LABELS = 20;

/** What a name, a note or an error is cut to: a long one is no reason not to read the rest of a beat. */
const MAX_TEXT_CHARS = 300;

const text = z.string().overwrite((told) => ownText(told, MAX_TEXT_CHARS));
const jobType = z.string().overwrite(jobTypeOf);
const id = z.string().min(1).max(100);
const number = z.number().min(-MOST).max(MOST);
const count = z.number().min(0).max(MOST);
const time = z.number().min(0).max(MOST);
const limiter = z.object({ max: count, durationMs: count });
const sketch = z.object({
  // Checked by hand: a key that is no whole number makes the sketch throw, and this is nearly all that a beat holds.
  bins: z.custom<readonly number[]>(areBins),
  zero: count,
  sum: number,
  min: number,
  max: number,
});
const agent = z.object({
  id,
  host: text,
  pid: count,
  version: text,
  nodeVersion: text,
});
const paused = z.enum(['order', 'application', 'guard']).nullable();

// What an older agent does not say has a default: it is then not known.
const worker = z.object({
  id,
  queue: z.string().min(1),
  name: text.nullable().default(null),
  key: text.nullable().default(null),
  labels: z
    .record(z.string().max(100), z.string().max(100))
    .refine((labels) => Object.keys(labels).length <= MAX_LABELS)
    .default({}),
  bullmqVersion: text.nullable().default(null),
  attachedAtMs: time,
  concurrency: z.object({ deployed: count, now: count }),
  maxConcurrency: count.nullable().default(null),
  paused: paused.catch(null),
  isClosing: z.boolean().default(false),
  asksForOrders: z.boolean().optional(),
  limiter: z
    .object({ deployed: limiter.nullable(), now: limiter.nullable() })
    .default({ deployed: null, now: null }),
  isRateLimited: z.boolean().default(false),
  running: count,
  oldest: z
    .array(z.object({ jobId: z.string(), type: jobType, startedAtMs: time }))
    .max(MAX_RUNNING_NAMED)
    .overwrite((jobs) => jobs.filter(({ jobId }) => isJobId(jobId)))
    .default([]),
  lastStartedAtMs: time.nullable().default(null),
  lastFinishedAtMs: time.nullable().default(null),
  types: z
    .array(
      z.object({
        name: jobType,
        completed: count,
        failed: count,
        run: sketch.nullable().default(null),
        wait: sketch.nullable().default(null),
        runs: z
          .array(count)
          .max(3 * MAX_RUNS_TOLD)
          .default([]),
        runsUntold: count.default(0),
        error: text.nullable().default(null),
        usual: z.object({ count, p50Ms: count, p99Ms: count }).nullable().default(null),
      }),
    )
    .max(200)
    .default([]),
  errors: z.object({ oom: count, connection: count, lock: count, other: count }).default({
    oom: 0,
    connection: 0,
    lock: 0,
    other: 0,
  }),
  guard: z.object({ sinceMs: time.nullable(), times: count }).default({ sinceMs: null, times: 0 }),
  orders: z
    .array(z.object({ orderId: id, refusal: text.nullable() }))
    .max(20)
    .default([]),
  lockToken: text.nullable().default(null),
  address: text.nullable().default(null),
});

const host = z.object({
  spanMs: count,
  lateMs: count,
  cpuMs: count,
  runWaitMs: count.nullable().default(null),
  clockJumpMs: number,
  load1m: count,
  cores: count,
});

const beat = z.object({
  v: z.number(),
  kind: z.literal('beat'),
  seq: count,
  agent,
  atMs: time,
  loopDelay: z.object({ p50Ms: count, p99Ms: count, maxMs: count }).default({ p50Ms: 0, p99Ms: 0, maxMs: 0 }),
  rssBytes: count.optional(),
  host: host.optional().catch(undefined),
  ignored: z
    .object({
      unsigned: count,
      forged: count,
      replayed: count,
      late: count,
      malformed: count,
      unaddressed: count.default(0),
      flooded: count.default(0),
    })
    .default({ unsigned: 0, forged: 0, replayed: 0, late: 0, malformed: 0, unaddressed: 0, flooded: 0 }),
  resubscribed: count.default(0),
  // Of a queue that is not watched, as its name is too long.
  workers: z
    .array(worker)
    .max(MAX_WORKERS)
    .overwrite((workers) => workers.filter(({ queue }) => queue.length <= MAX_QUEUE_ID_CHARS)),
});
const farewell = z.object({
  v: z.number(),
  kind: z.literal('farewell'),
  agent,
  atMs: time,
  workers: z.array(id).max(MAX_WORKERS),
});
const ack = z.object({
  v: z.number(),
  kind: z.literal('ack'),
  agent,
  orderId: id,
  workers: z
    .array(
      z.object({
        id,
        result: z.enum(['applied', 'refused']),
        note: text.nullable().default(null),
        concurrency: count,
        paused: paused.catch(null),
        limiter: limiter.nullable().default(null),
        tookJob: z.boolean().default(false),
      }),
    )
    .max(MAX_WORKERS),
});
const message = z.discriminatedUnion('kind', [beat, farewell, ack]);

export type AgentMessages = Beat | Farewell | Acknowledgement;

/**
 * What was heard from an agent, as text or as it came; null for what is none, too large, or of a later protocol; `other` for other consoles.
 */
export function readAgentMessages(raw: string | Buffer): AgentMessages | 'other' | null {
  if (raw.length > MAX_CHARS) return null;
  const value = parseJson(raw.toString());
  if (typeof value !== 'object' || value === null) return null;
  if ('kind' in value && value.kind === 'echo') return 'other';
  const parsed = message.safeParse(value);
  if (!parsed.success || parsed.data.v > PROTOCOL) return null;
  return parsed.data;
}

/** How the last part of a beat begins: JSON as agents write it. */
const WORKERS = '"workers":[';
/** One that has run jobs says something else each time. */
const BUSY = '"types":[{';
const MAX_IDLE_CHARS = 4_096;
const MAX_REMEMBERED_CHARS = 4 * 1024 * 1024;

/**
 * Reads as `readAgentMessages` does. An idle worker says of itself what it said a second ago, letter by letter: that part of a beat,
 * most of it, is read once and remembered by its text, in two generations of MAX_REMEMBERED_CHARS each at most.
 */
export class AgentMessageReader {
  #recent = new Map<string, Beat['workers']>();
  #older: ReadonlyMap<string, Beat['workers']> = new Map();
  #recentChars = 0;

  read(raw: string | Buffer): AgentMessages | 'other' | null {
    if (raw.length > MAX_CHARS) return null;
    const told = raw.toString();
    const at = told.indexOf(WORKERS);
    const tail = told.slice(at);
    if (at === -1 || tail.length > MAX_IDLE_CHARS || tail.includes(BUSY)) return readAgentMessages(told);
    const workers = this.#recent.get(tail) ?? this.#older.get(tail);
    if (workers) {
      // It is JSON with no workers only where they stand at its end, and then says the same with any.
      const parsed = beat.safeParse(parseJson(`${told.slice(0, at)}${WORKERS}]}`));
      if (parsed.success && parsed.data.v <= PROTOCOL) {
        this.#remember(tail, workers);
        return { ...parsed.data, workers };
      }
    }
    const heard = readAgentMessages(told);
    if (heard !== null && heard !== 'other' && heard.kind === 'beat' && isWorkersAlone(tail))
      this.#remember(tail, heard.workers);
    return heard;
  }

  #remember(tail: string, workers: Beat['workers']): void {
    if (this.#recent.has(tail)) return;
    if (this.#recentChars + tail.length > MAX_REMEMBERED_CHARS) {
      this.#older = this.#recent;
      this.#recent = new Map();
      this.#recentChars = 0;
    }
    this.#recent.set(tail, workers);
    this.#recentChars += tail.length;
  }
}

/** Is it the last field of a JSON object and nothing besides? */
function isWorkersAlone(tail: string): boolean {
  const value = parseJson(`{${tail}`);
  return typeof value === 'object' && value !== null && Object.keys(value).length === 1;
}

const signed = z.object({
  v: z.number(),
  body: z.string().max(16_384),
  sig: z.string().max(200).nullable().default(null),
});
/** As agents read them (agent/read-order.ts): what they would not follow is not shown as if it held. */
const positive = z.number().positive().max(MOST);
const orderedLimiter = z.object({ max: positive, durationMs: positive });
const order = z
  .object({
    id,
    atMs: time,
    queue: z.string(),
    workers: z.array(id).nullable(),
    scope: z.string().max(300),
    by: text,
    reason: z.string().max(1_000),
    untilMs: time.nullable(),
  })
  .and(
    z.discriminatedUnion('setting', [
      z.object({
        setting: z.literal('concurrency'),
        value: z.union([positive.int(), z.object({ factor: positive })]),
      }),
      z.object({ setting: z.literal('paused'), value: z.boolean() }),
      z.object({ setting: z.literal('limiter'), value: z.union([orderedLimiter, z.literal('none')]) }),
    ]),
  );

/** The map of overrides as it stands in Redis; what can't be read in it is left out. */
export function readKeptMap(raw: string | null): KeptOrders {
  const value = raw === null || raw.length > MAX_KEPT_LETTERS ? null : parseJson(raw);
  if (typeof value !== 'object' || value === null) return {};
  const kept: Record<string, SignedOrder> = {};
  for (const [key, entry] of Object.entries(value).slice(0, MAX_KEPT)) {
    const parsed = signed.safeParse(entry);
    if (parsed.success) kept[key] = parsed.data;
  }
  return kept;
}

/**
 * The orders in it that are for this queue and have not ended yet. Of a later protocol, of another queue or with a value
 * that stands for nothing: agents follow none of these, so they don't count here either.
 */
export function readKeptOrders(raw: string | null, queueId: string, nowMs: number): readonly Override[] {
  return Object.values(readKeptMap(raw)).flatMap(({ v, body }) => {
    const parsed = order.safeParse(parseJson(body));
    if (!parsed.success || v > PROTOCOL || parsed.data.queue !== queueId) return [];
    const { id: orderId, ...rest }: SettingOrder = parsed.data;
    if (rest.untilMs !== null && rest.untilMs <= nowMs) return [];
    const { scope, setting, value, by, atMs, reason, untilMs } = rest;
    return [{ orderId, scope, setting, value, by, atMs, reason, untilMs }];
  });
}

/** [key, count, key, count, …], as many as a sketch has. */
function areBins(value: unknown): boolean {
  if (!Array.isArray(value) || value.length > 2 * SKETCH_BINS || value.length % 2 !== 0) return false;
  for (let i = 0; i < value.length; i += 2) {
    const [key, times]: readonly unknown[] = [value[i], value[i + 1]];
    if (!Number.isInteger(key) || Math.abs(Number(key)) > MAX_KEY) return false;
    if (typeof times !== 'number' || !(times >= 0 && times <= MOST)) return false;
  }
  return true;
}

function parseJson(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch {
    return null;
  }
}
