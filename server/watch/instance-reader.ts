import type { TypeBeat } from '../../agent/protocol.js';
import type { InstanceConfig } from '../model/instance-config.js';
import type { CountProgress } from '../model/memory.js';
import type {
  DataLoss,
  DiscoveryState,
  QueueState,
  QueueVerdict,
  RedisNode,
  Unread,
} from '../model/snapshot.js';
import { ClusterSight, ping } from '../redis/cluster-sight.js';
import { type DiscoveryStep, MAX_QUEUES } from '../redis/discover.js';
import { readHeldLocks } from '../redis/held-locks.js';
import type { MasterNode, RedisLink } from '../redis/link.js';
import { orThrow, ReadBatch, Refused } from '../redis/read-batch.js';
import { addQueueReads, completeReadings } from '../redis/read-queues.js';
import { addServerRead, cgroupLimitBytes } from '../redis/read-server.js';
import { anotherProcess, dataLost } from './connection-events.js';
import { DataLossWatch } from './data-loss.js';
import type { Fleet, FleetEvent } from './fleet.js';
import { InstanceMemory } from './instance-memory.js';
import { totalsOf } from './instance-totals.js';
import { InstanceTypes, type ThresholdOf } from './instance-types.js';
import { discoveryStateOf, QueueLimit } from './queue-limit.js';
import type { Series } from './watch.js';
import type { WatchedNode } from './watched-node.js';
import { SeenClients, WatchedNodes } from './watched-nodes.js';
import { WatchedQueue } from './watched-queue.js';

/** Reads of queues that one tick may hold; the rest waits for the next. */
const QUEUES_A_TICK = 1_000;
/** Part of what may be spent that goes to the walk over all keys; more while most queues are not known. */
const WALK_SHARE = 0.35;
/** At most, where all keys would not be met in time for a new queue to show. */
const MAX_WALK_SHARE = 0.7;
const PASS_WITHIN_MS = 20_000;
const FIRST_WALK_SHARE = 0.6;
/** Masters of a Cluster are met one after the other; one that comes later has taken over from another. */
const FIRST_TICKS = 10;
/** That of 20,000 clients with names as BullMQ gives them. [run: 3,000 with names of 2 KB are 6.8 MB, 44 ms] */
const MAX_CLIENT_LIST_BYTES = 8 * 1024 * 1024;
const ONE_SCAN: ReadonlyMap<string, number> = new Map([['scan', 1]]);
/** Looking for queues and keys takes most of the budget; while somebody waits for a count it may take longer. */
const SHARE_WHILE_COUNTING = 0.1;

/** What is sent to one Redis in one tick, and what is known of it: nodes, queues, where discovery stands. */
export class InstanceReader {
  readonly #config: InstanceConfig;
  readonly #link: RedisLink;
  readonly #now: () => number;
  readonly #fleet: Fleet;
  readonly #tell: (event: FleetEvent) => void;
  readonly #loss: DataLossWatch;
  readonly #queues = new Map<string, WatchedQueue>();
  readonly #limit: QueueLimit<WatchedQueue>;
  readonly #configured: ReadonlySet<string>;
  readonly #nodes: WatchedNodes;
  readonly #clients = new SeenClients();
  readonly #memory: InstanceMemory;
  readonly types: InstanceTypes;
  #tick = 0;
  #hasReadAll = false;
  #states: QueueState[] = [];
  #unread: Unread = { queues: [], nodes: [] };
  readonly #sight: ClusterSight;
  roundTripMs = 0;

  /**
   * @param deps random: 0 ≤ x < 1, for samples.
   * @param tell told when a master is another process than before, or data were lost.
   */
  constructor(
    config: InstanceConfig,
    link: RedisLink,
    deps: {
      readonly now: () => number;
      readonly random: () => number;
      readonly thresholdOf: ThresholdOf;
      readonly lossBefore: DataLoss | null;
    },
    fleet: Fleet,
    tell: (event: FleetEvent) => void,
  ) {
    this.#fleet = fleet;
    this.#limit = new QueueLimit(this.#queues, MAX_QUEUES, deps.now);
    this.#memory = new InstanceMemory(deps.random, config.tenantField, this.#limit, deps.now);
    this.types = new InstanceTypes(
      (queue, key, nowMs) => this.#memory.sampledOf(queue, key, nowMs),
      () => fleet.slotsByQueue(),
      deps.thresholdOf,
    );
    this.#tell = tell;
    this.#loss = new DataLossWatch(deps.lossBefore);
    this.#config = config;
    this.#link = link;
    this.#now = deps.now;
    this.#nodes = new WatchedNodes(config.cpuBudgetRatio);
    this.#sight = new ClusterSight(link, deps.now);
    this.#configured = new Set(config.queues.map((id) => (id.includes(':') ? id : `bull:${id}`)));
  }

