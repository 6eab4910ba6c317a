import { setTimeout as wait } from 'node:timers/promises';
import { formatBytes, formatCount } from '../../model/format.js';
import type { QueueHandle } from '../../redis/queue-control.js';
import type { TellEvent } from '../../store/timeline-entry.js';
import { type DiskUse, isDiskFull } from './disk-bound.js';
import { estimatePark, type ParkEstimate } from './estimate.js';
import type { ParkedStore } from './open-parked.js';
import { parkJobs } from './park-jobs.js';
import type { ParkedType } from './parked-jobs.js';
import { type Parking, ParkingError, type ParkRequest } from './parking.js';
import type { ParkingPort } from './parking-port.js';
import { confirmRestored, restoreJobs } from './restore-jobs.js';
import { settleOpen } from './settle-open.js';
import { exportLines, importLines } from './transfer.js';

export interface ParkingsDeps {
  readonly store: ParkedStore;
  /** null: this Redis can't be written to now. */
  readonly queue: (instance: string, queueId: string) => QueueHandle | null;
  readonly now: () => number;
  readonly newId: () => string;
  readonly tell: TellEvent;
  readonly warn: (message: string) => void;
}

export interface ParkingPatch {
  readonly state?: 'running' | 'paused' | 'aborted';
  readonly ratePerSecond?: number | null;
}

const RETRY_MS = 500;
/** Twice and once more while it takes to be sure of what was brought back. */
const CONFIRM_EVERY_MS = 1_000;
const SURE_AFTER_MS = 3_000;

/**
 * All parkings of a console. A parking is running (a task works on it), paused, aborted or done, first while it parks and
 * then, once somebody asks for it, while it brings back. What the file says holds: a task only does what the row of its
 * parking says, and a console that starts takes up every row that is running.
 */
export class Parkings implements ParkingPort {
  readonly problem = null;
  readonly #deps: ParkingsDeps;
  readonly #tasks = new Map<string, Promise<void>>();
  /** Paused as the disk is full, which could not be written. */
  readonly #resting = new Map<string, string>();
  readonly #rates = new Map<string, number | null>();
  /** Raised by every change from outside: the task looks at its row again. */
  readonly #turns = new Map<string, number>();
  /** The turn that a task last looked at. */
  readonly #seen = new Map<string, number>();
  readonly #closing = new AbortController();
  #sweeping: Promise<void> = Promise.resolve();
  #sweeper: NodeJS.Timeout | null = null;

  constructor(deps: ParkingsDeps) {
    this.#deps = deps;
  }

