import type { GuardBaseline } from '../model/replay.js';
import type { MemoryForecast, QueueState, Snapshot } from '../model/snapshot.js';
import { type LoadSample, SHOWS_AFTER_SECONDS } from './replay-guard.js';

/**
 * Jobs that replays and restores have put into each queue since the console began. BullMQ's counter of added jobs does not
 * move by them, so whoever works out departures from arrivals has to add them.
 */
export class MovedJobs {
  readonly #moved = new Map<string, number>();

  note(instance: string, queueId: string, jobs: number): void {
    this.#moved.set(`${instance}/${queueId}`, this.to(instance, queueId) + jobs);
  }

  to(instance: string, queueId: string): number {
    return this.#moved.get(`${instance}/${queueId}`) ?? 0;
  }
}

/** A queue as the guard remembers it; `moved` are jobs that replays have put there since the console began. */
interface Point {
  readonly atMs: number;
  readonly addedTotal: number;
  readonly unfinished: number;
  readonly backlog: number;
  readonly moved: number;
}

/** A snapshot older than this is no sight. */
const STALE_MS = 10_000;
const WINDOW_MS = 10_000;
const MIN_WINDOW_MS = 2_000;
/** So many jobs that left, or that should have, say more in the short window than a long one that remembers other times. */
const ENOUGH_LEFT = 20;
const WAIT_FLOOR_SECONDS = 1;

/**
 * What live traffic would feel, from Snapshots. Ages of waiting jobs are of no use here: a job that is replayed has
 * waited for days by its timestamp. What a job that is added now would wait is the backlog over what leaves the queue in
 * a second; departures are worked out from arrivals (design decision 4) plus what replays put there, without which every
 * replayed job would look like one that did not leave.
 */
export class LoadSampler {
  readonly #points = new Map<string, Point[]>();

  /** The state of things before a replay begins. */
  baseline(snapshot: Snapshot, queues: readonly string[]): GuardBaseline {
    const waits = queuesOf(snapshot, queues).map((queue) => {
      const wait = waitSeconds(queue, queue.rates?.departuresPerSecond ?? null);
      return [queue.id, wait === Infinity ? null : wait] as const;
    });
    return { waitSeconds: Object.fromEntries(waits), roundTripMs: snapshot.poll.roundTripMs };
  }

  /** What is seen now; to be asked about once a second. */
  look(
    snapshot: Snapshot | null,
    queues: readonly string[],
    baseline: GuardBaseline,
    movedOf: (queueId: string) => number,
    nowMs: number,
  ): LoadSample {
    const isBlind = snapshot === null || snapshot.link.status !== 'live' || nowMs - snapshot.atMs > STALE_MS;
    const seen = queuesOf(snapshot, queues);
    let worst: { id: string; wait: number; soon: number; normal: number; ratio: number } | null = null;
    for (const queue of seen) {
      const flow = this.#flow(queue, movedOf(queue.id));
      const wait = waitSeconds(queue, flow?.departuresPerSecond ?? null);
      if (wait === null) continue;
      const normal = baseline.waitSeconds[queue.id] ?? 0;
      const soon = waitSoonSeconds(queue, flow, nowMs) ?? wait;
      const ratio = Math.max(wait, soon) / Math.max(WAIT_FLOOR_SECONDS, normal);
      if (worst === null || ratio > worst.ratio) worst = { id: queue.id, wait, soon, normal, ratio };
    }
    const nodes = snapshot?.nodes ?? [];
    const used = nodes.flatMap(({ usedRatio }) => usedRatio ?? []);
    const fullIn = nodes.flatMap(({ forecast }) => earliestFull(forecast) ?? []);
    return {
      atMs: nowMs,
      isBlind,
      isFull: nodes.some((node) => node.isFull),
      usedRatio: used.length > 0 ? Math.max(...used) : null,
      fullInSeconds: fullIn.length > 0 ? Math.min(...fullIn) : null,
      waitSeconds: worst?.wait ?? null,
      waitSoonSeconds: worst?.soon ?? null,
      waitQueue: worst?.id ?? null,
      normalWaitSeconds: worst?.normal ?? null,
      roundTripMs: snapshot?.poll.roundTripMs ?? null,
    };
  }

  /** What leaves a queue in a second, and by how much its backlog grows; null while it is watched for too short a time. */
  #flow(queue: QueueState, moved: number): Flow | null {
    const points = this.#points.get(queue.id) ?? [];
    this.#points.set(queue.id, points);
    const last = points.at(-1);
    const { readAtMs: atMs, addedTotal, unfinished, backlog } = queue;
    const point = { atMs, addedTotal, unfinished, backlog, moved };
    if (!last || last.atMs < point.atMs) points.push(point);
    while (points.length > 2 && (points[1]?.atMs ?? 0) < point.atMs - WINDOW_MS) points.shift();
    const first = points[0];
    if (!first || point.atMs - first.atMs < MIN_WINDOW_MS) return null;
    const recent = points.findLast((one) => point.atMs - one.atMs >= MIN_WINDOW_MS) ?? first;
    const overAll = leftBetween(first, point) / secondsBetween(first, point);
    const seconds = secondsBetween(recent, point);
    const left = leftBetween(recent, point);
    const isTelling = Math.max(left, overAll * seconds) >= ENOUGH_LEFT;
    // Jobs of schedulers don't count in BullMQ's id counter: then what types finish says more.
    const finished = queue.types.reduce(
      (sum, type) => sum + (type.completedPerSecond ?? 0) + (type.failedPerSecond ?? 0),
      0,
    );
    return {
      departuresPerSecond: Math.max(finished, isTelling ? left / seconds : overAll),
      growthPerSecond: (point.backlog - recent.backlog) / seconds,
    };
  }
}

interface Flow {
  readonly departuresPerSecond: number;
  readonly growthPerSecond: number;
}

function leftBetween(from: Point, to: Point): number {
  const came = to.addedTotal - from.addedTotal + to.moved - from.moved;
  return Math.max(0, came - (to.unfinished - from.unfinished));
}

function secondsBetween(from: Point, to: Point): number {
  return (to.atMs - from.atMs) / 1000;
}

/** The wait of a job that is added in a moment, where the backlog grows; null: it does not, or it is not known. */
function waitSoonSeconds(queue: QueueState, flow: Flow | null, nowMs: number): number | null {
  if (flow === null || flow.growthPerSecond <= 0) return null;
  // It has grown on since it was read.
  const seconds = Math.max(0, nowMs - queue.readAtMs) / 1000 + SHOWS_AFTER_SECONDS;
  const backlog = queue.backlog + flow.growthPerSecond * seconds;
  return flow.departuresPerSecond > 0 ? backlog / flow.departuresPerSecond : Infinity;
}

/** null: not known, or the queue is held by somebody, and then waiting is what jobs are meant to do. */
function waitSeconds(queue: QueueState, departuresPerSecond: number | null): number | null {
  if (queue.flow !== 'running') return null;
  if (queue.backlog === 0) return 0;
  if (departuresPerSecond === null) return null;
  return departuresPerSecond > 0 ? queue.backlog / departuresPerSecond : Infinity;
}

function queuesOf(snapshot: Snapshot | null, ids: readonly string[]): readonly QueueState[] {
  const wanted = new Set(ids);
  return snapshot?.queues.filter(({ id }) => wanted.has(id)) ?? [];
}

/** Where one number is not known a guard goes by the earliest. */
function earliestFull(forecast: MemoryForecast | null): number | null {
  if (forecast === null) return null;
  return forecast.notKnown === null ? forecast.fullInSeconds : (forecast.fullInRange?.[0] ?? null);
}
