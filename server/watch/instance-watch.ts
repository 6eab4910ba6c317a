import type { Thresholds } from '../model/finding.js';
import type { InstanceConfig } from '../model/instance-config.js';
import type { Permits } from '../model/permits.js';
import { queueVerdict } from '../model/queue-verdict.js';
import type { SelfDelay } from '../model/self-delay.js';
import { isSettling } from '../model/sight.js';
import type { Acted, DataLoss, Marker, PollState, Snapshot } from '../model/snapshot.js';
import type { RecordEvent } from '../model/timeline-entry.js';
import type { SeenWorker, WorkerState } from '../model/worker.js';
import { every, type Loop, Yielder } from '../process/every.js';
import type { OwnHealth } from '../process/own-health.js';
import { ReadTimeout, Timeout } from '../redis/connect.js';
import type { RedisLink } from '../redis/link.js';
import { EventCoalescer } from './connection-events.js';
import type { FleetEvent } from './fleet.js';
import type { GivenOrders } from './given-orders.js';
import { hasGround } from './hold-queue-verdict.js';
import { InstanceAgents } from './instance-agents.js';
import type { InstanceMemory } from './instance-memory.js';
import { InstanceReader } from './instance-reader.js';
import { judgeFleet } from './judge-fleet.js';
import { LinkWatch, READ_TIMEOUT_MS } from './link-watch.js';
import type { LostWorkerStore } from './lost-workers.js';
import { nextPollIntervalMs, TickCost } from './pace.js';
import { RecentSeries } from './recent.js';
import type { AgentPort, Series, TickListener } from './watch.js';

/** How often a Redis that can't be read is tried. */
const RETRY_EVERY_MS = 500;
/** From so many queues on, what they cost the console itself is a reason to read them less often. */
const MANY_QUEUES = 500;
/** For so long what was done is in the Snapshot, so that what brought nothing is not offered again. */
const ACTED_MS = 600_000;
const MAX_ACTED = 200;
/** What is noted and what is kept of one action are this far apart at most. */
const SAME_ACT_MS = 5_000;

function isSameAct(one: Acted, other: Acted): boolean {
  return (
    one.action === other.action && one.queue === other.queue && Math.abs(one.atMs - other.atMs) < SAME_ACT_MS
  );
}

interface InstanceWatchDeps {
  /** Run time from which a person calls a job type slow; null: not set. */
  readonly slowThresholdMs: (instance: string, queueId: string, type: string) => number | null;
  /** 0 ≤ x < 1 */
  readonly random: () => number;
  readonly newId: () => string;
  /** A loss of data that an earlier process of this console found. */
  readonly lossBefore: (instance: string) => DataLoss | null;
  readonly recordEvent: RecordEvent;
  readonly now: () => number;
  readonly log: { info(message: string): void; warn(message: string): void };
  readonly thresholds: Thresholds;
  /** Resolves when all who follow ticks have been called. */
  readonly onTick: (...tick: Parameters<TickListener>) => Promise<void>;
  /** How far this process was held up: its own silence is not that of others. */
  readonly self: () => SelfDelay;
  readonly permits: Permits;
  /** Is called with what throws. */
  readonly health: OwnHealth;
  readonly givenOrders: GivenOrders | null;
  /** Where workers that are gone are remembered; null: nowhere. */
  readonly lostWorkers: LostWorkerStore | null;
  /** The same array until something changes. */
  readonly markers: (instance: string) => readonly Marker[];
}

/**
 * The poller of one Redis. One tick at a time: the next begins when the last has ended or was given up, so a Redis
 * that hangs piles nothing up, and other instances have pollers of their own.
 */