  get nodes(): readonly RedisNode[] {
    return this.#nodes.states;
  }

  /** What belongs to this Redis and is not known now. */
  get unread(): Unread {
    return this.#unread;
  }

  get queues(): readonly QueueState[] {
    return this.#states;
  }

  get discovery(): DiscoveryState {
    const { beyond: queuesBeyond, longNames } = this.#limit;
    return { ...discoveryStateOf(this.#nodes.discoveries), queuesBeyond, longNames };
  }

  /** Nearly all queues that hold more than some jobs are known, and all that are known have been read. */
  get hasFirstPicture(): boolean {
    return this.#hasReadAll && this.#nodes.discoveries.every(({ hasMetMost }) => hasMetMost);
  }

  /**
   * One tick. Throws when the connection fails or Redis refuses what everything hangs on (INFO). Of a Cluster, only where
   * that is so of all masters: what lies on one that does not answer is not known, and the rest is.
   * @param givenUp ends it at its next step: an answer that comes after that is not taken.
   */
  async read(intervalMs: number, givenUp: AbortSignal): Promise<void> {
    this.#tick += 1;
    if (this.#link.capabilities === null) await this.#link.refreshCapabilities();
    for (const id of this.#configured) this.#add(id);
    const masters = this.#link.masters();
    if (masters.length === 0) throw new Error('CLUSTERDOWN no master is known');
    this.#forgetNodes(masters);
    const due = new Set(this.#takeDue());
    const answering = await this.#sight.each(masters, givenUp, (master, _, ends) =>
      this.#readMaster(master, due, intervalMs, ends),
    );
    givenUp.throwIfAborted();
    this.#noteUnanswered(due, answering, intervalMs);
    // Masters take turns: what is read of job data in one tick is bounded for all together.
    await this.#sight.each(answering, givenUp, (master, i, ends) =>
      this.#lookFurther(master, intervalMs, i === this.#tick % answering.length, ends),
    );
    givenUp.throwIfAborted();
    this.#memory.sampler.forgetAllBut(this.#queues);
    this.types.forgetAllBut(this.#queues, this.#now());
    this.#memory.exact.forgetAllBut(this.#queues, this.#now());
    const locksDue = this.#fleet.dueForLocks(this.#now());
    await this.#sight.each(answering, givenUp, (master) => this.#readLocks(master, locksDue));
    const lost = this.#loss.takeNews(this.#queues.size, this.#now());
    if (lost) this.#tell(dataLost(lost));
    this.#dropGone();
    this.#tellStates();
  }

  get dataLoss(): DataLoss | null {
    return this.#loss.current(this.#now());
  }

  dismissLoss(untilMs: number): void {
    this.#loss.dismiss(untilMs);
  }

  get regularCpuRatio(): number {
    return this.#nodes.regularCpuRatio;
  }

  /** What a beat tells of one worker's job types; of a queue that is not known little is kept, and not for long. */
  hear(queueId: string, process: string, types: readonly TypeBeat[], nowMs: number): void {
    this.types.hear(queueId, process, types, nowMs, this.#queues.has(queueId));
  }

  /** Sums for the chart of the instance. */
  totals(): Readonly<Record<string, number | null>> {
    return totalsOf(this.nodes, this.#states, this.#unread);
  }

  queueSeries(queueId: string): Series {
    return this.#queues.get(queueId)?.series() ?? { atMs: [], values: {} };
  }

  /** Gives every queue its verdict of this tick. The list handed out since the last read is brought up to date in place. */
  judge(
    verdictOf: (queue: QueueState) => QueueVerdict,
    isPressed: (queue: QueueState) => boolean,
    nowMs: number,
  ): void {
    this.#states.forEach((state, i) => {
      const queue = this.#queues.get(state.id);
      queue?.judge(verdictOf(state), isPressed(state), nowMs);
      this.#states[i] = queue?.state ?? state;
    });
  }

  refreshSoon(queueId: string): void {
    this.#queues.get(queueId)?.refreshSoon();
    this.types.judgeSoon(queueId);
  }

  /** @throws CountRefused */
  startCount(queueId: string): CountProgress {
    const isPermitted = this.#link.capabilities?.canMeasureMemory !== false;
    const progress = this.#memory.startCount(queueId, this.#queues.get(queueId) ?? null, isPermitted);
    this.#tellStates();
    return progress;
  }

  /** null: none was asked for. */
  stopCount(queueId: string): CountProgress | null {
    const progress = this.#memory.stopCount(queueId, this.#queues.get(queueId) ?? null);
    this.#tellStates();
    return progress;
  }

  #tellStates(): void {
    const queues = [...this.#queues.values()];
    this.#states = queues.flatMap((queue) => queue.state ?? []);
    this.#unread = {
      queues: queues.flatMap((queue) => queue.unread ?? []),
      nodes: this.#nodes.unread,
    };
  }

  #add(id: string, hasWorkers = false): void {
    if (!this.#queues.has(id) && this.#limit.admit(id, hasWorkers)) {
      this.#queues.set(id, new WatchedQueue(id, this.#now(), this.#config.pollIntervalMs));
    }
  }

  #takeDue(): readonly WatchedQueue[] {
    const nowMs = this.#now();
    const dueNow = [...this.#queues.values()].filter((queue) => queue.isDue(nowMs));
    // Of one that was found just now nothing is known at all: it goes before those that are looked at again.
    const due =
      dueNow.length <= QUEUES_A_TICK
        ? dueNow
        : [
            ...dueNow.filter(({ last }) => last === null),
            ...dueNow.filter(({ last }) => last !== null),
          ].slice(0, QUEUES_A_TICK);
    this.#hasReadAll = dueNow.length === due.length || due.at(-1)?.last !== null;
    // What was read goes to the back of the map's order, so that beyond the bound all take turns.
    if (due.length === QUEUES_A_TICK) {
      for (const queue of due) {
        this.#queues.delete(queue.id);
        this.#queues.set(queue.id, queue);
      }
    }
    return due;
  }

  /** @param due loses those that were read, or refused. */
  async #readMaster(
    master: MasterNode,
    due: Set<WatchedQueue>,
    intervalMs: number,
    givenUp: AbortSignal,
  ): Promise<void> {
    const node = this.#nodes.of(master);
    const mine = [...due].filter((queue) => this.#sight.isOn(master.id, queue.id));
    const batch = new ReadBatch();
    const infoSlot = addServerRead(batch, this.#link.capabilities?.canFlagScripts ?? false);
    const plannedAtMs = this.#now();
    const plans = mine.map((queue) => queue.plan(plannedAtMs));
    const decode = addQueueReads(batch, plans, this.#sight.isCluster);
    // By itself: the large pipeline that follows takes as long to be put together and taken apart here as there.
    const refusal = await ping(master.client);
    this.roundTripMs = this.#now() - plannedAtMs;
    await this.#readClients(master, node);
    await batch.run(master.client);
    givenUp.throwIfAborted();
    const nowMs = this.#now();
    node.count(batch.calls);
    const infoText = orThrow(batch.read((answers) => answers.text(infoSlot))) ?? '';
    const outputBytes = this.#clients.outputBytesOf(master.id);
    const isNewMaster = this.#tick > FIRST_TICKS && !this.#nodes.has(master.id);
    const isAnother = node.take(infoText, nowMs, outputBytes, refusal);
    if (isAnother) this.#tell(anotherProcess(this.#link.topology, master.address));
    if (isAnother || isNewMaster || node.hasFlushed)
      this.#readAllAnew(node.hasFlushed, master.address, nowMs);
    const first = decode();
    if (first.some((reading) => reading instanceof Refused && reading.isAboutPlace)) this.#sight.refresh();
    const places = { isCluster: this.#sight.isCluster, nodeAt: this.#link.nodeAt };
    const { readings, calls } = await completeReadings(master.client, plans, first, places);
    givenUp.throwIfAborted();
    node.count(calls);
    mine.forEach((queue, i) => {
      const reading = readings[i];
      if (reading instanceof Refused) queue.refuse(reading, nowMs, intervalMs);
      else if (reading) {
        this.#loss.note(queue.last, reading, this.#queues.size, nowMs);
        queue.take(reading, nowMs, intervalMs, this.#clients.workersOf(queue.id));
      }
      due.delete(queue);
    });
  }

  /** Another process answers, or its data were taken away: what was known may not be so, and is no number of now. */
  #readAllAnew(hasFlushed: boolean, address: string, nowMs: number): void {
    const cause = hasFlushed
      ? `Redis at ${address} was flushed`
      : `Redis at ${address} is another process than before, by a restart or a failover`;
    this.#loss.suspect(cause, nowMs);
    this.types.forgetPlaces();
    for (const queue of this.#queues.values()) queue.forgetPast();
    this.#memory.exact.forgetResults([...this.#queues.keys()]);
  }

  /** What lies on masters that did not answer in this tick is not known; so are these masters. */
  #noteUnanswered(due: Iterable<WatchedQueue>, answering: readonly MasterNode[], intervalMs: number): void {
    const ids = new Set(answering.map(({ id }) => id));
    this.#nodes.missAllBut(ids);
    for (const queue of due) {
      const problem = this.#sight.silenceOf(queue.id, ids);
      if (problem !== null) queue.refuse(new Refused(null, problem), this.#now(), intervalMs);
    }
  }

  #forgetNodes(masters: readonly MasterNode[]): void {
    // A master that is down is no more among the connections, but the Cluster still counts on it.
    const ids = new Set([...masters.map((master) => master.id), ...this.#link.slotOwners()]);
    this.#nodes.forgetAllBut(ids);
    this.#clients.forgetAllBut(ids);
  }

  /** By itself, as clients may give themselves names of any length: what that costs is then not the rest of the tick. */
  async #readClients(master: MasterNode, node: WatchedNode): Promise<void> {
    const isWanted = this.#clients.isDue(this.#tick, this.#fleet.wantsClients(this.#now()));
    if (!isWanted || !this.#link.capabilities?.canListClients) return;
    const batch = new ReadBatch();
    const slot = batch.add('client', 'LIST');
    await batch.run(master.client, undefined, MAX_CLIENT_LIST_BYTES);
    node.count(batch.calls);
    const text = batch.read((answers) => answers.text(slot));
    // Refused: who is connected stays as it was last seen.
    if (typeof text === 'string') this.#takeClients(master.id, text);
    if (!batch.isTooLarge) return;
    this.#clients.lose(master.id, this.#tick);
    this.#fleet.loseClients();
    for (const queue of this.#queues.values()) queue.setWorkers(null);
  }

  #takeClients(masterId: string, text: string): void {
    const reading = this.#clients.take(masterId, text, this.#tick);
    this.#fleet.takeClients(reading, this.#now());
    for (const queue of this.#queues.values()) queue.setWorkers(this.#clients.workersOf(queue.id));
    for (const id of reading.queueIds) this.#add(id, reading.workersByQueue.has(id));
  }

  /** What can wait, as far as the budget goes: what ended, new queues, where the memory is. */
  async #lookFurther(
    master: MasterNode,
    intervalMs: number,
    mayReadData: boolean,
    givenUp: AbortSignal,
  ): Promise<void> {
    const node = this.#nodes.get(master.id);
    if (!node) return;
    const nowMs = this.#now();
    const elapsedMs = node.earn(nowMs, intervalMs);
    this.#memory.exact.pace(node.state?.ownCpuRatio ?? 0, this.#config.cpuBudgetRatio);
    const queues = [...this.#queues.values()].filter((queue) => this.#sight.isOn(master.id, queue.id));
    await this.types.read(master.client, node, queues, nowMs);
    givenUp.throwIfAborted();
    const walked = await this.#walk(master, node, nowMs, elapsedMs);
    givenUp.throwIfAborted();
    if (this.#link.capabilities?.canMeasureMemory)
      await this.#memory.read({ ...master, node, queues, mayReadData }, walked, nowMs);
  }

  async #walk(
    master: MasterNode,
    node: WatchedNode,
    nowMs: number,
    elapsedMs: number,
  ): Promise<DiscoveryStep> {
    const discovery = this.#nodes.discoveryOf(master.id);
    const share = this.#memory.exact.isRunning ? SHARE_WHILE_COUNTING : 1;
    const scanUsec = node.usecOf(ONE_SCAN);
    const allowanceUsec =
      share *
      (node.isFirstLook || !discovery.hasMetMost
        ? node.leftUsec * FIRST_WALK_SHARE
        : Math.min(
            node.incomeUsec * MAX_WALK_SHARE,
            Math.max(
              node.incomeUsec * WALK_SHARE,
              discovery.passUsec(scanUsec) * (elapsedMs / PASS_WITHIN_MS),
            ),
          ));
    const step = await discovery.step(master.client, nowMs, allowanceUsec, scanUsec, this.#limit);
    node.pay(step.calls);
    for (const id of step.found) this.#add(id);
    node.grant(step.found.length);
    if (node.processId !== null && this.#tick % 60 === 1 && isLoopback(master.address)) {
      node.setCgroupLimit(await cgroupLimitBytes(node.processId));
    }
    return step;
  }

  async #readLocks(master: MasterNode, due: ReturnType<Fleet['dueForLocks']>): Promise<void> {
    const nowMs = this.#now();
    const mine = due.filter(({ queueId }) => this.#sight.isOn(master.id, queueId));
    await Promise.all(
      mine.map(async ({ queueId, keep, ...held }) => {
        const read = await readHeldLocks(master.client, queueId, held, nowMs);
        if (read instanceof Refused) return;
        keep(read.locks);
        this.#nodes.get(master.id)?.count(read.calls);
      }),
    );
  }

  #dropGone(): void {
    for (const queue of this.#queues.values()) {
      if (queue.isGone && !this.#configured.has(queue.id)) this.#queues.delete(queue.id);
    }
    if (this.#limit.beyond > 0) for (const id of this.#limit.takeWaiting()) this.#add(id);
  }
}

function isLoopback(address: string): boolean {
  return /^(127\.|localhost|\[?::1)/.test(address);
}
