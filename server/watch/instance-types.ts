import type { TypeBeat } from '../../agent/protocol.js';
import type { FinishedJob } from '../model/job-type.js';
import type { Redactor } from '../model/redact.js';
import type { QueueState } from '../model/snapshot.js';
import type { NodeClient } from '../redis/connect.js';
import { type EndedRequest, readEnded } from '../redis/read-ended.js';
import { EventTail } from '../redis/read-events.js';
import { ByteBudget } from './agent-bounds.js';
import { QueueTypes } from './queue-types.js';
import type { SampledState } from './sampled-state.js';
import { typeStatesOf } from './type-states.js';
import type { WatchedNode } from './watched-node.js';
import type { WatchedQueue } from './watched-queue.js';

/** Jobs looked at in one tick for what ended, runs and came: 1.5 to 2 µs each. */
const MAX_JOBS = 500;
const FEWEST_JOBS = 60;
const JOB_USEC = 2;
/** Of what may be spent on looks that can wait. */
const SHARE = 0.5;
const MAX_TAILS = 6;
const MAX_LAST_IDS = 200;
/** Types of so many queues are judged anew in one tick; those where nothing has come in, at least so often. */
const MAX_JUDGED = 150;
const JUDGED_EVERY_MS = 2_000;
/** A queue in which nothing has come in for so long is judged anew this often: rates and rises are of the past there. */
const QUIET_AFTER_MS = 60_000;
const QUIET_JUDGED_EVERY_MS = 10_000;
/** A queue that keeps no finished jobs is asked again after so long whether it does. */
const ASKED_AGAIN_MS = 30_000;

/** Of what is remembered of job types, of all queues together, by estimate: 5,000 busy types, or 20,000 quiet ones. */
const MAX_BYTES = 96 * 1024 * 1024;

/** Queues that agents tell of before they are found: held for so long, and so many of them, as made-up ones never are. */
const UNFOUND_MS = 10_000;
const MAX_UNFOUND = 50;

/** By queue, the slots of each process that works on it, by the id of its agent. */
export type SlotsByQueue = () => ReadonlyMap<string, ReadonlyMap<string, number>>;
/** What was sampled or counted of the jobs in one list of a queue. */
type SampledOf = (queue: QueueState, key: string, nowMs: number) => SampledState | null;
export type ThresholdOf = (queueId: string, type: string) => number | null;

const NO_IDS: ReadonlySet<string> = new Set();

interface Turn {
  readonly types: QueueTypes;
  /** null: its events were never looked at. */
  tail: EventTail | null;
  lookedAtMs: number;
  judgedAtMs: number;
  /** When something had come in. */
  movedAtMs: number;
  completedSinceMs: number | null;
  failedSinceMs: number | null;
  addedTotal: number;
  /** Finished jobs that it kept at the last look: they are counted seldom, so the last ones come to light when all is quiet. */
  finishedKept: number;
  /** Ids of those that ended at the very ms up to which ends are known: more may have ended in it. */
  lastIds: ReadonlySet<string>;
  finishedSeenAtMs: number;
}

/** Job types of all queues of one Redis: what agents tell, and what Redis shows where they don't. */
export class InstanceTypes {
  readonly #turns = new Map<string, Turn>();
  /** Since when, by queue. */
  readonly #unfound = new Map<string, number>();
  readonly #budget = new ByteBudget(MAX_BYTES);
  readonly #sampledOf: SampledOf;
  readonly #slotsByQueue: SlotsByQueue;
  readonly #thresholdOf: ThresholdOf;
  readonly #redactor: Redactor | null;

  constructor(
    sampledOf: SampledOf,
    slotsByQueue: SlotsByQueue,
    thresholdOf: ThresholdOf,
    redactor: Redactor | null = null,
  ) {
    this.#sampledOf = sampledOf;
    this.#slotsByQueue = slotsByQueue;
    this.#thresholdOf = thresholdOf;
    this.#redactor = redactor;
  }

