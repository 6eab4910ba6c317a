import type { Beat, ErrorCounts, HostShare, WorkerBeat } from '../../agent/protocol.js';
import { Sketch } from '../../agent/sketch.js';
import type { AgentFacts, HeldLocks, Override, SeenWorker, WorkerOverride } from '../model/worker.js';
import type { ByteBudget } from './agent-bounds.js';
import { RecentSeries } from './recent.js';
import { WorkerTypes } from './worker-types.js';

/** Rates are those of so many beats. */
const RATE_BEATS = 5;
/** A burst of seconds is no starved host. */
const DELAY_BEATS = 10;
const TREND_POINTS = 60;
const WAIT_BEATS = 30;
/** Half an hour, a point each ten seconds. */
const COURSE = ['running', 'finishedPerSecond'] as const;
const COURSE_POINTS = 180;
const COURSE_BEATS = 10;

interface BeatCounts {
  readonly atMs: number;
  readonly finished: number;
  readonly failed: number;
  readonly errors: ErrorCounts;
  readonly host: HostShare | undefined;
}

/** What is kept of a beat beside its workers: one may hold 500 of them, and is not kept for the sake of each. */
type BeatFacts = Omit<Beat, 'workers' | 'kind' | 'seq' | 'atMs'>;
/** What it says since the last beat is added up at once. */
type WorkerFacts = Omit<WorkerBeat, 'types'>;

/** Beside its texts and types: trends, counts of the last beats, and what each object costs. */
const BASE_BYTES = 14_000;

/** One worker with the agent: what its beats say, over time. */
export class AgentWorker {
  readonly id: string;
  readonly firstSeenAtMs: number;
  #beat: BeatFacts;
  #worker: WorkerFacts;
  #lastBeatAtMs: number;
  /** This clock less the agent's; smallest seen lately, as what a message takes on its way only adds to it. */
  #offsetMs: number;
  readonly #types: WorkerTypes;
  #beats: BeatCounts[] = [];
  /** Waits of the last beats: this half of WAIT_BEATS, and the one before. */
  #waits: Sketch | null = null;
  #waitsBefore: Sketch | null = null;
  #waitBeats = 0;
  readonly #budget: ByteBudget;
  #bytes = 0;
  #finishedTrend: number[] = [];
  #runningTrend: number[] = [];
  readonly #course = new RecentSeries(COURSE, COURSE_POINTS, COURSE_BEATS * 1000 - 500);
  locks: HeldLocks | null = null;
  /** Was it in a list of clients while it beat? null: there was no such list yet. */
  wasListed: boolean | null = null;
  /** Its end was reported already. */
  isReportedCrashed = false;

  /** @param budget of all workers of this Redis together. */
  constructor(beat: Beat, worker: WorkerBeat, nowMs: number, budget: ByteBudget) {
    this.#budget = budget;
    this.id = worker.id;
    this.firstSeenAtMs = nowMs;
    this.#beat = factsOfBeat(beat);
    this.#worker = factsOfWorker(worker);
    this.#lastBeatAtMs = nowMs;
    this.#offsetMs = nowMs - beat.atMs;
    this.#types = new WorkerTypes(nowMs, budget);
  }

  get queueId(): string {
    return this.#worker.queue;
  }

  get agentId(): string {
    return this.#beat.agent.id;
  }

  get address(): string | null {
    return this.#worker.address;
  }

  get lastBeatAtMs(): number {
    return this.#lastBeatAtMs;
  }

  get running(): number {
    return this.#worker.running;
  }

  get slots(): number {
    return this.#worker.concurrency.now;
  }

  get runningIds(): readonly string[] {
    return this.#worker.oldest.map(({ jobId }) => jobId);
  }

  get lockToken(): string | null {
    return this.#worker.lockToken;
  }

  get label(): string {
    const { host, pid } = this.#beat.agent;
    const { name } = this.#worker;
    return name === null ? `${host}:${pid}` : `${name}@${host}`;
  }

