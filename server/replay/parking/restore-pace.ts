import type { Snapshot } from '../../model/snapshot.js';
import type { QueueHandle } from '../../redis/queue-control.js';
import type { MovedJobs } from '../load-sample.js';
import { LoadSampler } from '../load-sample.js';
import { readOutcomes } from '../read-finished.js';
import { NO_COUNTS, type ReplayCounts } from '../replay-account.js';
import { countChars } from '../replay-batch.js';
import { outcomesOf, type Pace, ReplayThrottle, type Throttled } from '../replay-throttle.js';
import type { Parking, StoredJob } from './parking.js';
import type { RestorePace } from './restore-jobs.js';

export interface PaceDeps {
  readonly now: () => number;
  readonly snapshot: (instance: string) => Snapshot | null;
  readonly moved: MovedJobs;
}

/** Jobs that are back and whose end is not known yet, of which it is asked; of more, the latest. */
const MAX_FOLLOWED = 500;
const FOLLOW_EVERY_MS = 500;

/**
 * How fast the jobs of one parking come back, and why: at the rate set and, under the guard, below it, by what the guard of
 * replays looks at: the wait of live jobs, memory, the answer time of Redis, and whether what comes back only fails.
 * It lives as long as the restore runs; one that goes on after a pause or a restart begins with a canary again.
 */
export class ParkingPace implements RestorePace {
  readonly #deps: PaceDeps;
  readonly #queue: QueueHandle;
  readonly #throttle: ReplayThrottle;
  #subject: Throttled & { readonly counts: ReplayCounts };
  #holds: string | null = null;
  #waitsFor: string | null = null;
  #followed: string[] = [];
  #followedAtMs = 0;

  constructor(parking: Parking, queue: QueueHandle, deps: PaceDeps) {
    this.#deps = deps;
    this.#queue = queue;
    this.#subject = {
      instance: parking.instance,
      queues: [parking.queue],
      spec: { guard: parking.guard, batchSize: Number.MAX_SAFE_INTEGER, mostInFlight: null },
      ratePerSecond: parking.ratePerSecond,
      counts: NO_COUNTS,
      canaryFrom: outcomesOf({ counts: NO_COUNTS }),
      baseline: null,
    };
    const { now, snapshot, moved } = deps;
    const movedTo = (queueId: string): number => moved.to(parking.instance, queueId);
    this.#throttle = new ReplayThrottle(this.#subject, { now, snapshot, movedTo });
  }

  get pace(): Pace {
    return this.#throttle.pace(this.#subject, this.#holds ?? this.#waitsFor);
  }

  /** Why it stands where it is Redis that stops it; null: it goes, or it is the guard. */
  get holds(): string | null {
    return this.#holds;
  }

  /** In force at the next batch. */
  set(ratePerSecond: number | null, guard: boolean): void {
    this.#subject = { ...this.#subject, ratePerSecond, spec: { ...this.#subject.spec, guard } };
    this.#throttle.setRate(ratePerSecond);
  }

  async due(most: number) {
    this.#waitsFor = null;
    if (this.#subject.spec.guard) {
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
    const counts = countChars(this.#subject.counts, batch.characters, characters);
    this.#subject = { ...this.#subject, counts };
  }
}
