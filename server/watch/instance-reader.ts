import type { Redis } from 'ioredis';
import type { QueueVerdict } from '../findings/verdict.js';
import type { InstanceConfig } from '../instance-config.js';
import { cgroupLimitBytes } from '../redis/cgroup-limit.js';
import { Discovery, type DiscoveryStep, MOST_QUEUES } from '../redis/discover.js';
import { readHeldLocks } from '../redis/held-locks.js';
import type { MasterNode, RedisLink } from '../redis/link.js';
import { ReadBatch } from '../redis/read-batch.js';
import { addQueueReads, completeReadings } from '../redis/read-queues.js';
import { addServerRead } from '../redis/read-server.js';
import { isCluster, ownerOf } from '../redis/slot-owner.js';
import { discoveryStateOf } from './discovery-state.js';
import type { Fleet } from './fleet.js';
import { InstanceMemory } from './instance-memory.js';
import { totalsOf } from './instance-totals.js';
import { InstanceTypes, type ThresholdOf } from './instance-types.js';
import type { CountProgress } from './memory-state.js';
import { SeenClients } from './seen-clients.js';
import type { DiscoveryState, QueueState, RedisNode } from './snapshot.js';
import type { Series } from './watch.js';
import { WatchedNode } from './watched-node.js';
import { WatchedQueue } from './watched-queue.js';

/** Reads of queues that one tick may hold; the rest waits for the next. */
const QUEUES_A_TICK = 1_000;
/** Part of what may be spent that goes to the walk over all keys; more while most queues are not known. */
const WALK_SHARE = 0.35;
const FIRST_WALK_SHARE = 0.6;
const ONE_SCAN: ReadonlyMap<string, number> = new Map([['scan', 1]]);

/** Looking for queues and keys takes most of the budget; while somebody waits for a count it may take longer. */
const SHARE_WHILE_COUNTING = 0.1;

/** What is sent to one Redis in one tick, and what is known of it: nodes, queues, where discovery stands. */
export class InstanceReader {
  readonly #config: InstanceConfig;
  readonly #link: RedisLink;
  readonly #now: () => number;
  readonly #fleet: Fleet;
  readonly #onAnotherProcess: (address: string) => void;
  readonly #queues = new Map<string, WatchedQueue>();
  readonly #configured: ReadonlySet<string>;
  #watchedNodes = new Map<string, WatchedNode>();
  #discoveries = new Map<string, Discovery>();
  readonly #clients = new SeenClients();
  readonly #memory: InstanceMemory;
  readonly types: InstanceTypes;
  #tick = 0;
  #states: QueueState[] = [];
  roundTripMs = 0;

  /**
   * @param deps random: 0 ≤ x < 1, for samples.
   * @param onAnotherProcess told when a master is another process than before, or has another role.
   */
  constructor(
    config: InstanceConfig,
    link: RedisLink,
    deps: { readonly now: () => number; readonly random: () => number; readonly thresholdOf: ThresholdOf },
    fleet: Fleet,
    onAnotherProcess: (address: string) => void,
  ) {
    this.#fleet = fleet;
    this.#memory = new InstanceMemory(deps.random, config.tenantField, this.#queues, deps.now);
    this.types = new InstanceTypes(
      (queue, key, nowMs) => this.#memory.sampledOf(queue, key, nowMs),
      () => fleet.slotsByQueue(),
      deps.thresholdOf,
    );
    this.#onAnotherProcess = onAnotherProcess;
    this.#config = config;
    this.#link = link;
    this.#now = deps.now;
    this.#configured = new Set(config.queues.map((id) => (id.includes(':') ? id : `bull:${id}`)));
  }

