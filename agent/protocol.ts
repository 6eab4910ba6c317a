/**
 * What agents and consoles say to each other through Redis. The only file that both sides share: types, names of
 * channels and keys, and nothing that does anything else.
 *
 * Everything live goes by PUBLISH, which Redis accepts over maxmemory and which stores nothing. Two kinds of channel:
 * - `up` (from one sender to all consoles): beats, acknowledgements, farewells of an agent; echos of a console. A sender
 *   also listens to its own, so that what it sends is proof of what it receives.
 * - `order` (from consoles to all agents that have a worker on a queue).
 *
 * Rules for versions: a receiver ignores fields that it does not know and takes a missing optional one for "not said". A
 * change that breaks this raises PROTOCOL; a receiver treats a greater one as something it can only count.
 * One thing goes one way: a worker with a secret obeys orders that name it alone, which consoles of 0.2 do for single workers
 * only. So consoles are updated before such workers; newer consoles and agents of 0.2 understand each other in all.
 *
 * What a signed order is for: the workers that it names, by ids that are random and made at attach. That is queue, Redis and
 * process in one, and can't be had before the worker is there nor is it used again, whatever Redis is restored, failed over to
 * or shares the secret. Nothing that is kept in Redis could say as much: who can put an old order there can put back whatever
 * would show that it is old. So agents with a secret take no order from what is kept, where they look only for what was
 * taken away; the console that gave an order, and keeps in its own store that it stands, gives it to each worker that comes.
 */
export const PROTOCOL = 1;

/** Channels are not bound to a database of Redis, so its number is part of their names. */
export function upChannel(database: number, sender: string): string {
  return `spillway:${database}:up:${sender}`;
}

/** For PSUBSCRIBE: all senders of one database. */
export function upPattern(database: number): string {
  return `spillway:${database}:up:*`;
}

/** @param queueId `<prefix>:<name>` */
export function orderChannel(database: number, queueId: string): string {
  return `spillway:${database}:order:${queueId}`;
}

/**
 * Field of a queue's meta hash that keeps what was ordered: JSON, `KeptOrders`. In meta, so that it is found where the
 * queue is, in the same hash slot, and goes with it.
 */
export const KEPT_ORDERS_FIELD = 'spillway.workers';

/** A rate limit of a worker: at most `max` starts in `durationMs`. */
export interface WorkerLimiter {
  readonly max: number;
  readonly durationMs: number;
}

/** A DDSketch (relative accuracy SKETCH_ACCURACY) as JSON: bins that are not empty as [index, count, index, count, …]. */
export interface SketchWire {
  readonly bins: readonly number[];
  readonly zero: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
}
export const SKETCH_ACCURACY = 0.02;
/** Bins of one sketch: with 2% they span 4 decades and a half; what is shorter is counted with the lowest. */
export const SKETCH_BINS = 256;

/** Job types that one beat names; the others are summed under this name. */
export const MAX_TYPES_A_BEAT = 50;
/** What the console calls them too: no type, so no rule, no threshold and no judgement is about it. */
export const OTHER_TYPES = '(other)';
/** Runs of one type that a beat reports one by one; shorter ones wait for nobody's timer. */
export const MAX_RUNS_TOLD = 32;
export const TOLD_FROM_MS = 100;
export const MAX_ERROR_CHARS = 200;
/** Running jobs that one beat names, longest running first. */
export const MAX_RUNNING_NAMED = 20;

/** What happened to one job type since the last beat that arrived. Times in ms. */
export interface TypeBeat {
  readonly name: string;
  readonly completed: number;
  readonly failed: number;
  /** Run times of those that completed or failed since the last beat; null: none. */
  readonly run: SketchWire | null;
  /** How long its jobs waited before they started, since the last beat; first attempts only. */
  readonly wait: SketchWire | null;
  /**
   * Runs of TOLD_FROM_MS or more that ended since the last beat, as [end before the beat's `atMs`, run time, failed 0 or 1, …]
   * in ms: what shows whether runs wait for each other. The first MAX_RUNS_TOLD of them; `runsUntold` ended besides.
   */
  readonly runs: readonly number[];
  readonly runsUntold: number;
  /** First line of the last error, at most MAX_ERROR_LETTERS; null: none since the last beat. */
  readonly error: string | null;
  /** Over about the last ten minutes of this worker: what is usual for it, also for a console that has just started. */
  readonly usual: { readonly count: number; readonly p50Ms: number; readonly p99Ms: number } | null;
}

export interface RunningJob {
  readonly jobId: string;
  readonly type: string;
  readonly startedAtMs: number;
}

