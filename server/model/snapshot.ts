import { z } from 'zod';
import type { JobTypeState, TenantShare } from './job-type.js';
import { type ModelOf, TimeSchema } from './json.js';
import type { CountProgress, NodeMemory, QueueMemory } from './memory.js';
import type { Permits } from './permits.js';
import { QUEUE_KINDS } from './queue-kind.js';
import type { SelfDelay } from './self-delay.js';
import type { Capabilities, LinkState } from './sight.js';
import type { Hearing, Override, WorkerState } from './worker.js';

/**
 * model/ is what things are: types, the schemas of answers beside them (json.ts), predicates and formats, without I/O or a
 * clock. It imports zod, and of the agent the words that both share. Begin here: a Snapshot is all that is known of one Redis
 * at one moment, and everything above reads it.
 */

export const MARKER_KINDS = ['deploy', 'note'] as const;

/** A deploy or a note, entered by people or pipelines: what findings may set beside the moment at which trouble began. */
export const MarkerSchema = z.object({
  at: TimeSchema,
  kind: z.enum(MARKER_KINDS),
  text: z.string(),
  actor: z.string().describe('Who entered it'),
  queue: z.string().nullable().describe('Id of the queue that it is about; null: about the whole Redis'),
});
export type Marker = ModelOf<typeof MarkerSchema>;

/** The memory limit that counts: maxmemory where set, else the cgroup's or host's. */
export interface MemoryLimit {
  readonly bytes: number;
  readonly source: 'maxmemory' | 'cgroup' | 'host';
}

/** Time to full by a robust fit; null fields where growth is not significant. */
export interface MemoryForecast {
  readonly growthBytesPerSecond: number;
  /** p10 and p90 of the slope. */
  readonly growthRange: readonly [number, number];
  /** null: not filling. 0: full. */
  readonly fullInSeconds: number | null;
  readonly fullInRange: readonly [number, number] | null;
  /** Why `fullInSeconds` is null although it grows; null: it is known, or nothing is filling. */
  readonly notKnown: string | null;
  readonly windowMs: number;
}

/** One Redis process (a Cluster has several masters; else there is exactly one), as far as answers show it as it is. */
export const NodeFacts = z.object({
  id: z.string(),
  address: z.string(),
  version: z.string(),
  role: z.enum(['master', 'replica']),
  isReadOnly: z.boolean().describe('Writes are refused, as it is a read-only replica'),
  isFull: z.boolean().describe('Over the limit with noeviction: commands that add memory are refused'),
  usedBytes: z.number(),
  countedBytes: z.number().describe('Held against the limit: usedBytes less mem_not_counted_for_evict'),
  maxBytes: z.number().describe('0: none is set'),
  usedRatio: z.number().nullable().describe('countedBytes of the limit'),
  policy: z.string(),
  fragmentationRatio: z.number(),
  refusedPerSecond: z
    .number()
    .nullable()
    .describe('Commands refused with OOM; null: Redis does not count errors (before 6.2)'),
  evictedKeys: z.number(),
  connectedClients: z.number(),
  clientOutputBytes: z.number().describe('Output buffers of normal and pub/sub clients'),
  replicas: z.number(),
  replicationLagBytes: z
    .number()
    .nullable()
    .describe('Largest distance of a replica behind; null: there are none'),
  opsPerSecond: z.number(),
  cpuRatio: z.number().describe('0 to n cores: all of Redis'),
});

export interface RedisNode extends ModelOf<typeof NodeFacts> {
  readonly readAtMs: number;
  readonly runId: string;
  readonly uptimeSeconds: number;
  readonly rssBytes: number;
  readonly limit: MemoryLimit | null;
  /** Memory of the machine that Redis runs on, as Redis reports it. */
  readonly hostBytes: number | null;
  readonly forecast: MemoryForecast | null;
  /** Growth once it takes writes, 0 or more: of now, or of before it was full, which hides it. null: not known. */
  readonly expectedGrowthBytesPerSecond: number | null;
  /** null: it saves its data, or goes on without. */
  readonly unsaved: Unsaved | null;
  readonly evictedPerSecond: number;
  readonly blockedClients: number;
  /** Replica: is the link to its master up? Master: true. */
  readonly replicationLinkUp: boolean;
  readonly replicationBacklogBytes: number;
  /** Where its memory is; null: not permitted (MEMORY), or not read yet. */
  readonly memory: NodeMemory | null;
  /** 0..1 of a core: what the console's own commands cost. */
  readonly ownCpuRatio: number;
}

/** Redis can't write its data to disk, and refuses every write for it (MISCONF). */
export interface Unsaved {
  readonly what: 'snapshot' | 'append-only file';
  /** When somebody's command was last seen to be refused for it; null: nobody has tried. Where Redis does not count: now. */
  readonly refusedAtMs: number | null;
}

