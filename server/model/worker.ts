import { z } from 'zod';
import type {
  ErrorCounts,
  IgnoredOrders,
  OrderedValue,
  RunningJob,
  WorkerLimiter,
} from '../../agent/protocol.js';
import type { Evidence } from './evidence.js';
import { type ModelOf, TimeSchema } from './json.js';

/** What a worker's state comes down to. */
export type WorkerVerdict =
  | 'healthy'
  | 'overloaded'
  | 'stuck'
  | 'crashed'
  | 'silent'
  | 'blocked'
  | 'paused'
  | 'capped'
  | 'rate-limited'
  | 'draining'
  /** The console can't tell: it does not hear agents now, or the worker has none and CLIENT LIST says too little. */
  | 'unknown';

/** One worker that drags the rest: much slower or failing much more than its peers on the same job types. */
export const OutlierSchema = z.object({
  kind: z.enum(['slow', 'failing']),
  type: z.string(),
  own: z.number().describe('Its median run time (ms) or failure ratio'),
  peers: z.number().describe('That of its peers'),
  sentence: z.string(),
});
export type Outlier = ModelOf<typeof OutlierSchema>;

/** One worker as it is seen, with or without the agent, before it is judged. Plain, read-only, made once a tick. */
export interface SeenWorker {
  /** The agent's id for it; without the agent `client:<address>` of its blocking connection. Unique in its instance. */
  readonly id: string;
  readonly queueId: string;
  /** As people call it: its name, else host:pid, else its address. */
  readonly label: string;
  readonly name: string | null;
  readonly host: string | null;
  readonly pid: number | null;
  /** Is it in CLIENT LIST? null: that can't be read, or its connections can't be told apart there. */
  readonly isConnected: boolean | null;
  /** Since when the console knows it. */
  readonly firstSeenAtMs: number;
  /** The last sign of life: a beat, or an entry in CLIENT LIST. */
  readonly lastSeenAtMs: number;
  /** Seconds that its blocking connection has been idle, from CLIENT LIST; null: not known. */
  readonly idleSeconds: number | null;
  /** null: no agent is attached, so this is all that is known. */
  readonly agent: AgentFacts | null;
  /** Read once it stopped giving signs of life: locks of the jobs that it had in hand. */
  readonly locks: HeldLocks | null;
  /** Of one that is gone: who has taken its place since; null: nobody. */
  readonly replacedBy: Pick<SeenWorker, 'id' | 'label'> | null;
}

/** What the console knows about one worker, and what it comes down to: judged once a tick, the same everywhere. */
export interface WorkerState extends SeenWorker {
  readonly verdict: WorkerVerdict;
  /** Since when the verdict is what it is, without a break. */
  readonly verdictSinceMs: number;
  /** Since when the ladder says something else, which does not count yet (hold-worker-verdict.ts); null: it agrees. */
  readonly otherSinceMs: number | null;
  /** One sentence for a tired person: why. */
  readonly sentence: string;
  readonly evidence: readonly Evidence[];
  readonly outlier: Outlier | null;
  /** When that was found last; null: it is none. */
  readonly outlierSeenAtMs: number | null;
}

/** What only the agent can tell. */
export interface AgentFacts {
  readonly agentId: string;
  readonly agentVersion: string;
  readonly protocol: number;
  readonly nodeVersion: string;
  readonly bullmqVersion: string | null;
  /** What its settings are kept under; null: it has no name, they end with it. */
  readonly key: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly attachedAtMs: number;
  /** When the last beat was heard, by the console's clock. */
  readonly lastBeatAtMs: number;
  /** The console's clock less the agent's. */
  readonly clockOffsetMs: number;
  readonly concurrency: { readonly deployed: number; readonly now: number };
  readonly maxConcurrency: number | null;
  readonly paused: 'order' | 'application' | 'guard' | null;
  readonly isClosing: boolean;
  /** Its owner asks for signatures: orders that are kept are given to it by the console that gave them. */
  readonly asksForOrders: boolean;
  readonly limiter: { readonly deployed: WorkerLimiter | null; readonly now: WorkerLimiter | null };
  readonly isRateLimited: boolean;
  readonly running: number;
  /** By the console's clock (the difference of the clocks is taken out). */
  readonly oldest: readonly RunningJob[];
  /** By the console's clock. null: none since it was attached. */
  readonly lastStartedAtMs: number | null;
  readonly lastFinishedAtMs: number | null;
  /** Completed and failed, over the last seconds (ACTIVITY_WINDOW_MS). */
  readonly finishedPerSecond: number;
  readonly failedPerSecond: number;
  /** Of it, jobs in the last minutes by type, most frequent first; bounded. */
  readonly types: readonly WorkerType[];
  /** Median and 99th percentile of the time that jobs waited before this worker started them; null: none lately. */
  readonly wait: { readonly p50Ms: number; readonly p99Ms: number } | null;
  readonly loopDelayP99Ms: number;
  readonly loopDelayMaxMs: number;
  /**
   * Over the last seconds: share of the time that its process was held up, 0..1, and CPU that it used itself, in cores.
   * Held up and using little: its host is starved. null: its agent does not say.
   */
  readonly delay: { readonly heldUpRatio: number; readonly cpuRatio: number } | null;
  /** null: the agent could not read it. */
  readonly rssBytes: number | null;
  /** Per second, over the last seconds. */
  readonly errorsPerSecond: ErrorCounts;
  /** Backed off because Redis refuses its writes: since when (console's clock), and how often so far. */
  readonly guard: { readonly sinceMs: number | null; readonly times: number };
  readonly overrides: readonly WorkerOverride[];
  readonly ignored: IgnoredOrders;
  readonly resubscribed: number;
  /** Jobs finished in each of the last seconds, oldest first, for the sparkline. */
  readonly finishedTrend: readonly number[];
  /** Running jobs in each of the last seconds, oldest first. */
  readonly runningTrend: readonly number[];
}

