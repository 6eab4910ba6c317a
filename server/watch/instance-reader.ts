import type { TypeBeat } from '../../agent/protocol.js';
import type { InstanceConfig } from '../model/instance-config.js';
import type {
  DataLoss,
  DiscoveryState,
  QueueState,
  QueueVerdict,
  RedisNode,
  Unread,
} from '../model/snapshot.js';
import { SeenClients } from '../redis/clients.js';
import { ClusterSight, ping } from '../redis/cluster-sight.js';
import { readHeldLocks } from '../redis/held-locks.js';
import type { MasterNode, RedisLink } from '../redis/link.js';
import { orThrow, ReadBatch, Refused } from '../redis/read-batch.js';
import { addQueueReads, completeReadings } from '../redis/read-queues.js';
import { addServerRead } from '../redis/read-server.js';
import { anotherProcess, dataLost } from './connection-events.js';
import { DataLossWatch } from './data-loss.js';
import type { Fleet, FleetEvent } from './fleet.js';
import { FurtherReads, type FurtherReadsDeps } from './further-reads.js';
import type { InstanceMemory } from './instance-memory.js';
import { discoveryStateOf } from './queue-limit.js';
import { totalsOf } from './recent.js';
import type { Series } from './watch.js';
import { type WatchedNode, WatchedNodes } from './watched-node.js';
import type { WatchedQueue } from './watched-queue.js';
import { WatchedQueues } from './watched-queues.js';

/** Masters of a Cluster are met one after the other; one that comes later has taken over from another. */
const FIRST_TICKS = 10;
/** That of 20,000 clients with names as BullMQ gives them. [run: 3,000 with names of 2 KB are 6.8 MB, 44 ms] */
const MAX_CLIENT_LIST_BYTES = 8 * 1024 * 1024;

const NO_SERIES: Series = { atMs: [], values: {} };

/** What is sent to one Redis in one tick, and what is known of it: nodes, queues, where discovery stands. */
export class InstanceReader {
  readonly loss: DataLossWatch;
  readonly #link: RedisLink;
  readonly #now: () => number;
  readonly #fleet: Fleet;
  readonly #report: (event: FleetEvent) => void;
  readonly #queues: WatchedQueues;
  readonly #nodes: WatchedNodes;
  readonly #clients = new SeenClients();
  readonly #further: FurtherReads;
  readonly #sight: ClusterSight;
  #tick = 0;
  #states: QueueState[] = [];
  #unread: Unread = { queues: [], nodes: [] };
  roundTripMs = 0;