/** What a queue's state comes down to: one word, the first of the ladder below that holds. */
const QUEUE_VERDICTS = [
  'paused-by-spillway',
  'paused',
  'idle',
  'no-workers',
  /** Workers are connected, and every one of them is paused, by Spillway or by its application. */
  'workers-paused',
  'blocked-by-memory',
  'capped',
  'rate-limited',
  'stuck',
  'overloaded',
  'growing',
  /** It moves, but most of what ends has failed. */
  'failing',
  /** Jobs run, and none has ended in the time that rates look back. */
  'running',
  /** Jobs wait and none runs or has left, for too short a time to call it a trouble. */
  'waiting',
  'flowing',
] as const;

export type QueueVerdict = (typeof QUEUE_VERDICTS)[number];

const RateLimitSchema = z.object({ max: z.number(), durationMs: z.number() });
export type RateLimit = ModelOf<typeof RateLimitSchema>;

/** All jobs that a queue holds, in whatever state. */
export function jobsIn(counts: QueueCounts): number {
  const { waiting, prioritized, active, delayed, waitingChildren, completed, failed } = counts;
  return waiting + prioritized + active + delayed + waitingChildren + completed + failed;
}

/** The console's own pause: global concurrency 0, with what stood there before. Kept in the queue's meta hash. */
export interface PauseRecord {
  readonly formerConcurrency: number | null;
  readonly atMs: number;
  readonly actor: string;
}

export interface QueueRates {
  /** Upper bound: the id counter moves for duplicates too (design decision 4). */
  readonly arrivalsPerSecond: number;
  readonly departuresPerSecond: number;
  /** Robust slope of the backlog. */
  readonly growthPerSecond: number;
  readonly isGrowing: boolean;
  readonly windowMs: number;
  /** Arrivals of the last seconds alone: after a burst the mean goes on for half a minute. Left out: too few reads. */
  readonly recentArrivals?: { readonly perSecond: number; readonly windowMs: number };
}

/** A queue, as far as answers show it as it is. */
export const QueueFacts = z.object({
  id: z.string().describe('`<prefix>:<name>`, unique in its Redis').meta({ example: 'bull:mail' }),
  prefix: z.string(),
  name: z.string(),
  kind: z
    .enum(QUEUE_KINDS)
    .describe(
      'bull: of Bull 3 or 4; bullmq-pro: it has groups of BullMQ Pro. These are counted, and no action is taken',
    ),
  groups: z
    .number()
    .nullable()
    .describe(
      'Groups of BullMQ Pro that have jobs waiting: those jobs are in no count here; null: it has none',
    ),
  readAt: TimeSchema,
  verdict: z
    .enum(QUEUE_VERDICTS)
    .describe(
      'One word for its flow, the one that findings, pages and metrics use too. flowing: jobs are seen to leave, done; failing: most of what ends has failed; running, waiting: none has left lately, too early to call it a trouble.',
    ),
  verdictSince: TimeSchema.describe('Since when it is in this trouble, or in none.'),
  flow: z
    .enum(['running', 'paused-by-spillway', 'paused'])
    .describe('paused: by its application (BullMQ’s own pause)'),
  counts: z.object({
    waiting: z
      .number()
      .describe(
        'In `wait` and in the `paused` list of BullMQ 5 together: getJobCounts() of v6 misses the latter',
      ),
    legacyPaused: z.number().describe('Of `waiting`: those in that list'),
    prioritized: z.number(),
    active: z.number(),
    delayed: z.number(),
    waitingChildren: z.number(),
    completed: z.number(),
    failed: z.number(),
  }),
  backlog: z.number().describe('waiting, prioritized and delayed that are due: what workers could take now'),
  unfinished: z.number(),
  eventsLength: z.number(),
  concurrency: z.number().nullable(),
  rateLimit: RateLimitSchema.nullable(),
  workers: z.number().nullable().describe('Connected, by CLIENT LIST; null: that is not permitted'),
  bullmqVersion: z
    .string()
    .nullable()
    .describe('Of the last Queue object that wrote it, so a hint only, such as bullmq:6.7.0'),
});
export type QueueCounts = QueueState['counts'];

export interface QueueState extends ModelOf<typeof QueueFacts> {
  readonly pause: PauseRecord | null;
  /** A pause is recorded, but the application has since set a concurrency of its own. */
  readonly isPauseOverridden: boolean;
  /** >0: workers are held by a rate limiter for that long. */
  readonly rateLimitedForMs: number;
  /** Longest limiter window seen on this queue lately: > rateLimit.durationMs means a worker's own duration counts. */
  readonly observedLimiterMs: number;
  readonly addedTotal: number;
  readonly oldestWaitingAtMs: number | null;
  /** Settings of its workers that were ordered and are kept for those that come later. */
  readonly overrides: readonly Override[];
  /** Since when every read found jobs that workers could take; null: at the last read there were none. */
  readonly backlogSinceMs: number | null;
  readonly rates: QueueRates | null;
  /** null: nothing to drain or unknown; Infinity: never at these rates. */
  readonly drainSeconds: number | null;
  /** When a job last left the unfinished set, as far as seen. */
  readonly lastDepartureAtMs: number | null;
  /** Since when the console watches this queue. */
  readonly firstSeenAtMs: number;
  readonly memory: QueueMemory | null;
  /**
   * Who has most of what waits and runs: text from job data, so only for roles that may see those. null: no field is
   * configured for it, or nothing is sampled yet.
   */
  readonly tenants: readonly TenantShare[] | null;
  /** Job types, the one that weighs most first; empty until the first samples. */
  readonly types: readonly JobTypeState[];
  /** Its jobs are being counted one by one, or were; null: nobody has asked. */
  readonly count: CountProgress | null;
  /** Backlog over the last minutes, oldest first, for the sparkline. */
  readonly depthTrend: readonly number[];
}