export interface WorkerType {
  readonly name: string;
  readonly completed: number;
  readonly failed: number;
  /** Run times of this worker over the last minutes (or, as it says of itself, longer); null: none finished yet. */
  readonly run: {
    readonly count: number;
    readonly p50Ms: number;
    readonly p99Ms: number;
    /** Of those that the console has heard of in the last minutes; 0: of none. */
    readonly longestMs: number;
  } | null;
  /** The same for the last 10 to 20 s alone: what it is like now. */
  readonly recent: { readonly count: number; readonly p50Ms: number } | null;
}

/** A setting that differs from what was deployed because somebody said so. */
export const OverrideSchema = z
  .object({
    orderId: z.string(),
    scope: z.string().describe('`*`: every worker of the queue; else one worker.'),
    setting: z.enum(['concurrency', 'paused', 'limiter', 'all']),
    value: z.unknown(),
    by: z.string(),
    at: TimeSchema,
    reason: z.string(),
    until: TimeSchema.nullable().describe('null: until it is reverted'),
  })
  .meta({ id: 'Override' });

export interface Override extends ModelOf<typeof OverrideSchema> {
  readonly value: OrderedValue['value'];
}

/** A kept order as it stands with one worker. */
export interface WorkerOverride extends Override {
  /** Why the worker does not follow it; null: it does, or has not said yet. */
  readonly refusal: string | null;
  readonly isFollowed: boolean;
}

/** Locks of jobs that a worker held when it was last heard. */
export interface HeldLocks {
  readonly readAtMs: number;
  /** Jobs that it had in hand, as it said last. */
  readonly jobs: number;
  /** Of the named ones: those that are still active and whose lock still stands. */
  readonly held: number;
  /** Active, and without a lock: they stall at the next check of a live worker. */
  readonly orphaned: number;
  /** When the last of the locks runs out; null: none stands. */
  readonly lastExpiryAtMs: number | null;
}

/** How the console hears agents: its own echo has to come back. */
export interface Hearing {
  /** `off`: not permitted (ACL) or not begun. `deaf`: the echo has not come back. */
  readonly status: 'off' | 'hearing' | 'deaf';
  readonly sinceMs: number;
  readonly problem: string | null;
  readonly lastHeardAtMs: number | null;
  /** How often it subscribed anew because it was deaf. */
  readonly resubscribed: number;
  readonly agents: number;
  /** Messages that could not be read, by reason: forged, of a newer protocol, too large. */
  readonly unreadable: number;
  /** What was beyond the bounds of what is taken in, lately. Absent or null: nothing. */
  readonly overflow?: AgentOverflow | null;
}

/** What agents of one Redis say beyond what the console takes in. */
export interface AgentOverflow {
  /** Messages that were not read, since it began. */
  readonly messages: number;
  /** Workers that are not shown, and job types that are counted with others, as what is kept of agents is full. */
  readonly workers: number;
  readonly types: number;
  readonly sinceMs: number;
}

/** Worst first: what needs a person, then what holds a worker back, then what is as it should be. */
export const VERDICT_ORDER: readonly WorkerVerdict[] = [
  'crashed',
  'stuck',
  'silent',
  'blocked',
  'overloaded',
  'unknown',
  'capped',
  'rate-limited',
  'draining',
  'paused',
  'healthy',
];

/** One with all slots busy is now well and now not: it keeps its place among those that are. */
function placeOf({ verdict }: WorkerState): number {
  return VERDICT_ORDER.indexOf(verdict === 'overloaded' ? 'healthy' : verdict);
}

/** Compares two workers for a list, worst first; alike ones by name, so that rows keep their places. Pure. */
export function byTrouble(a: WorkerState, b: WorkerState): number {
  return (
    placeOf(a) - placeOf(b) ||
    Number(b.outlier !== null) - Number(a.outlier !== null) ||
    compare(a.queueId, b.queueId) ||
    compare(a.label, b.label) ||
    compare(a.id, b.id)
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