  /**
   * @param deps random: 0 ≤ x < 1, for samples.
   * @param report called when a master is another process than before, or data were lost.
   */
  constructor(
    config: InstanceConfig,
    link: RedisLink,
    deps: Omit<FurtherReadsDeps, 'slotsByQueue'> & { readonly lossBefore: DataLoss | null },
    fleet: Fleet,
    report: (event: FleetEvent) => void,
  ) {
    this.loss = new DataLossWatch(deps.lossBefore);
    this.#link = link;
    this.#now = deps.now;
    this.#fleet = fleet;
    this.#report = report;
    this.#queues = new WatchedQueues(config, deps.now);
    this.#nodes = new WatchedNodes(config.cpuBudgetRatio);
    const slotsByQueue = () => fleet.slotsByQueue();
    this.#further = new FurtherReads(config, link, { ...deps, slotsByQueue }, this.#queues, this.#nodes);
    this.#sight = new ClusterSight(link, deps.now);
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
    const { beyond: queuesBeyond, longNames } = this.#queues.limit;
    return { ...discoveryStateOf(this.#nodes.discoveries), queuesBeyond, longNames };
  }

  /** Nearly all queues that hold more than some jobs are known, and all that are known have been read. */
  get hasFirstPicture(): boolean {
    return this.#queues.hasReadAll && this.#nodes.discoveries.every(({ hasMetMost }) => hasMetMost);
  }

  /**
   * One tick. Throws when the connection fails or Redis refuses what everything hangs on (INFO). Of a Cluster, only where
   * that is so of all masters: what lies on one that does not answer is not known, and the rest is.
   * @param givenUp ends it at its next step: an answer that comes after that is not taken.
   */
  async read(intervalMs: number, givenUp: AbortSignal): Promise<void> {
    this.#tick += 1;
    if (this.#link.capabilities === null) await this.#link.refreshCapabilities();
    this.#queues.addConfigured();
    const masters = this.#link.masters();
    if (masters.length === 0) throw new Error('CLUSTERDOWN no master is known');
    this.#forgetNodes(masters);
    const due = new Set(this.#queues.takeDue());
    const answering = await this.#sight.each(masters, givenUp, (master, _, ends) =>
      this.#readMaster(master, due, intervalMs, ends),
    );
    givenUp.throwIfAborted();
    this.#noteUnanswered(due, answering, intervalMs);
    // Masters take turns: what is read of job data in one tick is bounded for all together.
    await this.#sight.each(answering, givenUp, (master, i, ends) =>
      this.#further.read({
        master,
        tick: this.#tick,
        intervalMs,
        mayReadData: i === this.#tick % answering.length,
        isOn: (queueId) => this.#sight.isOn(master.id, queueId),
        givenUp: ends,
      }),
    );
    givenUp.throwIfAborted();
    this.#further.forgetGone();
    const locksDue = this.#fleet.dueForLocks(this.#now());
    await this.#sight.each(answering, givenUp, (master) => this.#readLocks(master, locksDue));
    const lost = this.loss.takeNews(this.#queues.size, this.#now());
    if (lost) this.#report(dataLost(lost));
    this.#queues.dropGone();
    this.collect();
  }

  get dataLoss(): DataLoss | null {
    return this.loss.current(this.#now());
  }

  get regularCpuRatio(): number {
    return this.#nodes.regularCpuRatio;
  }

  /** What a beat says of one worker's job types; of a queue that is not known little is kept, and not for long. */
  hear(queueId: string, process: string, types: readonly TypeBeat[], nowMs: number): void {
    this.#further.types.hear(queueId, process, types, nowMs, this.#queues.has(queueId));
  }

  /** Sums for the chart of the instance. */
  totals(): Readonly<Record<string, number | null>> {
    return totalsOf(this.nodes, this.#states, this.#unread);
  }

  queueSeries(queueId: string): Series {
    return this.#queues.get(queueId)?.series() ?? NO_SERIES;
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

  noteTaken(queueId: string, jobs: number): void {
    this.#queues.get(queueId)?.noteTaken(jobs);
  }

  refreshSoon(queueId: string): void {
    this.#queues.get(queueId)?.refreshSoon();
    this.#further.types.judgeSoon(queueId);
  }

  /** Where jobs are counted; `collect` shows what came of an order to it. */
  get memory(): InstanceMemory {
    return this.#further.memory;
  }

  /** Takes the queues together as they stand now. */
  collect(): void {
    const queues = [...this.#queues.all];
    this.#states = queues.flatMap((queue) => queue.state ?? []);
    this.#unread = {
      queues: queues.flatMap((queue) => queue.unread ?? []),
      nodes: this.#nodes.unread,
    };
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
    if (isAnother) this.#report(anotherProcess(this.#link.topology, master.address));
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
        this.loss.note(queue.last, reading, this.#queues.size, nowMs);
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
    this.loss.suspect(cause, nowMs);
    for (const queue of this.#queues.all) queue.forgetPast();
    this.#further.forgetPast();
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
    for (const queue of this.#queues.all) queue.setWorkers(null);
  }

  #takeClients(masterId: string, text: string): void {
    const reading = this.#clients.take(masterId, text, this.#tick);
    this.#fleet.takeClients(reading, this.#now());
    for (const queue of this.#queues.all) queue.setWorkers(this.#clients.workersOf(queue.id));
    for (const id of reading.queueIds) this.#queues.add(id, reading.workersByQueue.has(id));
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
}