  /** @returns types that were counted with others, as there is no room for them. */
  take(beat: Beat, worker: WorkerBeat, nowMs: number): number {
    this.#beat = factsOfBeat(beat);
    this.#worker = factsOfWorker(worker);
    this.#lastBeatAtMs = nowMs;
    this.locks = null;
    this.isReportedCrashed = false;
    const offsetMs = nowMs - beat.atMs;
    // Lets a drift of the clocks in slowly, and a shorter way at once.
    this.#offsetMs = offsetMs < this.#offsetMs ? offsetMs : this.#offsetMs * 0.98 + offsetMs * 0.02;
    const refused = this.#types.take(worker.types, nowMs);
    this.#takeWaits(worker);
    const finished = worker.types.reduce((sum, type) => sum + type.completed + type.failed, 0);
    const failed = worker.types.reduce((sum, type) => sum + type.failed, 0);
    this.#beats = [
      ...this.#beats.slice(1 - DELAY_BEATS),
      {
        atMs: nowMs,
        finished,
        failed,
        errors: worker.errors,
        host: beat.host,
      },
    ];
    this.#finishedTrend = [...this.#finishedTrend.slice(1 - TREND_POINTS), finished];
    this.#runningTrend = [...this.#runningTrend.slice(1 - TREND_POINTS), worker.running];
    this.#course.add(nowMs, {
      running: meanOf(this.#runningTrend.slice(-COURSE_BEATS)),
      finishedPerSecond: meanOf(this.#finishedTrend.slice(-COURSE_BEATS)),
    });
    const inSketches = (this.#waits?.bytes ?? 0) + (this.#waitsBefore?.bytes ?? 0);
    const bytes = BASE_BYTES + textBytes(this.#worker) + inSketches;
    this.#budget.change(bytes - this.#bytes);
    this.#bytes = bytes;
    return refused;
  }

  /** Gives back what it took of the budget: it is forgotten. */
  release(): void {
    this.#types.release();
    this.#budget.change(-this.#bytes);
    this.#bytes = 0;
  }

  #takeWaits({ types }: WorkerBeat): void {
    this.#waitBeats += 1;
    if (this.#waitBeats > WAIT_BEATS / 2) {
      this.#waitsBefore = this.#waits;
      this.#waits = null;
      this.#waitBeats = 1;
    }
    for (const { wait } of types) {
      if (!wait) continue;
      this.#waits ??= new Sketch();
      this.#waits.addWire(wait);
    }
  }

  /** The last half hour: `running` and `finishedPerSecond`, a point each ten seconds. */
  series() {
    return this.#course.series();
  }

  state(isConnected: boolean | null, kept: readonly Override[]): SeenWorker {
    const { agent } = this.#beat;
    return {
      id: this.id,
      queueId: this.queueId,
      label: this.label,
      name: this.#worker.name,
      host: agent.host,
      pid: agent.pid,
      isConnected,
      firstSeenAtMs: this.firstSeenAtMs,
      lastSeenAtMs: this.#lastBeatAtMs,
      idleSeconds: null,
      agent: this.#facts(kept),
      locks: this.locks,
      replacedBy: null,
    };
  }

