import { setTimeout as wait } from 'node:timers/promises';
import { ActionError } from '../../model/action.js';
import { formatBytes, formatCount } from '../../model/format.js';
import type { Parking } from '../../model/parking.js';
import { saidBy } from '../../model/replay-spec.js';
import type { RecordEvent } from '../../model/timeline-entry.js';
import { every, reasonOf, type WorkHealth, WorkRecord } from '../../process/every.js';
import type { QueueHandle } from '../../redis/queue-control.js';
import { storeTroubleOf } from '../../store/store-trouble.js';
import type { ReplayRun } from '../replay-run.js';
import { parkJobs } from './park-jobs.js';
import { MAX_RESTORE_RATE } from './parking.js';
import { confirmRestored, settleOpen } from './restore-jobs.js';
import { type RestoreDeps, restoreRate, restoreRun } from './restore-source.js';

export interface ParkingTasksDeps extends RestoreDeps {
  /** Of several consoles, is it this one that moves jobs? Left out: there are no others. */
  readonly isLeader?: () => boolean;
  readonly recordEvent: RecordEvent;
  readonly warn: (message: string) => void;
}

const RETRY_MS = 500;
/** Between two looks at what came of jobs that are back. */
const FOLLOW_EVERY_MS = 500;

/**
 * The tasks that work on parkings, at most one for each: it does what the row of its parking says, and ends where that says
 * to rest. Whoever changes a row turns its task, which then looks at it again.
 */
export class ParkingTasks {
  readonly #deps: ParkingTasksDeps;
  readonly #tasks = new Map<string, Promise<void>>();
  /** Paused as the disk is full, which could not be written. */
  readonly #resting = new Map<string, string>();
  /** Restores under way. */
  readonly #runs = new Map<string, ReplayRun>();
  /** Raised by every change from outside: the task looks at its row again. */
  readonly #turns = new Map<string, number>();
  /** The turn that a task last looked at. */
  readonly #seen = new Map<string, number>();
  /** Of tasks that are at work. */
  readonly #records = new Map<string, WorkRecord>();
  readonly #closing = new AbortController();

  constructor(deps: ParkingTasksDeps) {
    this.#deps = deps;
  }

  /** Its row has changed. */
  turn(id: string): void {
    this.#resting.delete(id);
    this.#turns.set(id, (this.#turns.get(id) ?? 0) + 1);
    void this.#runs.get(id)?.stop();
    this.work(id);
  }

  /** Another rate, in force within a batch and without another look at the row. */
  async setPace({ id, guard, ...rest }: Parking): Promise<void> {
    const run = this.#runs.get(id);
    const ratePerSecond = restoreRate({ guard, ...rest });
    await run?.change({ ratePerSecond, spec: { ...run.record.spec, guard } });
  }