export class InstanceWatch {
  readonly link: RedisLink;
  readonly reader: InstanceReader;
  readonly #config: InstanceConfig;
  readonly #deps: InstanceWatchDeps;
  readonly #agents: InstanceAgents;
  readonly #status: LinkWatch;
  readonly #events: EventCoalescer;
  readonly #recent = new RecentSeries(
    ['usedBytes', 'limitBytes', 'opsPerSecond', 'arrivalsPerSecond', 'departuresPerSecond', 'backlog'],
    900,
    900,
  );
  readonly #loop: Loop;
  readonly #cost = new TickCost();
  #isStopped = false;
  #acted: readonly Acted[] = [];
  /** What the audit holds of it: other consoles write there too, and this one before it was started. */
  #audited: readonly Acted[] = [];
  #actedAtMs: number | null = null;
  #isRead = false;
  #poll: PollState;
  #snapshot: Snapshot;

  constructor(config: InstanceConfig, link: RedisLink, deps: InstanceWatchDeps) {
    const { name } = config;
    const { now, self, log, health } = deps;
    this.#config = config;
    this.link = link;
    this.#deps = deps;
    this.#events = new EventCoalescer(deps.recordEvent);
    const report = (event: FleetEvent): void => this.#events.add({ ...event, atMs: now(), instance: name });
    this.#status = new LinkWatch(link, { name, now, self, log, report });
    this.#agents = new InstanceAgents(config, link.client, {
      ...deps,
      report,
      onTypes: (queueId, process, types, nowMs) => this.reader.hear(queueId, process, types, nowMs),
    });
    this.reader = new InstanceReader(
      config,
      link,
      {
        ...deps,
        thresholdOf: (queueId, type) => deps.slowThresholdMs(name, queueId, type),
        lossBefore: deps.lossBefore(name),
      },
      this.#agents.fleet,
      report,
    );
    this.#loop = every(
      () => this.#nextTickInMs,
      () => this.#tick(),
      (error) => health.note(`reading of ${name}`, error),
    );
    this.#poll = {
      intervalMs: config.pollIntervalMs,
      baseIntervalMs: config.pollIntervalMs,
      isSlowed: false,
      slowedBecause: null,
      lastTickMs: 0,
      roundTripMs: 0,
      ownCpuRatio: 0,
      budgetRatio: config.cpuBudgetRatio,
      ticks: 0,
      failedTicks: 0,
    };
    this.#snapshot = this.#look(now(), []);
  }

  start(): void {
    this.#agents.start();
    this.#loop.start(0);
  }

  workerSeries(id: string): Series | null {
    return this.#agents.fleet.seriesOf(id);
  }

  /** The way to the agents of this Redis. */
  get agents(): AgentPort {
    return this.#agents.orders;
  }

  /**
   * What is known now. Whether it is live is judged at the moment of asking, so that it can't be so by neglect; to ask
   * changes nothing, and records nothing.
   */
  get snapshot(): Snapshot {
    const known = this.#snapshot;
    const nowMs = this.#deps.now();
    const isCurrent =
      this.#status.status(nowMs, this.#poll.intervalMs) === known.link.status &&
      known.markers === this.#deps.markers(this.#config.name);
    return isCurrent ? known : this.#look(nowMs, known.workers);
  }

  /** A worker that is gone is not missed any more: see Watch. */
  async dismissWorker(id: string): Promise<boolean | null> {
    const isDropped = this.#agents.dismiss(id);
    if (isDropped === null) return null;
    this.#snapshot = { ...this.#snapshot, workers: this.#snapshot.workers.filter((one) => one.id !== id) };
    return isDropped;
  }

  dismissLoss(untilMs: number): void {
    this.reader.loss.dismiss(untilMs);
    this.#snapshot = { ...this.#snapshot, dataLoss: this.reader.dataLoss };
  }

  instanceSeries() {
    return this.#recent.series();
  }

  /** Something was changed from here: it is read at once, and what was measured before says little for a while. */
  noteAction(done: Omit<Acted, 'atMs'>): void {
    const atMs = this.#deps.now();
    this.#actedAtMs = atMs;
    this.#acted = [...this.#actedSince(atMs), { ...done, atMs }].slice(-MAX_ACTED);
    this.#snapshot = { ...this.#snapshot, actedAtMs: atMs, acted: this.#allActed(atMs) };
    if (done.queue !== null) this.reader.refreshSoon(done.queue);
    // A tick that is under way has read before the change: another follows it at once.
    this.#loop.soon();
  }

  noteAudited(audited: readonly Acted[]): void {
    this.#audited = audited.filter((one) => !this.#acted.some((own) => isSameAct(own, one)));
    const changes = this.#audited.filter(({ isChange }) => isChange).map(({ atMs }) => atMs);
    if (changes.length > 0) this.#actedAtMs = Math.max(this.#actedAtMs ?? 0, ...changes);
  }

  #actedSince(nowMs: number): readonly Acted[] {
    return this.#acted.filter(({ atMs }) => nowMs - atMs < ACTED_MS);
  }

  /** From here and elsewhere, oldest first. */
  #allActed(nowMs: number): readonly Acted[] {
    const elsewhere = this.#audited.filter(({ atMs }) => nowMs - atMs < ACTED_MS);
    if (elsewhere.length === 0) return this.#actedSince(nowMs);
    return [...this.#actedSince(nowMs), ...elsewhere].sort((a, b) => a.atMs - b.atMs).slice(-MAX_ACTED);
  }

  /** Starts or stops a count, and shows it at once. @throws what that throws. */
  count<T>(order: (memory: InstanceMemory) => T): T {
    const progress = order(this.reader.memory);
    this.reader.collect();
    this.#snapshot = { ...this.#snapshot, queues: this.reader.queues };
    return progress;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    const stopped = this.#loop.stop();
    this.#events.flush();
    this.#agents.stop();
    await this.link.close();
    await stopped;
  }

  /** From the start of a tick: as planned, or a while after the end of one that could not read. */
  get #nextTickInMs(): number {
    return this.#isRead ? this.#poll.intervalMs : this.#poll.lastTickMs + RETRY_EVERY_MS;
  }

  async #tick(): Promise<void> {
    const startedAtMs = this.#deps.now();
    const ends = this.#cost.begin();
    const yielder = new Yielder();
    const isRead = await this.#read();
    this.#isRead = isRead;
    await yielder.yieldToEventLoop();
    if (this.#isStopped) return;
    const nowMs = this.#deps.now();
    this.#poll = { ...this.#poll, ticks: this.#poll.ticks + 1, lastTickMs: nowMs - startedAtMs };
    if (isRead) this.#noteGoodRead(nowMs);
    else this.#poll = { ...this.#poll, failedTicks: this.#poll.failedTicks + 1 };
    // Whatever of this throws, those who wait for ticks are called after this one.
    const { guard } = this.#deps.health;
    const { name } = this.#config;
    guard(`snapshot of ${name}`, () => this.#see(nowMs), undefined);
    if (isRead) guard(`verdicts on queues of ${name}`, () => this.#judgeQueues(nowMs), undefined);
    await yielder.yieldToEventLoop();
    guard(`timeline of ${name}`, () => this.#events.flush(), undefined);
    guard(`charts of ${name}`, () => this.#recent.add(nowMs, isRead ? this.reader.totals() : {}), undefined);
    if (isRead)
      guard(
        `orders for workers of ${name} that come later`,
        () => this.#agents.orders.look(this.#snapshot),
        undefined,
      );
    await this.#deps.onTick(name, nowMs);
    ends();
  }

  async #read(): Promise<boolean> {
    if (!this.link.isReady) {
      await this.link.noteLoading();
      return false;
    }
    const timeout = new Timeout(READ_TIMEOUT_MS);
    const givenUp = new AbortController();
    try {
      await Promise.race([this.reader.read(this.#poll.intervalMs, givenUp.signal), timeout.promise]);
      return true;
    } catch (error) {
      // Two reads at once would take each other's answers into account: what was asked is not answered any more once the
      // connection is cut, and what was answered before that is not taken.
      givenUp.abort(error);
      // A mistake of the console's own, which Redis and the network have no part in.
      if (error instanceof TypeError || error instanceof RangeError)
        this.#deps.health.note(`reading of ${this.#config.name}`, error);
      this.link.note(error);
      if (error instanceof ReadTimeout) this.link.reconnectReader();
      return false;
    } finally {
      timeout.clear();
    }
  }

  #noteGoodRead(nowMs: number): void {
    this.#status.lastReadAtMs = nowMs;
    this.link.problem = null;
    const ownCpuRatio = Math.max(0, ...this.reader.nodes.map((node) => node.ownCpuRatio));
    const roundTripMs = this.reader.roundTripMs;
    // With few, what a tick takes is what else the process or its host does meanwhile, and no reason to look less often.
    const isOfMany = this.reader.queues.length > MANY_QUEUES;
    const pace = nextPollIntervalMs({
      baseMs: this.#config.pollIntervalMs,
      currentMs: this.#poll.intervalMs,
      // What else is looked at keeps within what this leaves, and would not become cheaper by reading less often.
      ownCpuRatio: this.reader.regularCpuRatio,
      budgetRatio: this.#config.cpuBudgetRatio,
      roundTripMs,
      // Whoever has just opened it waits for the first picture.
      tickCpuMs: isOfMany && this.reader.hasFirstPicture ? this.#cost.cpuMs : 0,
    });
    this.#poll = {
      ...this.#poll,
      intervalMs: pace.intervalMs,
      isSlowed: pace.isSlowed,
      slowedBecause: pace.because,
      ownCpuRatio,
      roundTripMs,
    };
  }

  /** Once a tick: how it stands towards this Redis, who is there, and all that was read. */
  #see(nowMs: number): void {
    const status = this.#status.status(nowMs, this.#poll.intervalMs);
    this.#status.note(status, nowMs);
    const canTell = status === 'live' && !this.#deps.self().isStarved;
    const { name } = this.#config;
    const before = this.#snapshot.workers;
    const seen = this.#deps.health.guard(
      `workers of ${name}`,
      () => this.#agents.see(this.reader.queues, canTell, nowMs),
      before,
    );
    this.#snapshot = this.#look(nowMs, seen);
  }

  /** Puts together what is known; changes nothing. */
  #look(nowMs: number, seenWorkers: readonly SeenWorker[]): Snapshot {
    const { reader } = this;
    const seen = {
      instance: this.#config.name,
      atMs: nowMs,
      link: this.#status.state(this.#status.status(nowMs, this.#poll.intervalMs), nowMs),
      capabilities: this.link.capabilities,
      nodes: reader.nodes,
      queues: reader.queues,
      unread: reader.unread,
      hearing: this.#agents.hearing(nowMs),
      markers: this.#deps.markers(this.#config.name),
      discovery: reader.discovery,
      dataLoss: reader.dataLoss,
      poll: this.#poll,
      self: this.#deps.self(),
      permits: this.#deps.permits,
      actedAtMs: this.#actedAtMs,
      acted: this.#allActed(nowMs),
    };
    const before: readonly WorkerState[] = this.#snapshot?.workers ?? [];
    const workers = this.#deps.health.guard(
      `verdicts on workers of ${this.#config.name}`,
      () => judgeFleet(seenWorkers, seen, nowMs, before),
      before,
    );
    return { ...seen, workers };
  }

  /** Once a tick: everything else reads `QueueState.verdict`. */
  #judgeQueues(nowMs: number): void {
    const { thresholds } = this.#deps;
    const snapshot = this.#snapshot;
    this.reader.judge(
      (queue) => queueVerdict(queue, snapshot, nowMs, thresholds),
      (queue) =>
        queue.backlog >= thresholds.backlogMinJobs && !isSettling(snapshot, nowMs) && hasGround(queue),
      nowMs,
    );
  }
}