  #facts(kept: readonly Override[]): AgentFacts {
    const worker = this.#worker;
    const beat = this.#beat;
    const shift = (atMs: number | null): number | null => (atMs === null ? null : atMs + this.#offsetMs);
    const recent = this.#beats.slice(-RATE_BEATS);
    const [first] = this.#beats.slice(-RATE_BEATS - 1);
    const last = recent[recent.length - 1];
    // The time that these beats are about: from the one before the first of them.
    const seconds = first && last && last.atMs > first.atMs ? (last.atMs - first.atMs) / 1000 : recent.length;
    const counted = first === recent[0] ? recent.slice(1) : recent;
    const perSecond = (read: (counts: BeatCounts) => number): number =>
      seconds <= 0 ? 0 : counted.reduce((sum, counts) => sum + read(counts), 0) / seconds;
    return {
      agentId: beat.agent.id,
      agentVersion: beat.agent.version,
      protocol: beat.v,
      nodeVersion: beat.agent.nodeVersion,
      bullmqVersion: worker.bullmqVersion,
      key: worker.key,
      labels: worker.labels,
      attachedAtMs: worker.attachedAtMs + this.#offsetMs,
      lastBeatAtMs: this.#lastBeatAtMs,
      clockOffsetMs: this.#offsetMs,
      concurrency: worker.concurrency,
      maxConcurrency: worker.maxConcurrency,
      paused: worker.paused,
      isClosing: worker.isClosing,
      asksForOrders: worker.asksForOrders ?? false,
      limiter: worker.limiter,
      isRateLimited: worker.isRateLimited,
      running: worker.running,
      oldest: worker.oldest.map((job) => ({ ...job, startedAtMs: job.startedAtMs + this.#offsetMs })),
      lastStartedAtMs: shift(worker.lastStartedAtMs),
      lastFinishedAtMs: shift(worker.lastFinishedAtMs),
      finishedPerSecond: perSecond((counts) => counts.finished),
      failedPerSecond: perSecond((counts) => counts.failed),
      types: this.#types.list(),
      wait: waitOf(this.#waits, this.#waitsBefore),
      loopDelayP99Ms: beat.loopDelay.p99Ms,
      loopDelayMaxMs: beat.loopDelay.maxMs,
      delay: delayOf(this.#beats.slice(-DELAY_BEATS).flatMap(({ host }) => host ?? [])),
      rssBytes: beat.rssBytes ?? null,
      errorsPerSecond: {
        oom: perSecond((counts) => counts.errors.oom),
        connection: perSecond((counts) => counts.errors.connection),
        lock: perSecond((counts) => counts.errors.lock),
        other: perSecond((counts) => counts.errors.other),
      },
      guard: { sinceMs: shift(worker.guard.sinceMs), times: worker.guard.times },
      overrides: overridesOf(worker, kept),
      ignored: beat.ignored,
      resubscribed: beat.resubscribed,
      finishedTrend: this.#finishedTrend,
      runningTrend: this.#runningTrend,
    };
  }
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

/** Kept orders that are meant for this worker, and how it takes them. */
function overridesOf(worker: WorkerFacts, kept: readonly Override[]): readonly WorkerOverride[] {
  return kept
    .filter(({ scope }) => scope === '*' || scope === worker.key || scope === worker.id)
    .map((order) => {
      const said = worker.orders.find(({ orderId }) => orderId === order.orderId);
      return {
        ...order,
        refusal: said?.refusal ?? null,
        isFollowed: said !== undefined && said.refusal === null,
      };
    });
}

function waitOf(...waits: readonly (Sketch | null)[]): AgentFacts['wait'] {
  const all = new Sketch();
  for (const wait of waits) if (wait) all.merge(wait);
  if (all.count === 0) return null;
  return { p50Ms: all.quantileMs(0.5), p99Ms: all.quantileMs(0.99) };
}

/** How much of the last beats' time the process waited for a core, and what CPU it got. */
function delayOf(shares: readonly HostShare[]): AgentFacts['delay'] {
  const sum = (of: (share: HostShare) => number): number =>
    shares.reduce((total, share) => total + of(share), 0);
  const spanMs = sum((share) => share.spanMs);
  if (spanMs <= 0) return null;
  // To wait for a core is the host's doing. A timer is late too while the process is stopped or its own code blocks it.
  const heldUpMs = sum(({ lateMs, runWaitMs }) => runWaitMs ?? lateMs);
  return { heldUpRatio: Math.min(1, heldUpMs / spanMs), cpuRatio: sum(({ cpuMs }) => cpuMs) / spanMs };
}

function factsOfBeat({ v, agent, loopDelay, rssBytes, ignored, resubscribed }: Beat): BeatFacts {
  return { v, agent, loopDelay, rssBytes, ignored, resubscribed };
}

function factsOfWorker({ types: _, ...facts }: WorkerBeat): WorkerFacts {
  return facts;
}

/** Two bytes a character, as a text with one character beyond Latin-1 takes. */
function textBytes({ labels, oldest, orders, name, key }: WorkerFacts): number {
  let characters = (name?.length ?? 0) + (key?.length ?? 0);
  for (const label of Object.keys(labels)) characters += label.length + (labels[label]?.length ?? 0) + 32;
  for (const { jobId, type } of oldest) characters += jobId.length + type.length + 32;
  for (const { refusal } of orders) characters += 100 + (refusal?.length ?? 0);
  return 2 * characters;
}
