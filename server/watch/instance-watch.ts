import type { Thresholds } from '../model/finding.js';
import type { InstanceConfig } from '../model/instance-config.js';
import type { CountProgress } from '../model/memory.js';
import { queueVerdict } from '../model/queue-verdict.js';
import { attendedMs, type SelfDelay } from '../model/self-delay.js';
import { isSettling } from '../model/sight.js';
import type { DataLoss, LinkState, Marker, PollState, Snapshot } from '../model/snapshot.js';
import { judgeLink, type LinkStatus } from '../model/snapshot.js';
import type { RecordEvent } from '../model/timeline-entry.js';
import type { SeenWorker, WorkerState } from '../model/worker.js';
import { every, type Loop } from '../process/every.js';
import type { OwnHealth } from '../process/own-health.js';
import { Turns } from '../process/turns.js';
import { AgentChannel } from '../redis/agent-channel.js';
import { ReadTimeout, Timeout } from '../redis/connect.js';
import type { RedisLink } from '../redis/link.js';
import { MessageIntake } from './agent-bounds.js';
import { AgentOrders } from './agent-orders.js';
import {
  EventCoalescer,
  hearingChanged,
  redisBack,
  redisUnreachable,
  silenceInWords,
} from './connection-events.js';
import { Fleet, type FleetEvent } from './fleet.js';
import type { GivenOrders } from './given-orders.js';
import { hasGround } from './hold-queue-verdict.js';
import { InstanceReader } from './instance-reader.js';
import { judgeFleet } from './judge-fleet.js';
import { LostKeeper } from './lost-keeper.js';
import { type LostWorkerStore, LostWorkers } from './lost-workers.js';
import { Overrides } from './overrides.js';
import { nextPollIntervalMs, TickCost } from './pace.js';
import { RecentSeries } from './recent.js';
import type { TickListener } from './watch.js';

/** A read that takes longer is given up; the connection is dropped, as it may be half open. */
const READ_TIMEOUT_MS = 2_500;
/** How often a Redis that can't be read is tried. */
const RETRY_EVERY_MS = 500;
/** From so many queues on, what they cost the console itself is a reason to read them less often. */
const MANY_QUEUES = 500;
/** A connection that fails when the console has been held up for so long fails by that, as far as is known yet. */
const HELD_UP_MS = 1_000;
/** After an outage agents connect anew, as the console does: for so long nobody is told to be gone. */
const AGENTS_BACK_MS = 3_000;