/** A queue whose reads are refused: what it holds now is not known, so it is no part of `queues` and of no sum over them. */
export interface UnreadQueue {
  readonly id: string;
  readonly prefix: string;
  readonly name: string;
  /** Since when it is not known: its last good read, else when it was found. */
  readonly sinceMs: number;
  /** Why, as part of a sentence; holds no secret. */
  readonly problem: string;
  /** What Redis refused, such as `llen`; null: nobody was there to ask. */
  readonly command: string | null;
  /** What it was at its last good read; null: it never had one. */
  readonly last: QueueState | null;
}

/** A master that belongs to the Cluster and does not answer, as it was at its last good read. */
export interface UnreadNode {
  readonly problem: string;
  readonly last: RedisNode;
}

/** What belongs to this Redis and is not known now, while the rest is. */
export interface Unread {
  readonly queues: readonly UnreadQueue[];
  readonly nodes: readonly UnreadNode[];
}

export interface DiscoveryState {
  /** When the last complete pass over the keyspace ended; null before the first. */
  readonly lastPassAtMs: number | null;
  readonly passDurationMs: number | null;
  readonly keys: number;
  /** Queues that are known of and not watched, as there are too many; absent: none. */
  readonly queuesBeyond?: number;
  /** Queues whose names are too long to be watched; null: none. */
  readonly longNames?: LongNames | null;
}

/** How the console reads: its pace, its cost, whether it had to slow down and why. */
export interface PollState {
  readonly intervalMs: number;
  readonly baseIntervalMs: number;
  readonly isSlowed: boolean;
  readonly slowedBecause: string | null;
  readonly lastTickMs: number;
  readonly roundTripMs: number;
  readonly ownCpuRatio: number;
  readonly budgetRatio: number;
  readonly ticks: number;
  readonly failedTicks: number;
}

export interface Snapshot {
  readonly instance: string;
  /** When it was put together. */
  readonly atMs: number;
  readonly link: LinkState;
  readonly capabilities: Capabilities | null;
  /** Empty until the first read. */
  readonly nodes: readonly RedisNode[];
  /** Those that are known: each was read when it was due. */
  readonly queues: readonly QueueState[];
  readonly unread: Unread;
  /** Every worker that is known, by queue: those with the agent and those that only CLIENT LIST shows. */
  readonly workers: readonly WorkerState[];
  readonly hearing: Hearing;
  /** Deploys and notes of the last 24 hours, oldest first, at most 200; those about the instance have no queue. */
  readonly markers: readonly Marker[];
  readonly discovery: DiscoveryState;
  /** Data that were lost lately; null or absent: none that this console knows of. */
  readonly dataLoss?: DataLoss | null;
  readonly poll: PollState;
  /** How far the console itself was held up. Absent: it is not measured. */
  readonly self?: SelfDelay;
  /** When an action last changed something here, as far as this console knows; null: never. */
  readonly actedAtMs: number | null;
  /** What of the actions is not done here. Left out: all is. */
  readonly permits?: Permits;
  /** Actions of the last minutes, from this console or another on its store, oldest first. Left out: none. */
  readonly acted?: readonly Acted[];
}

/** An action that was applied to one target, and what it brought. */
export interface Acted {
  readonly atMs: number;
  readonly action: string;
  /** Queue id; null: the instance. */
  readonly queue: string | null;
  readonly args: unknown;
  /** false: it was refused, failed, or found nothing to change. */
  readonly isChange: boolean;
  /** null: not known, or it frees nothing. */
  readonly freedBytes: number | null;
}

/** Queues that are not watched, as their names are too long. */
export interface LongNames {
  readonly queues: number;
  /** How one of them begins. */
  readonly example: string;
}

/** Data that were in a Redis and are not there any more, though nobody took them out job by job. */
export interface DataLoss {
  /** When it was found. */
  readonly atMs: number;
  /** What happened and what is missing; one sentence without its full stop. */
  readonly text: string;
  /** What happened alone, likewise. Absent: this console was restarted since. */
  readonly cause?: string;
  /** What is missing of each, most first, at most MAX_QUEUES. Empty: this console was restarted since, and the text says it. */
  readonly queues: readonly LostQueue[];
}

export interface LostQueue {
  readonly id: string;
  readonly jobsBefore: number;
  readonly jobsNow: number;
}

/** Jobs that are missing; at least, as others may have been added since. */
export function missingOf({ jobsBefore, jobsNow }: LostQueue): number {
  return Math.max(0, jobsBefore - jobsNow);
}
