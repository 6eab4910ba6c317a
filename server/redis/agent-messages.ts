import { z } from 'zod';
import { jobTypeOf } from '../../agent/job-type-of.js';
import {
  type Acknowledgement,
  type Beat,
  type Farewell,
  MAX_RUNNING_NAMED,
  MAX_RUNS_TOLD,
  PROTOCOL,
  SKETCH_BINS,
} from '../../agent/protocol.js';
import { ownText } from '../model/text.js';
import { isJobId, MAX_QUEUE_ID_CHARS } from './queue-keys.js';

/** Messages and fields beyond this are not read: nobody sends them but to do harm. */
const MAX_CHARS = 512 * 1024;
const MAX_WORKERS = 500;
/** Beyond it sums are not exact any more, and a time is none that a date can show once the clocks' difference is added. */
export const MAX_NUMBER = 1e15;
/** Keys of a sketch with 2% accuracy: a microsecond is at -173, ten thousand years at 832. */
const MAX_KEY = 2_000;

/** As many as an agent tells (agent/options.ts). */
const MAX_LABELS = 20;

/** What a name, a note or an error is cut to: a long one is no reason not to read the rest of a beat. */
const MAX_TEXT_CHARS = 300;

export const text = z.string().overwrite((said) => ownText(said, MAX_TEXT_CHARS));
const jobType = z.string().overwrite(jobTypeOf);
export const id = z.string().min(1).max(100);
const number = z.number().min(-MAX_NUMBER).max(MAX_NUMBER);
const count = z.number().min(0).max(MAX_NUMBER);
export const timestamp = z.number().min(0).max(MAX_NUMBER);
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
  attachedAtMs: timestamp,
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
    .array(z.object({ jobId: z.string(), type: jobType, startedAtMs: timestamp }))
    .max(MAX_RUNNING_NAMED)
    .overwrite((jobs) => jobs.filter(({ jobId }) => isJobId(jobId)))
    .default([]),
  lastStartedAtMs: timestamp.nullable().default(null),
  lastFinishedAtMs: timestamp.nullable().default(null),
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
  guard: z.object({ sinceMs: timestamp.nullable(), times: count }).default({ sinceMs: null, times: 0 }),
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
  atMs: timestamp,
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
  atMs: timestamp,
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

type AgentMessage = Beat | Farewell | Acknowledgement;

/**
 * A message of an agent, as text or as it came; null for what is none, too large, or of a later protocol; `other` for other consoles.
 */
export function readAgentMessage(raw: string | Buffer): AgentMessage | 'other' | null {
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
 * Reads as `readAgentMessage` does. An idle worker says of itself what it said a second ago, character by character: that part of a beat,
 * most of it, is read once and remembered by its text, in two generations of MAX_REMEMBERED_CHARS each at most.
 */
export class AgentMessageReader {
  #recent = new Map<string, Beat['workers']>();
  #older: ReadonlyMap<string, Beat['workers']> = new Map();
  #recentChars = 0;

  read(raw: string | Buffer): AgentMessage | 'other' | null {
    if (raw.length > MAX_CHARS) return null;
    const said = raw.toString();
    const at = said.indexOf(WORKERS);
    const tail = said.slice(at);
    if (at === -1 || tail.length > MAX_IDLE_CHARS || tail.includes(BUSY)) return readAgentMessage(said);
    const workers = this.#recent.get(tail) ?? this.#older.get(tail);
    if (workers) {
      // It is JSON with no workers only where they stand at its end, and then says the same with any.
      const parsed = beat.safeParse(parseJson(`${said.slice(0, at)}${WORKERS}]}`));
      if (parsed.success && parsed.data.v <= PROTOCOL) {
        this.#remember(tail, workers);
        return { ...parsed.data, workers };
      }
    }
    const message = readAgentMessage(said);
    if (message !== null && message !== 'other' && message.kind === 'beat' && isWorkersAlone(tail))
      this.#remember(tail, message.workers);
    return message;
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

/** [key, count, key, count, …], as many as a sketch has. */
function areBins(value: unknown): boolean {
  if (!Array.isArray(value) || value.length > 2 * SKETCH_BINS || value.length % 2 !== 0) return false;
  for (let i = 0; i < value.length; i += 2) {
    const [key, times]: readonly unknown[] = [value[i], value[i + 1]];
    if (!Number.isInteger(key) || Math.abs(Number(key)) > MAX_KEY) return false;
    if (typeof times !== 'number' || !(times >= 0 && times <= MAX_NUMBER)) return false;
  }
  return true;
}

export function parseJson(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch {
    return null;
  }
}
