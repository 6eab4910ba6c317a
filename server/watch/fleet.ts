import type { Acknowledgement, Beat, Farewell, TypeBeat } from '../../agent/protocol.js';
import type { TimelineKind } from '../model/timeline-entry.js';
import type { HeldLocks, Override, SeenWorker } from '../model/worker.js';
import { AgentMessageReader } from '../redis/agent-messages.js';
import type { ClientReading } from '../redis/clients.js';
import { partsOfQueueId } from '../redis/queue-keys.js';
import { ByteBudget, type MessageIntake } from './agent-bounds.js';
import { AgentWorker } from './agent-worker.js';
import { AgentlessWorkers } from './agentless-workers.js';
import { type LostWorker, type LostWorkers, withoutPresent } from './lost-workers.js';
import type { Series } from './watch.js';

/** No beat for so long: something is wrong with the agent, its process or its way. */
const SILENT_AFTER_MS = 2_500;
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
  readonly #report: (event: FleetEvent) => void;
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
  readonly #agentless = new AgentlessWorkers();
  #unreadable = 0;

  /**
   * @param onTypes called with what each beat says of a worker's job types.
   * @param intake notes what was beyond the bounds.
   */
  constructor(
    startedAtMs: number,
    report: (event: FleetEvent) => void,
    onTypes: (queueId: string, process: string, types: readonly TypeBeat[], nowMs: number) => void,
    lost: LostWorkers,
    intake: Pick<MessageIntake, 'noteRefused' | 'overflow'>,
  ) {
    this.#lost = lost;
    this.#intake = intake;
    this.#onTypes = onTypes;
    this.#startedAtMs = startedAtMs;
    this.#report = report;
  }

  get unreadable(): number {
    return this.#unreadable;
  }

  /** The last half hour of a worker; null: no agent tells of it. */
  seriesOf(id: string): Series | null {
    return this.#workers.get(id)?.series() ?? null;
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
    const message = this.#reader.read(raw);
    if (message === null) this.#unreadable += 1;
    if (message === null || message === 'other') return null;
    if (message.kind === 'ack') return message;
    if (message.kind === 'beat') this.#takeBeat(message, nowMs);
    else this.#takeFarewell(message);
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
        queueId: worker.queueId,
        jobIds: worker.runningIds,
        jobs: worker.running,
        lockToken: worker.lockToken,
        locks: worker.locks,
        keep: (locks: HeldLocks) => {
          worker.locks = locks;
          this.#lost.setLocks(worker.id, locks);
        },
      }));
    const lost = this.#lost.all
      .filter(({ worker }) => !this.#workers.has(worker.id))
      .map(({ worker: { id, queueId, agent, locks }, lockToken }) => ({
        queueId,
        jobIds: agent?.oldest.map(({ jobId }) => jobId) ?? [],
        jobs: agent?.running ?? 0,
        lockToken,
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
        this.#reportCrashed(worker);
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
    const attended = [...this.#workers.values()].filter(
      (worker) => !this.#isGone(worker, nowMs) || this.#isListed(worker),
    );
    const agentless = this.#agentless.states(this.#clients?.workers ?? [], attended, nowMs);
    return [...states, ...this.#lost.states(states, nowMs), ...agentless];
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
      this.#report({
        kind: 'agent.resubscribed',
        queue: null,
        worker: `${host}:${pid}`,
        text: `The agent of ${host}:${pid} was deaf and has subscribed anew.`,
      });
    }
    // Processes come and go; of those that are gone nothing is to be counted.
    if (this.#resubscribed.size > MAX_WORKERS) this.#resubscribed.clear();
    this.#resubscribed.set(beat.agent.id, beat.resubscribed);
    for (const facts of beat.workers) {
      const known = this.#workers.get(facts.id);
      if (!known && (this.#workers.size >= MAX_WORKERS || !this.#budget.takesNew)) {
        this.#intake.noteRefused('workers', 1, nowMs);
        continue;
      }
      this.#lost.remove(facts.id);
      const worker = known ?? new AgentWorker(beat, facts, nowMs, this.#budget);
      const agentBefore = known?.agentId ?? null;
      const refused = worker.take(beat, facts, nowMs);
      if (refused > 0) this.#intake.noteRefused('types', refused, nowMs);
      if (agentBefore !== worker.agentId) {
        if (agentBefore !== null) this.#countAgent(agentBefore, -1);
        this.#countAgent(worker.agentId, 1);
      }
      this.#onTypes(facts.queue, beat.agent.id, facts.types, nowMs);
      if (known) continue;
      this.#workers.set(worker.id, worker);
      if (nowMs - this.#startedAtMs > SETTLING_MS)
        this.#report({
          kind: 'worker.joined',
          queue: worker.queueId,
          worker: worker.label,
          text: `${worker.label} works on ${partsOfQueueId(worker.queueId).name}.`,
        });
    }
  }

  #takeFarewell(farewell: Farewell): void {
    for (const id of farewell.workers) {
      const worker = this.#workers.get(id);
      if (!worker || worker.agentId !== farewell.agent.id) continue;
      this.#lost.remove(id);
      this.#forget(worker);
      this.#report({
        kind: 'worker.left',
        queue: worker.queueId,
        worker: worker.label,
        text: `${worker.label} has left ${partsOfQueueId(worker.queueId).name} in an orderly way.`,
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

  #reportCrashed(worker: AgentWorker): void {
    if (worker.isReportedCrashed) return;
    worker.isReportedCrashed = true;
    const jobs = worker.running === 1 ? '1 job' : `${worker.running} jobs`;
    this.#report({
      kind: 'worker.crashed',
      queue: worker.queueId,
      worker: worker.label,
      text: `${worker.label} of ${partsOfQueueId(worker.queueId).name} sends no heartbeat and is not connected any more, without a farewell, with ${jobs} in hand.`,
    });
  }
}

function isDue(locks: HeldLocks, nowMs: number): boolean {
  // Once no job of it is active any more there is nothing left to see.
  return locks.held + locks.orphaned > 0 && nowMs - locks.readAtMs >= LOCKS_EVERY_MS;
}
