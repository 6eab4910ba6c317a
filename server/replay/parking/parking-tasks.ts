import { setTimeout as wait } from 'node:timers/promises';
import { ActionError } from '../../model/action.js';
import { formatBytes, formatCount } from '../../model/format.js';
import type { RecordEvent } from '../../model/timeline-entry.js';
import { reasonOf, type WorkHealth, WorkRecord } from '../../process/every.js';
import type { QueueHandle } from '../../redis/queue-control.js';
import { storeTroubleOf } from '../../store/store-client.js';
import type { ParkedStore } from './open-parked.js';
import { parkJobs } from './park-jobs.js';
import type { Parking } from './parking.js';
import { restoreJobs } from './restore-jobs.js';
import { type PaceDeps, ParkingPace } from './restore-pace.js';
import { settleBatch } from './run-script.js';

/**
 * Brings every batch of a parking that was interrupted to an end, by what Redis says became of it: afterwards each of its
 * jobs is either on disk, to come back, or in Redis.
 * To be called alone for a parking. @throws what Redis says; then the rest is still open.
 */
async function settleOpen(
  store: ParkedStore,
  queue: QueueHandle,
  parking: string,
  nowMs: number,
): Promise<void> {
  for (const open of await store.jobs.openWritten())
    if (open.parking === parking)
      await store.jobs.settleWritten(parking, open.batch, await settleBatch(queue, 'p', open.batch));
  for (const open of await store.jobs.openRestoring())
    if (open.parking === parking)
      await store.jobs.settleRestoring(parking, open.batch, await settleBatch(queue, 'r', open.batch), nowMs);
}

export interface ParkingTasksDeps extends PaceDeps {
  readonly store: ParkedStore;
  /** null: this Redis can't be written to now. */
  readonly queue: (instance: string, queueId: string) => QueueHandle | null;
  readonly newId: () => string;
  /** Of several consoles, is it this one that moves jobs? Left out: there are no others. */
  readonly isLeader?: () => boolean;
  readonly tell: RecordEvent;
  readonly warn: (message: string) => void;
}

const RETRY_MS = 500;

/**
 * The tasks that work on parkings, at most one for each: it does what the row of its parking says, and ends where that says
 * to rest. Whoever changes a row turns its task, which then looks at it again.
 */
export class ParkingTasks {
  readonly #deps: ParkingTasksDeps;
  readonly #tasks = new Map<string, Promise<void>>();
  /** Paused as the disk is full, which could not be written. */
  readonly #resting = new Map<string, string>();
  readonly #paces = new Map<string, ParkingPace>();
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
    this.work(id);
  }

  /** Another rate, in force within a batch and without another look at the row. */
  setPace(id: string, ratePerSecond: number | null, guard: boolean): void {
    this.#paces.get(id)?.set(ratePerSecond, guard);
  }

  get health(): readonly WorkHealth[] {
    return [...this.#records.values()].map(({ health }) => health);
  }

  isAtWork(id: string): boolean {
    return this.#tasks.has(id);
  }

  /** What a row does not tell: how fast it goes and why, and that it rests where the disk could not be told. */
  asItIs(parking: Parking): Parking {
    const because = this.#resting.get(parking.id);
    if (because !== undefined) return { ...parking, state: 'paused', because };
    const pace = parking.state === 'running' ? this.#paces.get(parking.id) : undefined;
    if (!pace) return parking;
    const { perSecond, reason } = pace.pace;
    return {
      ...parking,
      because: parking.because ?? pace.holds,
      pacePerSecond: perSecond,
      paceReason: reason,
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
    await Promise.all(this.#tasks.values());
  }

  /** One task a parking, whatever is asked of it. */
  work(id: string): void {
    if (this.#tasks.has(id)) return;
    const task = this.#run(id)
      .catch((error: unknown) => this.#deps.warn(`parking ${id}: ${reasonOf(error)}`))
      .finally(() => {
        this.#tasks.delete(id);
        this.#paces.delete(id);
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
        await store.alone(id, () => settleOpen(store, queue, id, now()));
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
    this.#tell(parking, 'parking.ended', `Parking jobs of ${parking.queue} stopped: ${because}.`);
    await this.#deps.store.parkings.change(parking.id, { state: 'paused', because }).then(
      () => this.#resting.delete(parking.id),
      (error: unknown) => this.#deps.warn(`parking ${parking.id} rests: ${reasonOf(error)}`),
    );
  }

  async #step(parking: Parking, queue: QueueHandle, shouldStop: () => boolean): Promise<void> {
    const { store, now, newId } = this.#deps;
    const { id } = parking;
    const work = { store, queue, parking, now, newId, shouldStop };
    if (parking.phase === 'park') {
      if ((await parkJobs(work)).isThrough) await this.#end(parking);
      return;
    }
    const { isThrough, stop } = await restoreJobs(work, this.#paceOf(parking, queue));
    if (isThrough) await this.#end(parking);
    if (stop !== null) {
      const because = `Paused by the guard: ${stop.replace('replayed', 'restored')}. Find out why, then resume or abort it.`;
      await store.parkings.change(id, { state: 'paused', pausedBy: 'guard', because });
      this.#tell(parking, 'parking.ended', because);
    }
  }

  #paceOf(parking: Parking, queue: QueueHandle): ParkingPace {
    const known = this.#paces.get(parking.id);
    known?.set(parking.ratePerSecond, parking.guard);
    const pace = known ?? new ParkingPace(parking, queue, this.#deps);
    this.#paces.set(parking.id, pace);
    return pace;
  }

  async #end({ id, phase }: Parking): Promise<void> {
    const { store, now } = this.#deps;
    await store.parkings.change(id, { state: 'done', because: null, endedAtMs: now() });
    const after = await store.parkings.one(id);
    if (!after) return;
    if (phase === 'park') {
      const freed = `which freed ${formatBytes(after.freedBytes)} in Redis (${after.actor}: ${after.reason})`;
      const text = `${formatCount(after.parked)} jobs of ${after.queue} are parked on disk, ${freed}.`;
      this.#tell(after, 'parking.ended', text);
      return;
    }
    const there = formatCount(after.existed + after.fellBack);
    const text = `${formatCount(after.restored)} parked jobs of ${after.queue} are back; ${there} were there already.`;
    this.#tell(after, 'parking.restored', text);
    await store.disk.shrink();
  }

  #tell(parking: Parking, kind: 'parking.ended' | 'parking.restored', text: string): void {
    const { instance, queue, actor } = parking;
    this.#deps.tell({ atMs: this.#deps.now(), instance, kind, queue, worker: null, text, actor });
  }
}