  get nodes(): readonly RedisNode[] {
    return [...this.#watchedNodes.values()].flatMap((node) => node.state ?? []);
  }

  get queues(): readonly QueueState[] {
    return this.#states;
  }

  get discovery(): DiscoveryState {
    return discoveryStateOf([...this.#discoveries.values()]);
  }

  /**
   * One tick. Throws when the connection fails or Redis refuses what everything hangs on (INFO).
   * @param givenUp ends it at its next step: an answer that comes after that is not taken.
   */
  async read(intervalMs: number, givenUp: AbortSignal): Promise<void> {
    this.#tick += 1;
    if (this.#link.capabilities === null) await this.#link.refreshCapabilities();
    for (const id of this.#configured) this.#add(id);
    const masters = this.#link.masters();
    if (masters.length === 0) throw new Error('CLUSTERDOWN no master is known');
    this.#forgetNodes(masters);
    const due = this.#takeDue();
    await allEnded(masters.map((master) => this.#readMaster(master, due, intervalMs, givenUp)));
    givenUp.throwIfAborted();
    // Masters take turns: what is read of job data in one tick is bounded for all together.
    await allEnded(
      masters.map((master, i) =>
        this.#lookFurther(master, intervalMs, i === this.#tick % masters.length, givenUp),
      ),
    );
    givenUp.throwIfAborted();
    this.#memory.sampler.forgetAllBut(this.#queues);
    this.types.forgetAllBut(this.#queues);
    this.#memory.exact.forgetAllBut(this.#queues, this.#now());
    await this.#readLocks();
    this.#dropGone();
    this.#tellStates();
  }

  /** What the regular reads cost the master that they cost most, 0..1 of a core; 0 while the credit of the first look pays. */
  get regularCpuRatio(): number {
    const nodes = [...this.#watchedNodes.values()].filter((node) => !node.isFirstLook);
    return Math.max(0, ...nodes.map((node) => node.regularCpuRatio));
  }

  /** Sums for the chart of the instance. */
  totals(): Readonly<Record<string, number | null>> {
    return totalsOf(this.nodes, this.#states);
  }

  queueSeries(queueId: string): Series {
    return this.#queues.get(queueId)?.series() ?? { atMs: [], values: {} };
  }

  /** Gives every queue its verdict of this tick. The list handed out since the last read is brought up to date in place. */
  judge(verdictOf: (queue: QueueState) => QueueVerdict, isPressed: (queue: QueueState) => boolean): void {
    const nowMs = this.#now();
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
    this.#states = [...this.#queues.values()].flatMap((queue) => queue.state ?? []);
  }

  #add(id: string): void {
    if (!this.#queues.has(id) && this.#queues.size < MOST_QUEUES) {
      this.#queues.set(id, new WatchedQueue(id, this.#now(), this.#config.pollIntervalMs));
    }
  }

  #takeDue(): readonly WatchedQueue[] {
    const nowMs = this.#now();
    const due: WatchedQueue[] = [];
    for (const queue of this.#queues.values()) {
      if (due.length < QUEUES_A_TICK && queue.isDue(nowMs)) due.push(queue);
    }
    // What was read goes to the back of the map's order, so that beyond the bound all take turns.
    if (due.length === QUEUES_A_TICK) {
      for (const queue of due) {
        this.#queues.delete(queue.id);
        this.#queues.set(queue.id, queue);
      }
    }
    return due;
  }

  async #readMaster(
    master: MasterNode,
    due: readonly WatchedQueue[],
    intervalMs: number,
    givenUp: AbortSignal,
  ): Promise<void> {
    const node = this.#node(master);
    const mine = due.filter((queue) => this.#isOn(master.id, queue.id));
    const batch = new ReadBatch();
    const infoSlot = addServerRead(batch, this.#link.capabilities?.canFlagScripts ?? false);
    const wantsClients =
      (this.#clients.isDue(this.#tick) || this.#fleet.wantsClients(this.#now())) &&
      (this.#link.capabilities?.canListClients ?? false);
    const clientsSlot = wantsClients ? batch.add('client', 'LIST') : null;
    const plannedAtMs = this.#now();
    const plans = mine.map((queue) => queue.plan(plannedAtMs));
    const decode = addQueueReads(batch, plans, this.#isCluster);
    // By itself: the large pipeline that follows takes as long to be put together and taken apart here as there.
    await master.client.ping();
    this.roundTripMs = this.#now() - plannedAtMs;
    await batch.run(master.client);
    givenUp.throwIfAborted();
    const nowMs = this.#now();
    node.count(batch.calls);
    const refusal = batch.refusal(infoSlot);
    if (refusal) throw refusal;
    const clientText = batch.text(clientsSlot);
    if (clientText !== null) this.#takeClients(master.id, clientText);
    const outputBytes = this.#clients.outputBytesOf(master.id);
    const isAnother = node.take(batch.text(infoSlot) ?? '', nowMs, outputBytes);
    if (isAnother) this.#onAnotherProcess(master.address);
    if (isAnother) this.types.forgetPlaces();
    if (isAnother) for (const queue of this.#queues.values()) queue.forgetPast();
    if (isAnother) this.#memory.exact.forgetResults([...this.#queues.keys()]);
    const { readings, calls } = await completeReadings(master.client, plans, decode(), this.#isCluster);
    givenUp.throwIfAborted();
    node.count(calls);
    mine.forEach((queue, i) => {
      const reading = readings[i];
      if (reading) queue.take(reading, nowMs, intervalMs, this.#clients.workersOf(queue.id));
    });
  }

  #node(master: MasterNode): WatchedNode {
    const known = this.#watchedNodes.get(master.id);
    if (known) return known;
    const node = new WatchedNode(master.id, master.address, this.#config.cpuBudgetRatio);
    this.#watchedNodes.set(master.id, node);
    this.#discoveries.set(master.id, new Discovery());
    return node;
  }

  #forgetNodes(masters: readonly MasterNode[]): void {
    const ids = new Set(masters.map((master) => master.id));
    this.#watchedNodes = new Map([...this.#watchedNodes].filter(([id]) => ids.has(id)));
    this.#discoveries = new Map([...this.#discoveries].filter(([id]) => ids.has(id)));
    this.#clients.forgetAllBut(ids);
  }

  get #isCluster(): boolean {
    return isCluster(this.#link.reader);
  }

  #takeClients(masterId: string, text: string): void {
    const reading = this.#clients.take(masterId, text, this.#tick);
    this.#fleet.takeClients(reading, this.#now());
    for (const queue of this.#queues.values()) queue.setWorkers(this.#clients.workersOf(queue.id));
    for (const id of reading.queueIds) this.#add(id);
  }

  /** What can wait, as far as the budget goes: what ended, new queues, where the memory is. */
  async #lookFurther(
    master: MasterNode,
    intervalMs: number,
    mayReadData: boolean,
    givenUp: AbortSignal,
  ): Promise<void> {
    const node = this.#watchedNodes.get(master.id);
    if (!node) return;
    const nowMs = this.#now();
    node.earn(nowMs, intervalMs);
    this.#memory.exact.pace(node.state?.ownCpuRatio ?? 0, this.#config.cpuBudgetRatio);
    const queues = [...this.#queues.values()].filter((queue) => this.#isOn(master.id, queue.id));
    await this.types.read(master.client, node, queues, nowMs);
    givenUp.throwIfAborted();
    const walked = await this.#walk(master, node, nowMs);
    givenUp.throwIfAborted();
    if (this.#link.capabilities?.canMeasureMemory)
      await this.#memory.read({ ...master, node, queues, mayReadData }, walked, nowMs);
  }

  async #walk(master: MasterNode, node: WatchedNode, nowMs: number): Promise<DiscoveryStep> {
    const discovery = this.#discoveries.get(master.id) ?? new Discovery();
    const share = this.#memory.exact.isRunning ? SHARE_WHILE_COUNTING : 1;
    const allowanceUsec =
      share * (discovery.hasMetMost ? node.incomeUsec * WALK_SHARE : node.leftUsec * FIRST_WALK_SHARE);
    const scanUsec = node.usecOf(ONE_SCAN);
    const step = await discovery.step(master.client, nowMs, allowanceUsec, scanUsec, this.#queues);
    node.pay(step.calls);
    for (const id of step.found) this.#add(id);
    if (node.processId !== null && this.#tick % 60 === 1 && isLoopback(master.address)) {
      node.setCgroupLimit(await cgroupLimitBytes(node.processId));
    }
    return step;
  }

  async #readLocks(): Promise<void> {
    const nowMs = this.#now();
    await Promise.all(
      this.#fleet.dueForLocks(nowMs).map(async ({ queueId, keep, ...held }) => {
        const { locks, calls } = await readHeldLocks(this.#link.reader, queueId, held, nowMs);
        keep(locks);
        const master = this.#masterOf(queueId);
        if (master) this.#watchedNodes.get(master.id)?.count(calls);
      }),
    );
  }

  #isOn(masterId: string, queueId: string): boolean {
    return !this.#isCluster || ownerOf(this.#link.reader, queueId) === masterId;
  }

  #masterOf(id: string): { readonly id: string; readonly client: Redis } | null {
    const masters = this.#link.masters();
    if (!this.#isCluster) return masters[0] ?? null;
    const owner = ownerOf(this.#link.reader, id);
    return masters.find((master) => master.id === owner) ?? null;
  }

  #dropGone(): void {
    for (const queue of this.#queues.values()) {
      if (queue.isGone && !this.#configured.has(queue.id)) this.#queues.delete(queue.id);
    }
  }
}

/** Waits for all of them, also where one fails: nothing of a read goes on after it. @throws what the first failed with. */
async function allEnded(works: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(works)).find((ended) => ended.status === 'rejected');
  if (failed) throw failed.reason;
}

function isLoopback(address: string): boolean {
  return /^(127\.|localhost|\[?::1)/.test(address);
}
