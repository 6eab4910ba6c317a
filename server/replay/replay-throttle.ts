import type { MovedOutcomes, ReplayRecord } from '../model/replay.js';
import type { Snapshot } from '../model/snapshot.js';
import { LoadSampler, type MovedJobs } from './load-sample.js';
import { CANARY_JOBS, guardRate, judgeCanary, type ReplayGuardState, startGuard } from './replay-guard.js';
import { dueJobs, type PaceBucket, refill, reRate, spendPace, startBucket } from './replay-pace.js';

/** Between two looks of the guard. */
const GUARD_EVERY_MS = 1_000;
/** Ended jobs after which the failure rate is taken anew, so that an old success does not hide a new failure. */
const RECENT_ENDED = 200;

/** How many jobs may go at once, and why not more. */
interface Allowance {
  readonly most: number;
  /** Why none; null: some may. */
  readonly waitsFor: string | null;
  /** Why it must not go on without a person; null: it may. */
  readonly stop: string | null;
}

interface Pace {
  readonly perSecond: number;
  readonly reason: string;
}

interface ThrottleDeps {
  readonly now: () => number;
  readonly snapshot: (instance: string) => Snapshot | null;
  readonly moved: Pick<MovedJobs, 'to'>;
}

/** How fast one replay may go: the set rate, the guard, the canary, and what may be in flight. */
export class ReplayThrottle {
  readonly #deps: ThrottleDeps;
  readonly #load = new LoadSampler();
  #guard: ReplayGuardState;
  #bucket: PaceBucket;
  #recent: MovedOutcomes;
  #canaryMovedAtMs: number | null = null;
  #lookedAtMs = 0;

  constructor(record: ReplayRecord, deps: ThrottleDeps) {
    this.#deps = deps;
    this.#guard = startGuard(record.ratePerSecond, deps.now());
    this.#bucket = startBucket(record.ratePerSecond, deps.now());
    this.#recent = record.canaryFrom;
    this.noteMoved(record);
  }

  /**
   * Jobs a second at most, and why in one sentence.
   * @param stands why nothing is moved now at all; null: it goes.
   */
  pace({ spec, ratePerSecond }: ReplayRecord, stands: string | null): Pace {
    if (stands !== null) return { perSecond: 0, reason: stands };
    if (spec.guard) return this.#guard;
    return { perSecond: ratePerSecond, reason: 'As set: auto-throttle is off.' };
  }

  get reason(): string {
    return this.#guard.reason;
  }

  get isSlowed(): boolean {
    return this.#guard.isSlowed;
  }

  /** Begins, or goes on after a pause. */
  begin(record: ReplayRecord, isNewCanary: boolean): void {
    this.#guard = startGuard(record.ratePerSecond, this.#deps.now());
    this.#bucket = startBucket(record.ratePerSecond, this.#deps.now());
    if (!isNewCanary) return;
    this.#recent = record.canaryFrom;
    this.#canaryMovedAtMs = null;
  }

  /** Another rate is in force from now on. */
  setRate(perSecond: number): void {
    const nowMs = this.#deps.now();
    this.#bucket = reRate(this.#bucket, perSecond, nowMs);
    this.#guard = { ...startGuard(perSecond, nowMs), reason: 'As set: the rate was changed.' };
  }

  /** Jobs that may be moved at once now, the rate left aside. */
  allowance(record: ReplayRecord): Allowance {
    const { spec, counts } = record;
    let most = spec.batchSize;
    if (spec.mostInFlight !== null) {
      const inFlight = counts.moved - counts.succeeded - counts.failedAgain - counts.gone;
      most = Math.min(most, spec.mostInFlight - inFlight);
      if (most <= 0) {
        const waitsFor = `Waiting: ${inFlight} of at most ${spec.mostInFlight} are in flight.`;
        return { most: 0, waitsFor, stop: this.#canary(record).stop };
      }
    }
    const canary = this.#canary(record);
    return { ...canary, most: Math.min(most, canary.most) };
  }

  /** Jobs that are due at the rate of now; 0 with the time to wait. The guard looks about once a second. */
  due(record: ReplayRecord, most: number): { readonly jobs: number; readonly waitMs: number } {
    const nowMs = this.#deps.now();
    const perSecond = record.spec.guard ? this.#look(record, nowMs) : record.ratePerSecond;
    this.#bucket =
      this.#bucket.perSecond === perSecond
        ? refill(this.#bucket, nowMs)
        : reRate(this.#bucket, perSecond, nowMs);
    return dueJobs(this.#bucket, most);
  }

  spend(jobs: number): void {
    this.#bucket = spendPace(this.#bucket, jobs);
  }

  /** Remembers when the canary was out. */
  noteMoved({ counts, canaryFrom }: ReplayRecord): void {
    if (this.#canaryMovedAtMs === null && counts.moved - canaryFrom.moved >= CANARY_JOBS)
      this.#canaryMovedAtMs = this.#deps.now();
  }

  #canary(record: ReplayRecord): Allowance {
    if (!record.spec.guard) return { most: Infinity, waitsFor: null, stop: null };
    const sinceMs = this.#canaryMovedAtMs === null ? null : this.#deps.now() - this.#canaryMovedAtMs;
    const recent = outcomesSince(record, this.#recent);
    const ended = recent.succeeded + recent.failedAgain + recent.gone;
    if (judgeCanary(recent, sinceMs) === 'stop') {
      const stop = `${recent.failedAgain} of the last ${ended} replayed jobs failed again`;
      return { most: 0, waitsFor: null, stop };
    }
    if (ended >= RECENT_ENDED) this.#recent = outcomesOf(record);
    // Asked of all since the canary began: `recent` begins anew again and again, and would hold back what is well on its way.
    if (judgeCanary(outcomesSince(record, record.canaryFrom), sinceMs) === 'wait')
      return {
        most: 0,
        waitsFor: `Waiting to see what comes of the first ${CANARY_JOBS} jobs.`,
        stop: null,
      };
    const most = sinceMs === null ? CANARY_JOBS - outcomesSince(record, record.canaryFrom).moved : Infinity;
    return { most, waitsFor: null, stop: null };
  }

  #look(record: ReplayRecord, nowMs: number): number {
    const { instance, queues, baseline } = record;
    if (nowMs - this.#lookedAtMs < GUARD_EVERY_MS || !baseline) return this.#guard.perSecond;
    this.#lookedAtMs = nowMs;
    const movedTo = (queue: string): number => this.#deps.moved.to(instance, queue);
    const load = this.#load.look(this.#deps.snapshot(instance), queues, baseline, movedTo, nowMs);
    this.#guard = guardRate(this.#guard, record.ratePerSecond, load, baseline);
    return this.#guard.perSecond;
  }
}

/** What has come of all that a replay has moved so far. */
export function outcomesOf({
  counts: { moved, succeeded, failedAgain, gone },
}: Pick<ReplayRecord, 'counts'>): MovedOutcomes {
  return { moved, succeeded, failedAgain, gone };
}

function outcomesSince(record: ReplayRecord, since: MovedOutcomes): MovedOutcomes {
  const now = outcomesOf(record);
  return {
    moved: now.moved - since.moved,
    succeeded: now.succeeded - since.succeeded,
    failedAgain: now.failedAgain - since.failedAgain,
    gone: now.gone - since.gone,
  };
}