export interface InstanceWatchDeps {
  /** Run time from which a person calls a job type slow; null: not set. */
  readonly slowThresholdMs: (instance: string, queueId: string, type: string) => number | null;
  /** 0 ≤ x < 1 */
  readonly random: () => number;
  readonly newId: () => string;
  /** A loss of data that an earlier process of this console found. */
  readonly lossBefore: (instance: string) => DataLoss | null;
  readonly tell: RecordEvent;
  readonly now: () => number;
  readonly log: { info(message: string): void; warn(message: string): void };
  readonly thresholds: Thresholds;
  /** Resolves when all who follow ticks have been told. */
  readonly onTick: (...tick: Parameters<TickListener>) => Promise<void>;
  /** How far this process was held up: its own silence is not that of others. */
  readonly self: () => SelfDelay;
  /** Told of what throws. */
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
  readonly #config: InstanceConfig;
  readonly #deps: InstanceWatchDeps;
  readonly #reader: InstanceReader;
  readonly #fleet: Fleet;
  readonly #lost: LostWorkers;
  readonly #lostKeeper: LostKeeper;
  readonly #channel: AgentChannel;
  readonly #intake = new MessageIntake();
  readonly #eventCoalescer: EventCoalescer;
  readonly agents: AgentOrders;
  readonly #recent = new RecentSeries(
    ['usedBytes', 'limitBytes', 'opsPerSecond', 'arrivalsPerSecond', 'departuresPerSecond', 'backlog'],
    900,
    900,
  );
  readonly #loop: Loop;
  readonly #cost = new TickCost();
  #isStopped = false;
  #lastReadAtMs: number | null = null;
  #status: LinkStatus = 'connecting';
  #sinceMs: number;
  #startedAtMs: number;
  #hasToldOutage = false;
  #actedAtMs: number | null = null;
  #isRead = false;
  #poll: PollState;
  #workers: readonly WorkerState[] = [];
  #snapshot: Snapshot;

  constructor(config: InstanceConfig, link: RedisLink, deps: InstanceWatchDeps) {
    this.#config = config;
    this.link = link;
    this.#deps = deps;
    this.#startedAtMs = deps.now();
    this.#eventCoalescer = new EventCoalescer(deps.tell);
    this.#lostKeeper = new LostKeeper(deps.lostWorkers, config.name, (text) =>
      deps.log.warn(`${config.name}: ${text}`),
    );
    this.#lost = new LostWorkers((id, lost) => this.#lostKeeper.write(id, lost));
    this.#fleet = new Fleet(
      this.#startedAtMs,
      (event) => this.#tellEvent(event),
      (queueId, process, types, nowMs) => this.#reader.hear(queueId, process, types, nowMs),
      this.#lost,
      this.#intake,
    );
    this.#reader = new InstanceReader(
      config,
      link,
      {
        ...deps,
        thresholdOf: (queueId, type) => deps.slowThresholdMs(config.name, queueId, type),
        lossBefore: deps.lossBefore(config.name),
      },
      this.#fleet,
      (event) => this.#tellEvent(event),
    );
    this.#channel = new AgentChannel(config, link.client, deps.newId(), deps.now, (error) =>
      deps.health.note(`the way to agents of ${config.name}`, error),
    );
    this.agents = new AgentOrders(this.#channel, this.#overrides());
    const guarded = (part: string, run: () => void) => deps.health.guard(part, run, undefined);
    this.#channel.onMessage((payload, sender) =>
      guarded(`messages of agents of ${config.name}`, () => {
        if (!this.#intake.admits(sender, this.#fleet.knows(sender), deps.now())) return;
        const ack = this.#intake.timed(() => this.#fleet.hear(payload, deps.now()));
        if (ack) this.agents.answered(ack);
      }),
    );
    this.#channel.onChange((state, before) =>
      guarded(`the way to agents of ${config.name}`, () => {
        const event = hearingChanged(state, before);
        if (event) this.#tellEvent(event);
      }),
    );
    this.#loop = every(
      () => this.#nextTickInMs,
      () => this.#tick(),
      (error) => deps.health.note(`reading of ${config.name}`, error),
    );
    this.#sinceMs = this.#startedAtMs;
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
    this.#snapshot = this.#makeSnapshot();
  }

  start(): void {
    this.#lostKeeper
      .recall()
      .then((kept) => this.#fleet.recall(kept))
      .catch((error: unknown) => this.#deps.log.warn(`workers that are gone: ${String(error)}`));
    this.#loop.start(0);
  }

  /**
   * A worker that is gone is not missed any more.
   * @returns null: no such worker is missed; false: the store still holds it, so that it is missed again after a restart.
   */
  async dismissWorker(id: string): Promise<boolean | null> {
    if (!this.#fleet.dismiss(id)) return null;
    this.#snapshot = this.#makeSnapshot();
    return this.#lostKeeper.drop(id);
  }

  dismissLoss(untilMs: number): void {
    this.#reader.dismissLoss(untilMs);
    this.#snapshot = this.#makeSnapshot();
  }

  /** What is known now; the status is worked out at the moment of asking, so that it can't be live by neglect. */
  get snapshot(): Snapshot {
    const status = this.#judge(this.#deps.now());
    const isCurrent =
      status === this.#snapshot.link.status &&
      this.#snapshot.markers === this.#deps.markers(this.#config.name);
    return isCurrent ? this.#snapshot : this.#makeSnapshot();
  }

  instanceSeries() {
    return this.#recent.series();
  }

  queueSeries(queueId: string) {
    return this.#reader.queueSeries(queueId);
  }

  refreshSoon(queueId: string): void {
    this.#reader.refreshSoon(queueId);
  }

  /** Something was changed from here: it is read at once, and what was measured before says little for a while. */
  noteAction(queueId: string | null): void {
    this.#actedAtMs = this.#deps.now();
    this.#snapshot = { ...this.#snapshot, actedAtMs: this.#actedAtMs };
    if (queueId !== null) this.refreshSoon(queueId);
    // A tick that is under way has read before the change: another follows it at once.
    this.#loop.soon();
  }

  /** @throws CountRefused */
  startCount(queueId: string): CountProgress {
    const progress = this.#reader.startCount(queueId);
    this.#snapshot = this.#makeSnapshot();
    return progress;
  }

  stopCount(queueId: string): CountProgress | null {
    const progress = this.#reader.stopCount(queueId);
    this.#snapshot = this.#makeSnapshot();
    return progress;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    const stopped = this.#loop.stop();
    this.#eventCoalescer.flush();
    this.#channel.stop();
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
    const turns = new Turns();
    const isRead = await this.#read();
    this.#isRead = isRead;
    await turns.next();
    if (this.#isStopped) return;
    const nowMs = this.#deps.now();
    this.#poll = { ...this.#poll, ticks: this.#poll.ticks + 1, lastTickMs: nowMs - startedAtMs };
    if (isRead) this.#noteGoodRead(nowMs);
    else this.#poll = { ...this.#poll, failedTicks: this.#poll.failedTicks + 1 };
    // Whatever of this throws, those who wait for ticks are told of this one.
    const { guard } = this.#deps.health;
    const { name } = this.#config;
    this.#lostKeeper.refresh(nowMs, (id) => void this.#fleet.dismiss(id));
    this.#snapshot = guard(`snapshot of ${name}`, () => this.#makeSnapshot(nowMs), this.#snapshot);
    if (isRead)
      guard(`verdicts on queues of ${name}`, () => this.#judgeQueues(this.#snapshot, nowMs), undefined);
    await turns.next();
    guard(`timeline of ${name}`, () => this.#eventCoalescer.flush(), undefined);
    guard(`charts of ${name}`, () => this.#note(nowMs, isRead), undefined);
    if (isRead)
      guard(
        `orders for workers of ${name} that come later`,
        () => this.agents.look(this.#snapshot),
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
      await Promise.race([this.#reader.read(this.#poll.intervalMs, givenUp.signal), timeout.promise]);
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
    this.#lastReadAtMs = nowMs;
    this.link.problem = null;
    const ownCpuRatio = Math.max(0, ...this.#reader.nodes.map((node) => node.ownCpuRatio));
    const roundTripMs = this.#reader.roundTripMs;
    // With few, what a tick takes is what else the process or its host does meanwhile, and no reason to look less often.
    const isOfMany = this.#reader.queues.length > MANY_QUEUES;
    const pace = nextPollIntervalMs({
      baseMs: this.#config.pollIntervalMs,
      currentMs: this.#poll.intervalMs,
      // What else is looked at keeps within what this leaves, and would not become cheaper by reading less often.
      ownCpuRatio: this.#reader.regularCpuRatio,
      budgetRatio: this.#config.cpuBudgetRatio,
      roundTripMs,
      // Whoever has just opened it waits for the first picture.
      tickCpuMs: isOfMany && this.#reader.hasFirstPicture ? this.#cost.cpuMs : 0,
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

  #overrides(): Overrides | null {
    const { givenOrders: store, newId, now, health } = this.#deps;
    if (this.#config.agentSecret === null || store === null) return null;
    return new Overrides({
      instance: this.#config.name,
      store,
      send: (queueId, order) => this.#channel.publishOrder(queueId, this.#channel.sign(order)),
      newId,
      now,
      onFault: (error) => health.note(`orders for workers of ${this.#config.name} that come later`, error),
    });
  }

  #judge(nowMs: number): LinkStatus {
    const self = this.#deps.self();
    const sinceMs = this.#lastReadAtMs ?? this.#startedAtMs;
    const heldUpMs = nowMs - sinceMs - attendedMs(self, sinceMs, nowMs);
    return judgeLink({
      nowMs,
      startedAtMs: this.#startedAtMs,
      lastReadAtMs: this.#lastReadAtMs,
      intervalMs: this.#poll.intervalMs,
      readTimeoutMs: READ_TIMEOUT_MS,
      attendedMs: (fromMs, toMs) => attendedMs(self, fromMs, toMs),
      // Timers of the connection too find their time over before what came meanwhile is read.
      hasProblem: this.link.problem !== null && heldUpMs < HELD_UP_MS,
      isReady: this.link.isReady,
    });
  }

  #note(nowMs: number, isRead: boolean): void {
    const values = isRead ? this.#reader.totals() : {};
    this.#recent.add(nowMs, values);
  }

  /** Once a tick: everything else reads `QueueState.verdict`. */
  #judgeQueues(snapshot: Snapshot, nowMs: number): void {
    const { thresholds } = this.#deps;
    this.#reader.judge(
      (queue) => queueVerdict(queue, snapshot, nowMs, thresholds),
      (queue) =>
        queue.backlog >= thresholds.backlogMinJobs && !isSettling(snapshot, nowMs) && hasGround(queue),
      nowMs,
    );
  }

  #makeSnapshot(nowMs: number = this.#deps.now()): Snapshot {
    const seen = {
      instance: this.#config.name,
      atMs: nowMs,
      link: this.#linkState(nowMs),
      capabilities: this.link.capabilities,
      nodes: this.#reader.nodes,
      queues: this.#reader.queues,
      unread: this.#reader.unread,
      hearing: {
        ...this.#channel.state,
        agents: this.#fleet.agents,
        unreadable: this.#fleet.unreadable,
        overflow: this.#intake.overflow(nowMs),
      },
      markers: this.#deps.markers(this.#config.name),
      discovery: this.#reader.discovery,
      dataLoss: this.#reader.dataLoss,
      poll: this.#poll,
      self: this.#deps.self(),
      actedAtMs: this.#actedAtMs,
    };
    this.#workers = this.#deps.health.guard(
      `verdicts on workers of ${this.#config.name}`,
      () => judgeFleet(this.#seenWorkers(nowMs), seen, nowMs, this.#workers),
      this.#workers,
    );
    return { ...seen, workers: this.#workers };
  }

  #seenWorkers(nowMs: number): readonly SeenWorker[] {
    const kept = new Map(this.#reader.queues.map((queue) => [queue.id, queue.overrides]));
    const { status, sinceMs } = this.#channel.state;
    const hasHeardForLong = status === 'hearing' && nowMs - sinceMs > AGENTS_BACK_MS;
    // A beat that was not read is none that was not sent.
    const hasReadAll = this.#intake.overflow(nowMs) === null;
    const canTell =
      hasReadAll && hasHeardForLong && this.#judge(nowMs) === 'live' && !this.#deps.self().isStarved;
    return this.#fleet.states(nowMs, (queueId) => kept.get(queueId) ?? [], canTell);
  }

  #tellEvent(event: FleetEvent): void {
    this.#eventCoalescer.add({ ...event, atMs: this.#deps.now(), instance: this.#config.name });
  }

  #linkState(nowMs: number): LinkState {
    const status = this.#judge(nowMs);
    if (status !== this.#status) {
      this.#tell(status);
      this.#status = status;
      this.#sinceMs = nowMs;
    }
    return {
      status,
      problem: status === 'live' ? null : (this.link.problem ?? silenceInWords(status, this.link.address)),
      loading: status === 'live' ? null : this.link.loading,
      lastReadAtMs: this.#lastReadAtMs,
      sinceMs: this.#sinceMs,
      address: this.link.address,
      topology: this.link.topology,
    };
  }

  /** One line when sight is lost and one when it is back, however often it is tried in between. */
  #tell(status: LinkStatus): void {
    const { name } = this.#config;
    if (status === 'live') {
      if (this.#hasToldOutage) this.#tellEvent(redisBack(this.link.address));
      this.#hasToldOutage = false;
      this.#deps.log.info(`${name}: reading Redis at ${this.link.address}`);
    } else if (status !== 'connecting' && !this.#hasToldOutage) {
      this.#hasToldOutage = true;
      const problem = this.link.problem ?? silenceInWords(status, this.link.address);
      this.#deps.log.warn(`${name}: ${problem}; the console keeps trying`);
      this.#tellEvent(redisUnreachable(problem));
    }
  }
}
