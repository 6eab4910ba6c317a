import type { Beat, ErrorCounts, HostShare, SketchWire, WorkerBeat } from '../../agent/protocol.js';
import { addWire, newSketch, quantileMs, type Sketch } from './sketch.js';
import type { AgentFacts, HeldLocks, KeptOrder, SeenWorker, WorkerOverride } from './worker-state.js';
import { WorkerTypes } from './worker-types.js';

/** Rates are told over so many beats. */
const RATE_BEATS = 5;
const TREND_POINTS = 60;
const WAIT_BEATS = 30;

interface Told {
  readonly atMs: number;
  readonly finished: number;
  readonly failed: number;
  readonly errors: ErrorCounts;
  readonly waits: readonly SketchWire[];
  readonly host: HostShare | undefined;
}

/** One worker with the agent: what its beats say, over time. */
export class AgentWorker {
  readonly id: string;
  readonly firstSeenAtMs: number;
  #beat: Beat;
  #worker: WorkerBeat;
  #lastBeatAtMs: number;
  /** This clock less the agent's; smallest seen lately, as what a message takes on its way only adds to it. */
  #offsetMs: number;
  readonly #types: WorkerTypes;
  #told: Told[] = [];
  #finishedTrend: number[] = [];
  #runningTrend: number[] = [];
  locks: HeldLocks | null = null;
  /** Its end was told already. */
  isToldCrashed = false;

  constructor(beat: Beat, worker: WorkerBeat, nowMs: number) {
    this.id = worker.id;
    this.firstSeenAtMs = nowMs;
    this.#beat = beat;
    this.#worker = worker;
    this.#lastBeatAtMs = nowMs;
    this.#offsetMs = nowMs - beat.atMs;
    this.#types = new WorkerTypes(nowMs);
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

  get resubscribed(): number {
    return this.#beat.resubscribed;
  }

  get label(): string {
    const { host, pid } = this.#beat.agent;
    const { name } = this.#worker;
    return name === null ? `${host}:${pid}` : `${name}@${host}`;
  }

  take(beat: Beat, worker: WorkerBeat, nowMs: number): void {
    this.#beat = beat;
    this.#worker = worker;
    this.#lastBeatAtMs = nowMs;
    this.locks = null;
    this.isToldCrashed = false;
    const offsetMs = nowMs - beat.atMs;
    // Lets a drift of the clocks in slowly, and a shorter way at once.
    this.#offsetMs = offsetMs < this.#offsetMs ? offsetMs : this.#offsetMs * 0.98 + offsetMs * 0.02;
    this.#types.take(worker.types, nowMs);
    const finished = worker.types.reduce((sum, type) => sum + type.completed + type.failed, 0);
    const failed = worker.types.reduce((sum, type) => sum + type.failed, 0);
    this.#told = [
      ...this.#told.slice(1 - WAIT_BEATS),
      {
        atMs: nowMs,
        finished,
        failed,
        errors: worker.errors,
        waits: worker.types.flatMap(({ wait }) => wait ?? []),
        host: beat.host,
      },
    ];
    this.#finishedTrend = [...this.#finishedTrend.slice(1 - TREND_POINTS), finished];
    this.#runningTrend = [...this.#runningTrend.slice(1 - TREND_POINTS), worker.running];
  }

  state(isConnected: boolean | null, kept: readonly KeptOrder[]): SeenWorker {
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

  #facts(kept: readonly KeptOrder[]): AgentFacts {
    const worker = this.#worker;
    const beat = this.#beat;
    const shift = (atMs: number | null): number | null => (atMs === null ? null : atMs + this.#offsetMs);
    const recent = this.#told.slice(-RATE_BEATS);
    const [first] = this.#told.slice(-RATE_BEATS - 1);
    const last = recent[recent.length - 1];
    // The time that these beats tell of: from the one before the first of them.
    const seconds = first && last && last.atMs > first.atMs ? (last.atMs - first.atMs) / 1000 : recent.length;
    const counted = first === recent[0] ? recent.slice(1) : recent;
    const perSecond = (read: (told: Told) => number): number =>
      seconds <= 0 ? 0 : counted.reduce((sum, told) => sum + read(told), 0) / seconds;
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
      finishedPerSecond: perSecond((told) => told.finished),
      failedPerSecond: perSecond((told) => told.failed),
      types: this.#types.list(),
      wait: waitOf(this.#told),
      loopDelayP99Ms: beat.loopDelay.p99Ms,
      loopDelayMaxMs: beat.loopDelay.maxMs,
      delay: delayOf(recent.flatMap(({ host }) => host ?? [])),
      rssBytes: beat.rssBytes ?? null,
      errorsPerSecond: {
        oom: perSecond((told) => told.errors.oom),
        connection: perSecond((told) => told.errors.connection),
        lock: perSecond((told) => told.errors.lock),
        other: perSecond((told) => told.errors.other),
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

/** Kept orders that are meant for this worker, and how it takes them. */
function overridesOf(worker: WorkerBeat, kept: readonly KeptOrder[]): readonly WorkerOverride[] {
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

function waitOf(told: readonly Told[]): AgentFacts['wait'] {
  const all: Sketch = newSketch();
  for (const wait of told.flatMap(({ waits }) => waits)) addWire(all, wait);
  if (all.count === 0) return null;
  return { p50Ms: quantileMs(all, 0.5), p99Ms: quantileMs(all, 0.99) };
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
