import type { QueueRates } from '../model/snapshot.js';
import type { QueueReading } from '../redis/queue-reading.js';

/** When the jobs at the head of a queue were added: one is asked for at a time, in the next tick's pipeline, so that it takes no second round trip. */
export class HeadAges {
  /** Of those that are known; a handful at most. */
  #ages: readonly { readonly jobId: string; readonly addedAtMs: number }[] = [];
  #last: number | null = null;
  /** The job whose age is to be asked for; null: all are known. */
  askAgeOf: string | null = null;

  take({ age, headJobIds }: Pick<QueueReading, 'age' | 'headJobIds'>): void {
    if (age) {
      this.#last = age.timestampMs + age.delayMs;
      this.#ages = [
        ...this.#ages.filter(({ jobId }) => jobId !== age.jobId),
        { jobId: age.jobId, addedAtMs: this.#last },
      ];
    }
    if (!this.#ages.every(({ jobId }) => headJobIds.includes(jobId)))
      this.#ages = this.#ages.filter(({ jobId }) => headJobIds.includes(jobId));
    this.askAgeOf = headJobIds.find((id) => !this.#ages.some(({ jobId }) => jobId === id)) ?? null;
  }

  /** Of those at the head, or where none of them is known yet, of the last that was asked for; null: none ever was. */
  get oldestAddedAtMs(): number | null {
    // While jobs leave, the head is another one at every tick: the age of the last one asked for is close.
    return this.#ages.length > 0 ? Math.min(...this.#ages.map(({ addedAtMs }) => addedAtMs)) : this.#last;
  }
}

/** What a drain estimate needs: jobs that workers could take now, and the two rates per second. */
interface DrainInput {
  readonly backlog: number;
  readonly arrivalsPerSecond: number;
  readonly departuresPerSecond: number;
}

/**
 * Seconds until the backlog is gone at the present rates: backlog / (departures − arrivals).
 * @returns null when there is nothing to drain or a rate is not a number; Infinity when it never drains at these rates.
 */
export function estimateDrainSeconds(input: DrainInput): number | null {
  const { backlog, arrivalsPerSecond, departuresPerSecond } = input;
  if (!Number.isFinite(arrivalsPerSecond) || !Number.isFinite(departuresPerSecond)) return null;
  if (!(backlog > 0)) return null;
  const net = Math.max(0, departuresPerSecond) - Math.max(0, arrivalsPerSecond);
  return net > 0 ? backlog / net : Number.POSITIVE_INFINITY;
}

/** What one read of a queue says that rates are made of. */
export interface QueuePoint {
  readonly atMs: number;
  /** BullMQ's `<prefix>:<queue>:id`: only ever grows, unless the queue is obliterated. */
  readonly addedTotal: number;
  /** Jobs that were parked so far, less those that were brought back; left out: none. */
  readonly takenTotal?: number;
  readonly unfinished: number;
  readonly backlog: number;
}

/** Long enough for a steady number, short enough that a change shows while someone watches. */
const RATE_WINDOW_MS = 30_000;
const MIN_WINDOW_MS = 900;
const RECENT_MS = 5_000;

/**
 * Arrivals, departures and growth per second over the last 30 s. Arrivals are the change of the id counter, departures
 * are arrivals less the change in unfinished jobs (design decision 4): an upper bound, as the counter moves for
 * duplicates too. A counter that goes back means that the queue was obliterated; what was before is left out.
 * @param points oldest first.
 * @returns null while there are fewer than two reads to compare.
 */
export function queueRates(points: readonly QueuePoint[]): QueueRates | null {
  const end = points.length - 1;
  const last = points[end];
  if (!last) return null;
  const start = windowStart(points, end, last);
  const first = points[start];
  if (!first) return null;
  const windowMs = last.atMs - first.atMs;
  if (windowMs < MIN_WINDOW_MS) return null;
  const seconds = windowMs / 1000;
  const arrived = last.addedTotal - first.addedTotal;
  // Jobs put back by hand (retry of a failed job) raise the unfinished without an arrival; that is no negative departure.
  // What was parked has left too, and nobody has done it.
  const taken = (last.takenTotal ?? 0) - (first.takenTotal ?? 0);
  const departed = Math.max(0, arrived - taken - (last.unfinished - first.unfinished));
  const growthPerSecond = robustGrowth(points, start, end);
  return {
    arrivalsPerSecond: arrived / seconds,
    departuresPerSecond: departed / seconds,
    growthPerSecond,
    isGrowing: isGrowing(points, start, end, growthPerSecond),
    windowMs,
    ...recentArrivals(points, start, last),
  };
}

/** Over the last five seconds, where there are reads from before them within the window. */
function recentArrivals(
  points: readonly QueuePoint[],
  start: number,
  last: QueuePoint,
): Pick<QueueRates, 'recentArrivals'> {
  const from = points.findLast((point, i) => i >= start && last.atMs - point.atMs >= RECENT_MS);
  if (!from || last.atMs - from.atMs > 2 * RECENT_MS) return {};
  const windowMs = last.atMs - from.atMs;
  return { recentArrivals: { perSecond: ((last.addedTotal - from.addedTotal) * 1000) / windowMs, windowMs } };
}

/** Index of the oldest point that still counts: within the window and after the last reset of the counter. */
function windowStart(points: readonly QueuePoint[], end: number, last: QueuePoint): number {
  let start = end;
  let newer = last;
  while (start > 0) {
    const older = points[start - 1];
    if (!older || older.addedTotal > newer.addedTotal || older.atMs >= newer.atMs) break;
    // One point beyond the window is taken where it is all there is: queues that don't change are read less often.
    if (last.atMs - older.atMs > RATE_WINDOW_MS && start < end) break;
    newer = older;
    start -= 1;
  }
  return start;
}

/** Slope between the medians of the first and the last third: as cheap as it is hard to fool by one odd read. */
function robustGrowth(points: readonly QueuePoint[], start: number, end: number): number {
  const third = Math.max(1, Math.floor((end - start + 1) / 3));
  const early = middle(points, start, start + third);
  const late = middle(points, end + 1 - third, end + 1);
  const seconds = (late.atMs - early.atMs) / 1000;
  return seconds > 0 ? (late.backlog - early.backlog) / seconds : 0;
}

function middle(points: readonly QueuePoint[], from: number, to: number): { atMs: number; backlog: number } {
  const part = points.slice(from, to);
  const backlogs = part.map((point) => point.backlog).sort((a, b) => a - b);
  const center = part[Math.floor((part.length - 1) / 2)];
  return { atMs: center?.atMs ?? 0, backlog: backlogs[Math.floor((backlogs.length - 1) / 2)] ?? 0 };
}

/** Growth counts when it is most of what happened: twice as many steps up as down, and more than noise. */
function isGrowing(
  points: readonly QueuePoint[],
  start: number,
  end: number,
  growthPerSecond: number,
): boolean {
  if (end - start < 3 || growthPerSecond <= 0) return false;
  let up = 0;
  let down = 0;
  for (let i = start + 1; i <= end; i++) {
    const step = (points[i]?.backlog ?? 0) - (points[i - 1]?.backlog ?? 0);
    if (step > 0) up += 1;
    else if (step < 0) down += 1;
  }
  const first = points[start]?.backlog ?? 0;
  const last = points[end]?.backlog ?? 0;
  return up >= 2 && up >= 2 * down && last - first >= Math.max(3, first * 0.01);
}
