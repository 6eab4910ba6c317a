import type { Acknowledgement, Beat, Farewell, TypeBeat } from '../../agent/protocol.js';
import type { TimelineKind } from '../model/timeline-entry.js';
import type { HeldLocks, Override, SeenWorker } from '../model/worker.js';
import { AgentMessageReader } from '../redis/agent-messages.js';
import type { ClientReading, WorkerConnection } from '../redis/clients.js';
import { ByteBudget, type MessageIntake } from './agent-bounds.js';
import { AgentWorker } from './agent-worker.js';
import { type LostWorker, type LostWorkers, withoutPresent } from './lost-workers.js';

/** No beat for so long: something is wrong with the agent, its process or its way. */
export const SILENT_AFTER_MS = 2_500;
/** One that is gone is held with its past for so long; then as one that is lost (lost-workers.ts). */
const HELD_MS = 60_000;
/** One that was in no list of clients while it beat is nobody's worker, as far as is known: it is held for so long. */
const UNLISTED_HELD_MS = 10_000;
/** Where CLIENT LIST can't be read, nobody knows whether one that is silent hangs or is gone: it is held for so long. */
const UNKNOWN_HELD_MS = 15 * 60_000;
/** Who is there in the first seconds was there before. */
const SETTLING_MS = 5_000;
const MAX_WORKERS = 5_000;
/** Of all that is kept of workers, by estimate: 5,000 with 20 types each take half of it. */
const MAX_BYTES = 64 * 1024 * 1024;
const LOCKS_EVERY_MS = 2_000;
/** Workers whose locks are looked at in one tick. */
const MAX_LOCK_READS = 8;

export interface FleetEvent {
  readonly kind: TimelineKind;
  readonly queue: string | null;
  readonly worker: string | null;
  readonly text: string;
}

/** Every worker of one Redis: those that beat, and those that only CLIENT LIST shows. */
export class Fleet {
  readonly #workers = new Map<string, AgentWorker>();
  readonly #tell: (event: FleetEvent) => void;
  readonly #onTypes: (queueId: string, process: string, types: readonly TypeBeat[], nowMs: number) => void;
  readonly #startedAtMs: number;
  readonly #resubscribed = new Map<string, number>();
  readonly #lost: LostWorkers;
  readonly #intake: Pick<MessageIntake, 'noteRefused' | 'overflow'>;
  readonly #budget = new ByteBudget(MAX_BYTES);
  readonly #reader = new AgentMessageReader();
  /** Workers by the id of their agent. */
  readonly #byAgent = new Map<string, number>();
  #clients: ClientReading | null = null;
  #clientsAtMs = 0;
  /** Of workers' own blocking connections. */
  #addresses: ReadonlySet<string> = new Set();
  #connectionsSeen = new Map<string, number>();
  #unreadable = 0;

  /**
   * @param onTypes told what each beat says of a worker's job types.
   * @param intake told what was beyond the bounds.
   */
  constructor(
    startedAtMs: number,
    tell: (event: FleetEvent) => void,
    onTypes: (queueId: string, process: string, types: readonly TypeBeat[], nowMs: number) => void,
    lost: LostWorkers,
    intake: Pick<MessageIntake, 'noteRefused' | 'overflow'>,
  ) {
    this.#lost = lost;
    this.#intake = intake;
    this.#onTypes = onTypes;
    this.#startedAtMs = startedAtMs;
    this.#tell = tell;
  }

  get unreadable(): number {
    return this.#unreadable;
  }

  get agents(): number {
    return this.#byAgent.size;
  }

  /** Has it a worker here? */
  knows(agentId: string): boolean {
    return this.#byAgent.has(agentId);
  }

  /** @returns the acknowledgement in it, for who waits for one. */
  hear(raw: string | Buffer, nowMs: number): Acknowledgement | null {
    const heard = this.#reader.read(raw);
    if (heard === null) this.#unreadable += 1;
    if (heard === null || heard === 'other') return null;
    if (heard.kind === 'ack') return heard;
    if (heard.kind === 'beat') this.#takeBeat(heard, nowMs);
    else this.#takeFarewell(heard);
    return null;
  }