  /** Takes up what a former run left. */
  async start(): Promise<void> {
    const { store } = this.#deps;
    const open = new Set((await store.parkings.open()).map(({ id }) => id));
    const between = [...(await store.jobs.openWritten()), ...(await store.jobs.openRestoring())];
    // Paused or aborted with a batch in the air: that is settled all the same.
    for (const id of new Set([...open, ...between.map(({ parking }) => parking)])) this.#work(id);
    this.#sweeper = setInterval(() => {
      this.#sweeping = this.#sweeping.then(() => this.#confirm());
    }, CONFIRM_EVERY_MS);
    this.#sweeper.unref();
  }

  /** What a parking would do; changes nothing. @throws ParkingError, and what Redis says. */
  estimate(request: ParkRequest): Promise<ParkEstimate> {
    return estimatePark(this.#queueOf(request.instance, request.queue), request);
  }

  /** Begins a parking, which then goes on by itself. @throws ParkingError. */
  async begin(request: ParkRequest, id = this.#deps.newId()): Promise<Parking> {
    this.#queueOf(request.instance, request.queue);
    const refusal = await this.#deps.store.disk.refusal(0);
    if (refusal !== null) throw new ParkingError('disk-full', `${refusal}: nothing was taken out of Redis`);
    await this.#deps.store.parkings.add(id, request, this.#deps.now());
    this.#work(id);
    return this.get(id);
  }

  /** Brings a parking back. @param ratePerSecond null: as fast as it goes. @throws ParkingError not-found. */
  async restore(id: string, ratePerSecond: number | null): Promise<Parking> {
    await this.get(id);
    this.#rates.set(id, ratePerSecond);
    await this.#deps.store.parkings.change(id, {
      phase: 'restore',
      state: 'running',
      because: null,
      ratePerSecond,
      endedAtMs: null,
    });
    this.#turn(id);
    return this.get(id);
  }

  /** Pauses, goes on, aborts, or sets another rate; in force within a batch. @throws ParkingError not-found. */
  async change(id: string, { state, ratePerSecond }: ParkingPatch): Promise<Parking> {
    const parking = await this.get(id);
    if (state !== undefined && parking.state === 'done')
      throw new ParkingError('invalid', `parking ${id} is done: restore it to bring its jobs back`);
    if (ratePerSecond !== undefined) this.#rates.set(id, ratePerSecond);
    await this.#deps.store.parkings.change(id, {
      ...(ratePerSecond === undefined ? {} : { ratePerSecond }),
      ...(state === undefined ? {} : { state, because: null }),
      ...(state === 'aborted' ? { endedAtMs: this.#deps.now() } : {}),
    });
    if (state !== undefined) this.#turn(id);
    return this.get(id);
  }

  /** @throws ParkingError not-found. */
  async get(id: string): Promise<Parking> {
    const parking = await this.#deps.store.parkings.one(id);
    if (parking) return this.#asItIs(parking);
    throw new ParkingError('not-found', `there is no parking ${id.slice(0, 100)}`);
  }

  async list(filter: { instance?: string; queue?: string; limit: number }): Promise<readonly Parking[]> {
    return (await this.#deps.store.parkings.list(filter)).map((parking) => this.#asItIs(parking));
  }

  types(id: string): Promise<readonly ParkedType[]> {
    return this.#deps.store.jobs.types(id);
  }

  disk(): Promise<DiskUse> {
    return this.#deps.store.disk.read();
  }

  /** What is on disk of it as NDJSON, a page at a time. @throws ParkingError not-found. */
  async exportLines(id: string): Promise<AsyncIterable<string>> {
    return exportLines(this.#deps.store, await this.get(id));
  }

  /** Takes an export as a parking of its own. @throws ParkingError naming the line that is wrong. */
  async importLines(chunks: AsyncIterable<string>, actor: string): Promise<Parking> {
    const { store, newId, now } = this.#deps;
    const id = newId();
    await importLines(store, chunks, { id, actor, atMs: now(), newId });
    return this.get(id);
  }

  /** The parking once it rests, or as it is when the time is up. */
  async settled(id: string, withinMs: number): Promise<Parking> {
    const until = new AbortController();
    await Promise.race([
      this.#tasks.get(id) ?? Promise.resolve(),
      wait(withinMs, undefined, { signal: until.signal }).catch(() => undefined),
    ]);
    until.abort();
    return this.get(id);
  }

  /** Ends all tasks after the batch that they are at; they go on at the next start. */
  async stop(): Promise<void> {
    if (this.#sweeper) clearInterval(this.#sweeper);
    this.#closing.abort();
    await Promise.all([...this.#tasks.values(), this.#sweeping]);
    this.#deps.store.close();
  }

  #turn(id: string): void {
    this.#resting.delete(id);
    this.#turns.set(id, (this.#turns.get(id) ?? 0) + 1);
    this.#work(id);
  }

  /** One task a parking, whatever is asked of it. */
  #work(id: string): void {
    if (this.#tasks.has(id)) return;
    const task = this.#run(id)
      .catch((error: unknown) => this.#deps.warn(`parking ${id}: ${messageOf(error)}`))
      .finally(() => {
        this.#tasks.delete(id);
        // Asked for between the task's last look and its end.
        if ((this.#turns.get(id) ?? 0) !== (this.#seen.get(id) ?? 0) && !this.#closing.signal.aborted)
          this.#work(id);
      });
    this.#tasks.set(id, task);
  }

  async #run(id: string): Promise<void> {
    const { store, now } = this.#deps;
    let isSettled = false;
    while (!this.#closing.signal.aborted) {
      const turn = this.#turns.get(id) ?? 0;
      this.#seen.set(id, turn);
      const parking = await store.parkings.one(id);
      if (!parking || (isSettled && parking.state !== 'running')) return;
      try {
        const queue = this.#queueOf(parking.instance, parking.queue);
        await settleOpen(store, queue, id, now());
        isSettled = true;
        if (parking.state !== 'running') continue;
        const shouldStop = (): boolean => this.#closing.signal.aborted || (this.#turns.get(id) ?? 0) !== turn;
        await this.#step(await this.get(id), queue, shouldStop);
      } catch (error) {
        isSettled = false;
        if (isDiskFull(error) || (error instanceof ParkingError && error.code === 'disk-full')) {
          await this.#rest(parking, messageOf(error));
          return;
        }
        await store.parkings.change(id, { because: messageOf(error) });
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
      (error: unknown) => this.#deps.warn(`parking ${parking.id} rests: ${messageOf(error)}`),
    );
  }

  #asItIs(parking: Parking): Parking {
    const because = this.#resting.get(parking.id);
    return because === undefined ? parking : { ...parking, state: 'paused', because };
  }

  async #step(parking: Parking, queue: QueueHandle, shouldStop: () => boolean): Promise<void> {
    const { store, now, newId } = this.#deps;
    const { id } = parking;
    const work = { store, queue, parking, now, newId, shouldStop };
    if (!this.#rates.has(id)) this.#rates.set(id, parking.ratePerSecond);
    const { isThrough } =
      parking.phase === 'park'
        ? await parkJobs(work)
        : await restoreJobs(work, {
            ratePerSecond: () => this.#rates.get(id) ?? null,
            hold: (because) => store.parkings.change(id, { because }),
          });
    if (!isThrough) return;
    await store.parkings.change(id, { state: 'done', because: null, endedAtMs: now() });
    const after = await this.get(id);
    if (parking.phase === 'park')
      this.#tell(
        after,
        'parking.ended',
        `${formatCount(after.parked)} jobs of ${after.queue} are parked on disk, which freed ${formatBytes(after.freedBytes)} in Redis (${after.actor}: ${after.reason}).`,
      );
    else {
      this.#tell(
        after,
        'parking.restored',
        `${formatCount(after.restored)} parked jobs of ${after.queue} are back; ${formatCount(after.existed + after.fellBack)} were there already.`,
      );
      await store.disk.shrink();
    }
  }

  /** What was brought back and has lasted goes from the disk; what Redis lost comes back once more. */
  async #confirm(): Promise<void> {
    const { store, now } = this.#deps;
    try {
      for (const id of await store.jobs.unconfirmed()) {
        const parking = await store.parkings.one(id);
        const queue = parking && this.#deps.queue(parking.instance, parking.queue);
        if (!parking || !queue || this.#tasks.has(id)) continue;
        await confirmRestored({ store, queue, parking, now }, SURE_AFTER_MS);
        const after = await this.get(id);
        if (after.remaining > parking.remaining && after.state === 'done')
          await this.restore(id, after.ratePerSecond);
      }
    } catch (error) {
      // Redis is away for the moment: the rows stay until it can be asked.
      if (!this.#closing.signal.aborted) this.#deps.warn(`parked jobs: ${messageOf(error)}`);
    }
  }

  #queueOf(instance: string, queueId: string): QueueHandle {
    const queue = this.#deps.queue(instance, queueId);
    if (queue) return queue;
    throw new ParkingError('unavailable', `Redis ${instance} can not be written to now`);
  }

  #tell(parking: Parking, kind: 'parking.ended' | 'parking.restored', text: string): void {
    const { instance, queue, actor } = parking;
    this.#deps.tell({ atMs: this.#deps.now(), instance, kind, queue, worker: null, text, actor });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown reason';
}