  get health(): readonly WorkHealth[] {
    return [...this.#records.values(), ...this.#runs.values()].map(({ health }) => health);
  }

  isAtWork(id: string): boolean {
    return this.#tasks.has(id);
  }

  /** What a row does not say: how fast it goes and why, and that it rests where that could not be written. */
  asItIs(parking: Parking): Parking {
    const because = this.#resting.get(parking.id);
    if (because !== undefined) return { ...parking, state: 'paused', because };
    const run = parking.state === 'running' ? this.#runs.get(parking.id) : undefined;
    if (!run) return parking;
    const { pacePerSecond, paceReason } = run.view;
    const isUnbound = pacePerSecond === MAX_RESTORE_RATE && !parking.guard;
    return {
      ...parking,
      because: parking.because ?? run.health.problem,
      pacePerSecond: isUnbound ? null : pacePerSecond,
      paceReason: isUnbound ? 'As fast as it goes: auto-throttle is off.' : paceReason,
    };
  }

  /** Waits for the end of its task, or until the time is up. */
  async settled(id: string, withinMs: number): Promise<void> {
    const until = new AbortController();
    await Promise.race([
      this.#tasks.get(id) ?? Promise.resolve(),
      wait(withinMs, undefined, { signal: until.signal }).catch(() => undefined),
    ]);
    until.abort();
  }

  /** Ends all after the batch that they are at; they go on at the next start. */
  async stop(): Promise<void> {
    this.#closing.abort();
    for (const run of this.#runs.values()) void run.stop();
    await Promise.all(this.#tasks.values());
  }

  /** One task a parking, whatever is asked of it. */
  work(id: string): void {
    if (this.#tasks.has(id)) return;
    const task = this.#run(id)
      .catch((error: unknown) => this.#deps.warn(`parking ${id}: ${reasonOf(error)}`))
      .finally(() => {
        this.#tasks.delete(id);
        this.#records.delete(id);
        // Asked for between the task's last look and its end.
        if ((this.#turns.get(id) ?? 0) !== (this.#seen.get(id) ?? 0) && !this.#isOver) this.work(id);
      });
    this.#tasks.set(id, task);
  }

  /** @throws ActionError where it can't be written to now. */
  queueOf(instance: string, queueId: string): QueueHandle {
    const queue = this.#deps.queue(instance, queueId);
    if (queue) return queue;
    throw new ActionError('unreachable', `Redis ${instance} can not be written to now`);
  }

  get #isOver(): boolean {
    return this.#closing.signal.aborted || this.#deps.isLeader?.() === false;
  }

  async #run(id: string): Promise<void> {
    const { store, now } = this.#deps;
    const record = new WorkRecord();
    this.#records.set(id, record);
    let isSettled = false;
    while (!this.#isOver) {
      const turn = this.#turns.get(id) ?? 0;
      this.#seen.set(id, turn);
      let parking: Parking | null = null;
      try {
        parking = await store.parkings.one(id);
        if (!parking || (isSettled && parking.state !== 'running')) return;
        const queue = this.queueOf(parking.instance, parking.queue);
        await store.alone(id, () => settleOpen({ store, queue, parking: id, now }));
        isSettled = true;
        if (parking.state !== 'running') continue;
        if (parking.because !== null) await store.parkings.change(id, { because: null });
        const shouldStop = (): boolean => this.#isOver || (this.#turns.get(id) ?? 0) !== turn;
        await this.#step(parking, queue, shouldStop);
        record.succeeded(now());
      } catch (error) {
        isSettled = false;
        // Another goes on with it: its row is not ours to write.
        if (this.#isOver) return;
        if (record.failed(error, now()) === 1) this.#deps.warn(`parking ${id}: ${reasonOf(error)}`);
        const isFull =
          storeTroubleOf(error) === 'full' || (error instanceof ActionError && error.code === 'disk-full');
        if (parking && isFull) {
          await this.#rest(parking, reasonOf(error));
          return;
        }
        // A file that can't be written now is what is in the way, perhaps: it is tried again all the same.
        await store.parkings.change(id, { because: reasonOf(error) }).catch(() => undefined);
        await wait(RETRY_MS, undefined, { signal: this.#closing.signal }).catch(() => undefined);
      }
    }
  }

  /** On a disk that is full not even this can be written: then it is known until the console ends, and found again after. */
  async #rest(parking: Parking, because: string): Promise<void> {
    this.#resting.set(parking.id, because);
    this.#record(parking, 'parking.ended', `Parking jobs of ${parking.queue} stopped: ${because}.`);
    await this.#deps.store.parkings.change(parking.id, { state: 'paused', because }).then(
      () => this.#resting.delete(parking.id),
      (error: unknown) => this.#deps.warn(`parking ${parking.id} rests: ${reasonOf(error)}`),
    );
  }

  async #step(parking: Parking, queue: QueueHandle, shouldStop: () => boolean): Promise<void> {
    const { store, now, newId } = this.#deps;
    if (parking.phase === 'restore') return this.#restore(parking, queue, shouldStop);
    const work = { store, queue, parking, now, newId, shouldStop };
    if ((await parkJobs(work)).isThrough) await this.#end(parking);
  }

  async #restore(parking: Parking, queue: QueueHandle, shouldStop: () => boolean): Promise<void> {
    const { id } = parking;
    const { store, now, newId, warn } = this.#deps;
    const run = restoreRun(parking, { ...this.#deps, isLeader: () => !this.#isOver });
    const follow = async (): Promise<void> => {
      await confirmRestored({ store, queue, parking: id, now, newId });
      if (run.record.spec.guard) await run.settle(queue.client);
    };
    const following = every(FOLLOW_EVERY_MS, follow, (error) => warn(`parking ${id}: ${reasonOf(error)}`));
    if (shouldStop()) return;
    this.#runs.set(id, run);
    following.start();
    await run.start();
    this.#runs.delete(id);
    await following.stop();
    const { state, reason } = run.record;
    if (state === 'failed') throw new Error(reason);
    // Redis may have lost some meanwhile: those are taken up by the next look at the row.
    if (state === 'done' && (await store.jobs.next(id, 1, 0)).length === 0) await this.#end(parking);
    if (state !== 'paused') return;
    const because = reason.replace('replayed', 'restored');
    await store.parkings.change(id, { state: 'paused', pausedBy: 'guard', because });
    this.#record(parking, 'parking.ended', because);
  }

  async #end({ id, phase }: Parking): Promise<void> {
    const { store, now } = this.#deps;
    await store.parkings.change(id, { state: 'done', because: null, endedAtMs: now() });
    const after = await store.parkings.one(id);
    if (!after) return;
    if (phase === 'park') {
      const freed = `which freed ${formatBytes(after.freedBytes)} in Redis (${saidBy(after.actor, after.reason)})`;
      const text = `${formatCount(after.parked)} jobs of ${after.queue} are parked on disk, ${freed}.`;
      this.#record(after, 'parking.ended', text);
      return;
    }
    const there = formatCount(after.existed + after.fellBack);
    const text = `${formatCount(after.restored)} parked jobs of ${after.queue} are back; ${there} were there already.`;
    this.#record(after, 'parking.restored', text);
    await store.disk.shrink();
  }

  #record(parking: Parking, kind: 'parking.ended' | 'parking.restored', text: string): void {
    const { instance, queue, actor } = parking;
    this.#deps.recordEvent({ atMs: this.#deps.now(), instance, kind, queue, worker: null, text, actor });
  }
}