  /** Who is connected is not known any more. */
  loseClients(): void {
    this.#clients = null;
    this.#addresses = new Set();
  }

  takeClients(reading: ClientReading, nowMs: number): void {
    this.#clients = reading;
    this.#addresses = new Set(reading.workers.map(({ address }) => address));
    this.#clientsAtMs = nowMs;
    const isFlooded = (this.#intake.overflow(nowMs)?.messages ?? 0) > 0;
    for (const worker of this.#workers.values()) {
      // The list may be older than what was heard last, by as long as a read takes.
      const isKnownFor = nowMs - worker.firstSeenAtMs > SILENT_AFTER_MS;
      if (this.#isListed(worker)) worker.wasListed = true;
      // While somebody floods the channels, one beat is no sign of a worker.
      else if (isKnownFor && (isFlooded || !this.#isGone(worker, nowMs))) worker.wasListed ??= false;
    }
  }

  /** Has a worker fallen silent since CLIENT LIST was read? Then that tells whether it is gone or hangs. */
  wantsClients(nowMs: number): boolean {
    return [...this.#workers.values()].some(
      ({ lastBeatAtMs }) =>
        nowMs - lastBeatAtMs > SILENT_AFTER_MS && this.#clientsAtMs < lastBeatAtMs + SILENT_AFTER_MS,
    );
  }

  /** Workers that have stopped giving signs of life with jobs in hand, whose locks are due to be looked at. */
  dueForLocks(nowMs: number): readonly {
    queueId: string;
    jobIds: readonly string[];
    lockToken: string | null;
    jobs: number;
    keep(locks: HeldLocks): void;
  }[] {
    const silent = [...this.#workers.values()]
      .filter((worker) => nowMs - worker.lastBeatAtMs > SILENT_AFTER_MS)
      .map((worker) => ({
        ...inHand(worker.queueId, worker.runningIds, worker.running, worker.lockToken),
        locks: worker.locks,
        keep: (locks: HeldLocks) => {
          worker.locks = locks;
          this.#lost.setLocks(worker.id, locks);
        },
      }));
    const lost = this.#lost.all
      .filter(({ worker }) => !this.#workers.has(worker.id))
      .map(({ worker: { id, queueId, agent, locks }, lockToken }) => ({
        ...inHand(queueId, agent?.oldest.map(({ jobId }) => jobId) ?? [], agent?.running ?? 0, lockToken),
        locks,
        keep: (now: HeldLocks) => this.#lost.setLocks(id, now),
      }));
    return [...silent, ...lost]
      .filter(({ locks }) => locks === null || isDue(locks, nowMs))
      .slice(0, MAX_LOCK_READS);
  }

  /** Slots of the processes that work on each queue, by the id of their agent; queues without one are left out. */
  slotsByQueue(): ReadonlyMap<string, ReadonlyMap<string, number>> {
    const queues = new Map<string, Map<string, number>>();
    for (const { queueId, agentId, slots } of this.#workers.values()) {
      const processes = queues.get(queueId) ?? new Map<string, number>();
      processes.set(agentId, (processes.get(agentId) ?? 0) + slots);
      queues.set(queueId, processes);
    }
    return queues;
  }

  /** All of them as they stand now, and those that are missed. */
  states(
    nowMs: number,
    keptOf: (queueId: string) => readonly Override[],
    isHearing: boolean,
  ): readonly SeenWorker[] {
    const states: SeenWorker[] = [];
    for (const worker of this.#workers.values()) {
      if (worker.wasListed === false && this.#isGone(worker, nowMs)) {
        const isOver = nowMs - worker.lastBeatAtMs > UNLISTED_HELD_MS;
        if (isOver) this.#forget(worker);
        if (isOver || isHearing) continue;
      }
      const isConnected = this.#isConnected(worker, nowMs);
      if (isHearing && isConnected === false && this.#isGone(worker, nowMs)) {
        this.#tellCrashed(worker);
        this.#lost.add(worker.state(false, keptOf(worker.queueId)), worker.lockToken);
        if (nowMs - worker.lastBeatAtMs > HELD_MS) this.#forget(worker);
      }
      if (isConnected === null && nowMs - worker.lastBeatAtMs > UNKNOWN_HELD_MS) {
        this.#forget(worker);
        continue;
      }
      if (this.#lost.has(worker.id)) continue;
      const state = worker.state(isConnected, keptOf(worker.queueId));
      states.push(isConnected === false ? withoutPresent(state) : state);
    }
    return [...states, ...this.#lost.states(states, nowMs), ...this.#withoutAgent(nowMs)];
  }

  /**
   * A list that is older than its last beat says nothing against it. An agent that was held up takes itself for deaf and
   * connects anew; that its worker's own connection is open meanwhile shows that the process lives.
   */
  #isConnected(worker: AgentWorker, nowMs: number): boolean | null {
    if (this.#clients === null) return null;
    if (this.#isListed(worker) || nowMs - worker.lastBeatAtMs <= SILENT_AFTER_MS) return true;
    return this.#clientsAtMs > worker.lastBeatAtMs && worker.wasListed !== false ? false : null;
  }

  #isListed({ agentId, address }: AgentWorker): boolean {
    return (
      this.#clients?.agentIds.has(agentId) === true || (address !== null && this.#addresses.has(address))
    );
  }

  #isGone({ lastBeatAtMs }: AgentWorker, nowMs: number): boolean {
    return nowMs - lastBeatAtMs > SILENT_AFTER_MS;
  }

  /** Takes in what was lost before the console was started. */
  recall(kept: readonly LostWorker[]): void {
    this.#lost.restore(kept, (id) => this.#workers.has(id));
  }

  /** Nobody misses it any more. @returns false: it is not gone. */
  dismiss(id: string): boolean {
    if (!this.#lost.remove(id)) return false;
    const worker = this.#workers.get(id);
    if (worker) this.#forget(worker);
    return true;
  }

  #takeBeat(beat: Beat, nowMs: number): void {
    const before = this.#resubscribed.get(beat.agent.id);
    if (before !== undefined && beat.resubscribed > before) {
      const { host, pid } = beat.agent;
      this.#tell({
        kind: 'agent.resubscribed',
        queue: null,
        worker: `${host}:${pid}`,
        text: `The agent of ${host}:${pid} was deaf and has subscribed anew.`,
      });
    }
    // Processes come and go; of those that are gone nothing is to be counted.
    if (this.#resubscribed.size > MAX_WORKERS) this.#resubscribed.clear();
    this.#resubscribed.set(beat.agent.id, beat.resubscribed);
    for (const told of beat.workers) {
      const known = this.#workers.get(told.id);
      if (!known && (this.#workers.size >= MAX_WORKERS || !this.#budget.takesNew)) {
        this.#intake.noteRefused('workers', 1, nowMs);
        continue;
      }
      this.#lost.remove(told.id);
      const worker = known ?? new AgentWorker(beat, told, nowMs, this.#budget);
      const agentBefore = known?.agentId ?? null;
      const untold = worker.take(beat, told, nowMs);
      if (untold > 0) this.#intake.noteRefused('types', untold, nowMs);
      if (agentBefore !== worker.agentId) {
        if (agentBefore !== null) this.#countAgent(agentBefore, -1);
        this.#countAgent(worker.agentId, 1);
      }
      this.#onTypes(told.queue, beat.agent.id, told.types, nowMs);
      if (known) continue;
      this.#workers.set(worker.id, worker);
      if (nowMs - this.#startedAtMs > SETTLING_MS)
        this.#tell({
          kind: 'worker.joined',
          queue: worker.queueId,
          worker: worker.label,
          text: `${worker.label} works on ${nameOf(worker.queueId)}.`,
        });
    }
  }

  #takeFarewell(farewell: Farewell): void {
    for (const id of farewell.workers) {
      const worker = this.#workers.get(id);
      if (!worker || worker.agentId !== farewell.agent.id) continue;
      this.#lost.remove(id);
      this.#forget(worker);
      this.#tell({
        kind: 'worker.left',
        queue: worker.queueId,
        worker: worker.label,
        text: `${worker.label} has left ${nameOf(worker.queueId)} in an orderly way.`,
      });
    }
  }

  #forget(worker: AgentWorker): void {
    this.#workers.delete(worker.id);
    this.#countAgent(worker.agentId, -1);
    worker.release();
  }

  #countAgent(agentId: string, change: number): void {
    const workers = (this.#byAgent.get(agentId) ?? 0) + change;
    if (workers > 0) this.#byAgent.set(agentId, workers);
    else this.#byAgent.delete(agentId);
  }

  #tellCrashed(worker: AgentWorker): void {
    if (worker.isToldCrashed) return;
    worker.isToldCrashed = true;
    const jobs = worker.running === 1 ? '1 job' : `${worker.running} jobs`;
    this.#tell({
      kind: 'worker.crashed',
      queue: worker.queueId,
      worker: worker.label,
      text: `${worker.label} of ${nameOf(worker.queueId)} sends no heartbeat and is not connected any more, without a farewell, with ${jobs} in hand.`,
    });
  }