/** Errors that a worker emitted since the last beat that arrived, by kind. */
export interface ErrorCounts {
  /** Refused by a full Redis. */
  readonly oom: number;
  readonly connection: number;
  /** A lock was lost or could not be renewed. */
  readonly lock: number;
  readonly other: number;
}

/** Orders that were not obeyed, since the agent started. */
export interface IgnoredOrders {
  readonly unsigned: number;
  readonly forged: number;
  readonly replayed: number;
  readonly late: number;
  readonly malformed: number;
  /** Signed, but naming no workers: it could be played back to others. An agent of 0.2 says nothing of it. */
  readonly unaddressed?: number;
  /** More than consoles give: not looked at. An agent of 0.2 says nothing of it. */
  readonly flooded?: number;
}

/** An order that is kept and holds for this worker. */
export interface OrderInForce {
  readonly orderId: string;
  /** Why the worker does not follow it: its owner's limit, say. null: it does. */
  readonly refusal: string | null;
}

export interface WorkerBeat {
  /** New with each attach. */
  readonly id: string;
  /** `<prefix>:<name>` */
  readonly queue: string;
  /** The name given to attach, else BullMQ's own `name` option. */
  readonly name: string | null;
  /** `<name>@<host>`: what settings for this one worker are kept under, so that they outlive a restart. null: no name, so they end with it. */
  readonly key: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly bullmqVersion: string | null;
  readonly attachedAtMs: number;
  readonly concurrency: { readonly deployed: number; readonly now: number };
  /** The most that the worker's owner permits; null: no limit. */
  readonly maxConcurrency: number | null;
  /** Who paused it: an order, or the application itself. `guard`: stopped by the agent while Redis is full. */
  readonly paused: 'order' | 'application' | 'guard' | null;
  readonly isClosing: boolean;
  /** Its owner asks for signatures: overrides are to be given to it by a console. Missing: an agent of 0.2, which takes them itself. */
  readonly asksForOrders?: boolean | undefined;
  readonly limiter: { readonly deployed: WorkerLimiter | null; readonly now: WorkerLimiter | null };
  /** BullMQ holds it in a rate limit now. */
  readonly isRateLimited: boolean;
  readonly running: number;
  readonly oldest: readonly RunningJob[];
  readonly lastStartedAtMs: number | null;
  readonly lastFinishedAtMs: number | null;
  readonly types: readonly TypeBeat[];
  readonly errors: ErrorCounts;
  /** Backed off because Redis refuses its writes; `times` since attach. */
  readonly guard: { readonly sinceMs: number | null; readonly times: number };
  readonly orders: readonly OrderInForce[];
  /** What BullMQ puts at the start of the locks of its jobs; null: not known. */
  readonly lockToken: string | null;
  /** Local end of its blocking connection, as CLIENT LIST shows it where nothing stands between; null: not known. */
  readonly address: string | null;
}

export interface AgentIdentity {
  /** One a process and Redis. Also the end of its connections' names: `spillway:agent:<id>`. */
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  readonly nodeVersion: string;
}

/**
 * What its host left to the process since the last beat that arrived: whether a worker is late by its own doing or its host
 * is starved. Late loops with `cpuMs` near `spanMs`: its own code. Late with `runWaitMs` high: no core was to be had, or the
 * container's quota was used up. Late with both low: it was stopped, or the whole host was (`clockJumpMs` shows a sleep).
 */
export interface HostShare {
  /** What all this is measured over, by a clock that is never set, ms. */
  readonly spanMs: number;
  /** How much later than due the beat's own timer came, at worst, ms. */
  readonly lateMs: number;
  /** CPU time that the process used, all threads, ms. */
  readonly cpuMs: number;
  /** For how long the thread of the agent could have run but got no core, ms (Linux: /proc/thread-self/schedstat); null: not known. */
  readonly runWaitMs: number | null;
  /** By how much the clock on the wall went ahead (or back, below 0) of the steady one: it was set, or the host slept. */
  readonly clockJumpMs: number;
  /** Mean load of the host over a minute, and cores that this process may use. */
  readonly load1m: number;
  readonly cores: number;
}

