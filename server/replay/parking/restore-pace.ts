import type { Snapshot } from '../../model/snapshot.js';
import type { QueueHandle } from '../../redis/queue-control.js';
import { LoadSampler } from '../load-sample.js';
import type { MovedJobs } from '../moved-rate.js';
import { readOutcomes } from '../read-finished.js';
import { ReplayThrottle, type Throttled } from '../replay-throttle.js';
import { GUARDED_PER_SECOND, type Parking, type StoredJob } from './parking.js';
import type { RestorePace } from './restore-jobs.js';

export interface PaceDeps {
  readonly now: () => number;
  readonly snapshot: (instance: string) => Snapshot | null;
  readonly moved: MovedJobs;
}

/** Jobs that are back and whose end is not known yet, of which it is asked; of more, the latest. */
const MAX_FOLLOWED = 500;
const FOLLOW_EVERY_MS = 500;
const NONE = { moved: 0, succeeded: 0, failedAgain: 0, gone: 0 } as const;

/**
 * How fast the jobs of one parking come back, and why: at the rate set and, under the guard, below it, by what the guard of
 * replays looks at: the wait of live jobs, memory, the answer time of Redis, and whether what comes back only fails.
 * It lives as long as the restore runs; one that goes on after a pause or a restart begins with a canary again.
 */
export class ParkingPace implements RestorePace {
  readonly #deps: PaceDeps;
  readonly #queue: QueueHandle;
  readonly #throttle: ReplayThrottle;
  #subject: Throttled;
  #rate: number | null;
  #guard: boolean;
  #holds: string | null = null;
  #waitsFor: string | null = null;
  #followed: string[] = [];
  #followedAtMs = 0;

  constructor(parking: Parking, queue: QueueHandle, deps: PaceDeps) {
    this.#deps = deps;
    this.#queue = queue;
    this.#rate = parking.ratePerSecond;
    this.#guard = parking.guard;
    this.#subject = {
      instance: parking.instance,
      queues: [parking.queue],
      spec: { guard: parking.guard, batchSize: Number.MAX_SAFE_INTEGER, mostInFlight: null },
      ratePerSecond: parking.ratePerSecond ?? GUARDED_PER_SECOND,
      counts: NONE,
      canaryFrom: NONE,
      baseline: null,
    };
    const { now, snapshot, moved } = deps;
    const movedTo = (queueId: string): number => moved.to(parking.instance, queueId);
    this.#throttle = new ReplayThrottle(this.#subject, { now, snapshot, movedTo }, new LoadSampler());
  }

  /** Jobs a second at most; null: nothing bounds it. */
  get perSecond(): number | null {
    if (this.#holds !== null || this.#waitsFor !== null) return 0;
    return this.#guard ? this.#throttle.perSecond : this.#rate;
  }

  /** Why it stands where it is Redis that stops it; null: it goes, or it is the guard. */
  get holds(): string | null {
    return this.#holds;
  }

  get reason(): string {
    const stands = this.#holds ?? this.#waitsFor;
    if (stands !== null) return stands;
    if (this.#guard) return this.#throttle.reason;
    return this.#rate === null ? 'As fast as it goes: the guard is off.' : 'As set: the guard is off.';
  }

  /** In force at the next batch. */
  set(ratePerSecond: number | null, guard: boolean): void {
    this.#rate = ratePerSecond;
    this.#guard = guard;
    this.#subject = {
      ...this.#subject,
      ratePerSecond: ratePerSecond ?? GUARDED_PER_SECOND,
      spec: { ...this.#subject.spec, guard },
    };
    this.#throttle.setRate(this.#subject.ratePerSecond);
  }

  async due(most: number) {
    this.#waitsFor = null;
    if (!this.#guard && this.#rate === null) return { jobs: most, waitMs: 0, stop: null };
    if (this.#guard) {
      if (!this.#hasBaseline()) return this.#stands('Waiting: the console does not see this Redis now.');
      await this.#follow();
    }
    const allowance = this.#throttle.allowance(this.#subject);
    if (allowance.stop !== null) return { jobs: 0, waitMs: 0, stop: allowance.stop };
    if (allowance.most <= 0) return this.#stands(allowance.waitsFor ?? 'Waiting.');
    return { ...this.#throttle.due(this.#subject, Math.min(most, allowance.most)), stop: null };
  }

  moved(jobs: readonly StoredJob[]): void {
    const { instance, queues, counts } = this.#subject;
    this.#deps.moved.note(instance, queues[0] ?? '', jobs.length);
    this.#subject = { ...this.#subject, counts: { ...counts, moved: counts.moved + jobs.length } };
    this.#throttle.spend(jobs.length);
    this.#throttle.noteMoved(this.#subject);
    // What is delayed does not end soon, and says nothing until then.
    const soon = jobs.filter(({ place }) => place !== 'delayed').map(({ jobId }) => jobId.toString('utf8'));
    this.#followed = [...this.#followed, ...soon].slice(-MAX_FOLLOWED);
  }

  hold(because: string | null): void {
    this.#holds = because;
  }

  #stands(why: string) {
    this.#waitsFor = why;
    return { jobs: 0, waitMs: FOLLOW_EVERY_MS, stop: null };
  }

  /** How things were before it began; false: not seen yet. */
  #hasBaseline(): boolean {
    if (this.#subject.baseline) return true;
    const snapshot = this.#deps.snapshot(this.#subject.instance);
    if (snapshot?.link.status !== 'live') return false;
    const baseline = new LoadSampler().baseline(snapshot, this.#subject.queues);
    this.#subject = { ...this.#subject, baseline };
    return true;
  }

  /** Looks up what has come of jobs that are back. @throws what Redis says. */
  async #follow(): Promise<void> {
    const nowMs = this.#deps.now();
    if (this.#followed.length === 0 || nowMs - this.#followedAtMs < FOLLOW_EVERY_MS) return;
    this.#followedAtMs = nowMs;
    const ids = this.#followed;
    const jobs = ids.map((id) => [id, ''] as const);
    const batch = { queue: this.#queue.id, jobs, characters: 'm'.repeat(ids.length) };
    const characters = await readOutcomes(this.#queue.client, batch, '');
    this.#followed = ids.filter((_, i) => characters[i] === 'm');
    const ended = (letter: string): number => [...characters].filter((one) => one === letter).length;
    const { counts } = this.#subject;
    this.#subject = {
      ...this.#subject,
      counts: {
        ...counts,
        succeeded: counts.succeeded + ended('s'),
        failedAgain: counts.failedAgain + ended('f'),
        gone: counts.gone + ended('g'),
      },
    };
  }
}