  /** Connections that belong to no agent's worker. Where addresses don't match (a proxy between), as many as there are agents' workers are taken away. */
  #withoutAgent(nowMs: number): readonly SeenWorker[] {
    const connections = this.#clients?.workers ?? [];
    const seen = new Map<string, number>();
    const own = new Map<string, Set<string>>();
    const unmatched = new Map<string, number>();
    const present = new Set(connections.map(({ address }) => address));
    for (const worker of this.#workers.values()) {
      if (nowMs - worker.lastBeatAtMs > SILENT_AFTER_MS && !this.#isListed(worker)) continue;
      if (worker.address !== null && present.has(worker.address)) {
        own.set(worker.queueId, (own.get(worker.queueId) ?? new Set()).add(worker.address));
      } else unmatched.set(worker.queueId, (unmatched.get(worker.queueId) ?? 0) + 1);
    }
    const states: SeenWorker[] = [];
    for (const connection of connections) {
      if (own.get(connection.queueId)?.has(connection.address)) continue;
      const spare = unmatched.get(connection.queueId) ?? 0;
      if (spare > 0) {
        unmatched.set(connection.queueId, spare - 1);
        continue;
      }
      const key = `${connection.queueId} ${connection.address}`;
      const firstSeenAtMs =
        this.#connectionsSeen.get(key) ?? nowMs - Math.min(connection.ageSeconds * 1000, nowMs);
      seen.set(key, firstSeenAtMs);
      states.push(withoutAgent(connection, firstSeenAtMs, nowMs));
    }
    this.#connectionsSeen = seen;
    return states;
  }
}

function withoutAgent(connection: WorkerConnection, firstSeenAtMs: number, nowMs: number): SeenWorker {
  const { queueId, name, address, idleSeconds } = connection;
  return {
    id: `client:${address}`,
    queueId,
    label: name === null ? address : `${name} (${address})`,
    name,
    host: address.slice(0, address.lastIndexOf(':')) || null,
    pid: null,
    isConnected: true,
    firstSeenAtMs,
    lastSeenAtMs: nowMs,
    idleSeconds: connection.isWaiting ? idleSeconds : null,
    agent: null,
    locks: null,
    replacedBy: null,
  };
}

function inHand(queueId: string, jobIds: readonly string[], jobs: number, lockToken: string | null) {
  return { queueId, jobIds, jobs, lockToken };
}

function isDue(locks: HeldLocks, nowMs: number): boolean {
  // Once no job of it is active any more there is nothing left to see.
  return locks.held + locks.orphaned > 0 && nowMs - locks.readAtMs >= LOCKS_EVERY_MS;
}

/** The queue as people call it. */
function nameOf(queueId: string): string {
  return queueId.slice(queueId.lastIndexOf(':') + 1);
}