/** Sent once a second by each process, for all of its workers on one Redis. */
export interface Beat {
  readonly v: number;
  readonly kind: 'beat';
  readonly agent: AgentIdentity;
  readonly seq: number;
  readonly atMs: number;
  /** Since the last beat, ms. */
  readonly loopDelay: { readonly p50Ms: number; readonly p99Ms: number; readonly maxMs: number };
  /** Missing: it could not be read, for want of descriptors say. */
  readonly rssBytes?: number | undefined;
  /** Missing: an agent of 0.2, or it could not be read. */
  readonly host?: HostShare | undefined;
  readonly ignored: IgnoredOrders;
  /** How often it found that it was deaf and subscribed anew. */
  readonly resubscribed: number;
  readonly workers: readonly WorkerBeat[];
}

/** An orderly end: these workers were detached or closed, and are not missed. */
export interface Farewell {
  readonly v: number;
  readonly kind: 'farewell';
  readonly agent: AgentIdentity;
  readonly atMs: number;
  readonly workers: readonly string[];
}

/** What came of an order, worker by worker. */
export interface Acknowledgement {
  readonly v: number;
  readonly kind: 'ack';
  readonly agent: AgentIdentity;
  readonly orderId: string;
  readonly workers: readonly WorkerAnswer[];
}

export interface WorkerAnswer {
  readonly id: string;
  readonly result: 'applied' | 'refused';
  /** Why it was refused, or what to know about how it was applied; null: nothing to say. */
  readonly note: string | null;
  readonly concurrency: number;
  readonly paused: WorkerBeat['paused'];
  readonly limiter: WorkerLimiter | null;
  /** After `reconnect`: has it started a job since? Absent: it was not asked to reconnect. */
  readonly tookJob?: boolean;
}

/** What a console sends to itself, to know that it receives. */
interface EchoMessage {
  readonly v: number;
  readonly kind: 'echo';
  readonly console: string;
  readonly seq: number;
}

export type UpMessage = Beat | Farewell | Acknowledgement | EchoMessage;

/** What can be ordered. `all` with value null takes back every order of its scope. */
export type OrderedSetting = 'concurrency' | 'paused' | 'limiter' | 'all';

/** A number, a factor of what each worker was deployed with, or null: as deployed. */
export type OrderedConcurrency = number | { readonly factor: number } | null;

export type OrderedValue =
  | { readonly setting: 'concurrency'; readonly value: OrderedConcurrency }
  | { readonly setting: 'paused'; readonly value: boolean | null }
  | { readonly setting: 'limiter'; readonly value: WorkerLimiter | 'none' | null }
  | { readonly setting: 'all'; readonly value: null };

/** Done once and never kept: drops the worker's connections, makes new ones and waits for a job (RECONNECT_WITHIN_MS). */
export type OrderedAct = { readonly setting: 'reconnect'; readonly value: true };

/** Of a setting: `null` as value: as deployed, and the kept order is taken away. */
export type Order = SettingOrder | (OrderedAct & OrderHead);
export type SettingOrder = OrderedValue & OrderHead;

export interface OrderHead {
  /** A worker obeys an id once. */
  readonly id: string;
  /** Where an order is given again to a worker that comes later: new each time, and obeyed once in the id's stead. */
  readonly nonce?: string;
  readonly atMs: number;
  readonly queue: string;
  /** Workers that are to follow it now; null: all of the queue, which counts for workers without a secret alone. */
  readonly workers: readonly string[] | null;
  /** What it is kept under: EVERY_WORKER, a worker's key, or the id of one that has no name or not for itself alone. */
  readonly scope: string;
  readonly by: string;
  readonly reason: string;
  /** When it ends by itself; null: until it is taken back. */
  readonly untilMs: number | null;
}
export const EVERY_WORKER = '*';

/** An order as it is sent and kept: the text that was signed, and the signature (HMAC-SHA256 of `body`, hex). */
export interface SignedOrder {
  readonly v: number;
  /** JSON of an Order. */
  readonly body: string;
  readonly sig: string | null;
}

/** An order that names more workers is sent in parts: its text has to stay under 16,384 characters. */
export const MAX_WORKERS_NAMED = 200;

/**
 * By `<scope>|<setting>`. What holds for a worker: the order under its id, else under its key, else the one for every worker,
 * else what it was deployed with; an order past its `untilMs` counts as none.
 */
export type KeptOrders = Readonly<Record<string, SignedOrder>>;

export function keptOrderKey(scope: string, setting: Order['setting']): string {
  return `${scope}|${setting}`;
}

/** Live orders older or newer than this are not obeyed: long enough for clocks that differ, short enough to remember ids. */
export const ORDER_VALID_MS = 5 * 60_000;
/** An agent answers a `reconnect` within this, whatever came of it. */
export const RECONNECT_WITHIN_MS = 8_500;
/** A beat this often. */
export const BEAT_EVERY_MS = 1_000;