  /**
   * What a beat tells of one worker's job types.
   * @param isFound the queue is known. One that is not yet is waited for: what ran in its first second is reported only once.
   */
  hear(queueId: string, process: string, types: readonly TypeBeat[], nowMs: number, isFound: boolean): void {
    if (!isFound && !this.#unfound.has(queueId)) {
      if (this.#unfound.size >= MAX_UNFOUND) return;
      this.#unfound.set(queueId, nowMs);
    }
    // What an error may quote is known where its job is: it is read there, if it is kept.
    const said = this.#redactor ? types.map((type) => ({ ...type, error: null })) : types;
    this.#turn(queueId).types.takeAgent(process, said, nowMs);
  }

  /** One tick of one master: looks where agents don't tell, and judges the types of its queues. */
  async read(
    client: NodeClient,
    node: WatchedNode,
    queues: readonly WatchedQueue[],
    nowMs: number,
  ): Promise<void> {
    await this.#look(client, node, queues, nowMs);
    await this.#tail(client, node, queues, nowMs);
    this.judge(queues, nowMs);
  }

  forgetAllBut(ids: { has(id: string): boolean }, nowMs: number): void {
    for (const [id, sinceMs] of this.#unfound)
      if (ids.has(id) || nowMs - sinceMs > UNFOUND_MS) this.#unfound.delete(id);
    for (const [id, turn] of this.#turns) {
      if (ids.has(id) || this.#unfound.has(id)) continue;
      turn.types.release();
      this.#turns.delete(id);
    }
  }

  /** After a failover or restart what was last read may not be there. */
  forgetPlaces(): void {
    for (const turn of this.#turns.values()) {
      turn.completedSinceMs = null;
      turn.failedSinceMs = null;
    }
  }

  async #look(
    client: NodeClient,
    node: WatchedNode,
    queues: readonly WatchedQueue[],
    nowMs: number,
  ): Promise<void> {
    const due = this.#those(queues, hasMoved).sort((a, b) => a.turn.lookedAtMs - b.turn.lookedAtMs);
    const requests: EndedRequest[] = [];
    let left = Math.min(MAX_JOBS, Math.max(FEWEST_JOBS, (node.leftUsec * SHARE) / JOB_USEC));
    for (const { queue, turn } of due) {
      if (left <= 0) break;
      requests.push(this.#request(queue, turn, nowMs));
      left -= 30 + Math.min(90, queue.counts.completed + queue.counts.failed > 0 ? 60 : 0);
      turn.lookedAtMs = nowMs;
      turn.addedTotal = queue.addedTotal;
      turn.finishedKept = queue.counts.completed + queue.counts.failed;
    }
    if (requests.length === 0) return;
    const { readings, calls } = await readEnded(client, requests, this.#redactor);
    node.pay(calls);
    for (const reading of readings) {
      const turn = this.#turn(reading.id);
      const isFirst = turn.completedSinceMs === null && turn.failedSinceMs === null;
      const fresh = reading.finished.filter(({ jobId }) => !turn.lastIds.has(jobId));
      noteEnds(turn, fresh);
      if (fresh.length > 0) turn.finishedSeenAtMs = nowMs;
      turn.types.takeFinished(fresh, 'finished', reading.isWhole && !isFirst, nowMs);
      turn.types.takeRunning(reading.running);
      turn.types.takeNewest(reading.newestTypes);
    }
  }

  #request(queue: QueueState, turn: Turn, nowMs: number): EndedRequest {
    const hasAgent = turn.types.hasAgent(nowMs);
    return {
      id: queue.id,
      completedSinceMs: turn.completedSinceMs,
      failedSinceMs: turn.failedSinceMs,
      wantsFinished:
        (!hasAgent || this.#redactor !== null) && queue.counts.completed + queue.counts.failed > 0,
      wantsRunning: queue.counts.active > 0 || turn.types.running.length > 0,
      wantsNewest: queue.backlog > 0,
    };
  }

  /** The events stream, for busy queues that keep no finished jobs and have no agent. */
  async #tail(
    client: NodeClient,
    node: WatchedNode,
    queues: readonly WatchedQueue[],
    nowMs: number,
  ): Promise<void> {
    const silent = this.#those(
      queues,
      (queue, turn) =>
        nowMs - (queue.lastDepartureAtMs ?? 0) < 2 * ASKED_AGAIN_MS &&
        nowMs - turn.finishedSeenAtMs > ASKED_AGAIN_MS &&
        !turn.types.hasAgent(nowMs) &&
        (queue.eventsLength > 0 || queue.memory === null),
    )
      .sort((a, b) => (b.queue.rates?.departuresPerSecond ?? 0) - (a.queue.rates?.departuresPerSecond ?? 0))
      .slice(0, MAX_TAILS);
    await Promise.all(
      silent.map(async ({ queue, turn }) => {
        const bytesPerEvent =
          queue.eventsLength > 0 ? (queue.memory?.eventsBytes ?? 0) / queue.eventsLength : 0;
        turn.tail ??= new EventTail(queue.id, this.#redactor !== null);
        const { finished, isWhole, calls } = await turn.tail.look(client, bytesPerEvent);
        node.pay(calls);
        turn.types.takeFinished(finished, 'events', isWhole, nowMs);
      }),
    );
  }

  /** The types of this queue are judged at the next tick, whatever its turn. */
  judgeSoon(queueId: string): void {
    const turn = this.#turns.get(queueId);
    if (turn) turn.judgedAtMs = Number.NEGATIVE_INFINITY;
  }

  /** Those whose turn is longest ago: where more have moved than a tick judges, none is left out. */
  judge(queues: readonly Pick<WatchedQueue, 'id' | 'state' | 'setTypes'>[], nowMs: number): void {
    const due: { queue: (typeof queues)[number]; state: QueueState; turn: Turn }[] = [];
    for (const queue of queues) {
      const turn = this.#turns.get(queue.id);
      if (queue.state && turn && isToBeJudged(turn, nowMs)) due.push({ queue, state: queue.state, turn });
    }
    if (due.length > MAX_JUDGED) due.sort((a, b) => a.turn.judgedAtMs - b.turn.judgedAtMs);
    const slots = this.#slotsByQueue();
    for (const { queue, state, turn } of due.slice(0, MAX_JUDGED)) {
      turn.judgedAtMs = nowMs;
      queue.setTypes(
        typeStatesOf({
          queue: state,
          types: turn.types,
          sampledOf: (key) => this.#sampledOf(state, key, nowMs),
          slotsByProcess: slots.get(queue.id) ?? null,
          thresholdOf: (type) => this.#thresholdOf(queue.id, type),
          nowMs,
        }),
      );
    }
  }

  #those(
    queues: readonly WatchedQueue[],
    isMeant: (queue: QueueState, turn: Turn) => boolean,
  ): { readonly queue: QueueState; readonly turn: Turn }[] {
    const those: { readonly queue: QueueState; readonly turn: Turn }[] = [];
    for (const { id, state } of queues) {
      if (!state) continue;
      const turn = this.#turn(id);
      if (isMeant(state, turn)) those.push({ queue: state, turn });
    }
    return those;
  }

  #turn(queueId: string): Turn {
    const known = this.#turns.get(queueId);
    if (known) return known;
    const made = {
      types: new QueueTypes(this.#budget),
      tail: null,
      lookedAtMs: Number.NEGATIVE_INFINITY,
      judgedAtMs: Number.NEGATIVE_INFINITY,
      movedAtMs: Number.NEGATIVE_INFINITY,
      completedSinceMs: null,
      failedSinceMs: null,
      addedTotal: -1,
      finishedKept: 0,
      lastIds: NO_IDS,
      finishedSeenAtMs: Number.NEGATIVE_INFINITY,
    };
    this.#turns.set(queueId, made);
    return made;
  }
}

/** Up to when ends are known now, and which ended at that very ms. */
function noteEnds(turn: Turn, fresh: readonly FinishedJob[]): void {
  const latest = (failed: boolean, before: number | null): number =>
    Math.max(before ?? 0, ...fresh.filter((job) => job.failed === failed).map(({ endedAtMs }) => endedAtMs));
  turn.completedSinceMs = latest(false, turn.completedSinceMs);
  turn.failedSinceMs = latest(true, turn.failedSinceMs);
  const { completedSinceMs, failedSinceMs } = turn;
  const isLast = ({ failed, endedAtMs }: FinishedJob): boolean =>
    endedAtMs === (failed ? failedSinceMs : completedSinceMs);
  if (fresh.length > 0)
    turn.lastIds = new Set(
      [...turn.lastIds, ...fresh.filter(isLast).map(({ jobId }) => jobId)].slice(-MAX_LAST_IDS),
    );
}

/** Something runs, or was added or has ended since the last look. */
function hasMoved(queue: QueueState, turn: Turn): boolean {
  return (
    queue.counts.active > 0 ||
    turn.types.running.length > 0 ||
    queue.addedTotal !== turn.addedTotal ||
    queue.counts.completed + queue.counts.failed > turn.finishedKept ||
    (queue.lastDepartureAtMs ?? 0) >= turn.lookedAtMs
  );
}

/** Something has come in since it was judged, or it is time: what is of the last seconds fades. */
function isToBeJudged(turn: Turn, nowMs: number): boolean {
  if (turn.types.isStale) turn.movedAtMs = nowMs;
  turn.types.markJudged();
  const sinceMs = nowMs - turn.judgedAtMs;
  if (turn.movedAtMs > turn.judgedAtMs) return sinceMs >= JUDGED_EVERY_MS / 2;
  return sinceMs >= (nowMs - turn.movedAtMs >= QUIET_AFTER_MS ? QUIET_JUDGED_EVERY_MS : JUDGED_EVERY_MS);
}
