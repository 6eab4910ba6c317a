import { every, type WorkHealth } from '../../process/every.js';
import type { ParkingPort } from './estimate.js';
import { estimatePark, type ParkEstimate } from './estimate.js';
import type { ParkedType } from './parked-jobs.js';
import type { DiskUse } from './parking.js';
import {
  type Parking,
  ParkingError,
  type ParkingPatch,
  type ParkRequest,
  type PausedBy,
  type RestoreTerms,
} from './parking.js';
import { messageOf, ParkingTasks, type ParkingTasksDeps } from './parking-tasks.js';
import { confirmRestored } from './restore-jobs.js';
import { exportLines, importLines } from './transfer.js';

export type ParkingsDeps = ParkingTasksDeps;

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
  readonly #tasks: ParkingTasks;
  #isClosing = false;
  /** Nothing of jobs that are gone is left in the write-ahead log. */
  #hasForgotten = false;
  readonly #confirming = every(
    CONFIRM_EVERY_MS,
    () => this.#confirm(),
    (error) => {
      if (!this.#isClosing) this.#deps.warn(`parked jobs: ${messageOf(error)}`);
    },
  );

  constructor(deps: ParkingsDeps) {
    this.#deps = deps;
    this.#tasks = new ParkingTasks(deps);
  }

  /** Takes up what a former run left. */
  async start(): Promise<void> {
    const { store } = this.#deps;
    const open = new Set((await store.parkings.open()).map(({ id }) => id));
    const between = [...(await store.jobs.openWritten()), ...(await store.jobs.openRestoring())];
    // Paused or aborted with a batch in the air: that is settled all the same.
    for (const id of new Set([...open, ...between.map(({ parking }) => parking)])) this.#tasks.work(id);
    this.#confirming.start();
  }

  /** What a parking would do; changes nothing. @throws ParkingError, and what Redis says. */
  estimate(request: ParkRequest): Promise<ParkEstimate> {
    return estimatePark(this.#tasks.queueOf(request.instance, request.queue), request);
  }

  /** Begins a parking, which then goes on by itself. @throws ParkingError. */
  async begin(request: ParkRequest, id = this.#deps.newId()): Promise<Parking> {
    this.#tasks.queueOf(request.instance, request.queue);
    const refusal = await this.#deps.store.disk.refusal(0);
    if (refusal !== null) throw new ParkingError('disk-full', `${refusal}: nothing was taken out of Redis`);
    await this.#deps.store.parkings.add(id, request, this.#deps.now());
    this.#tasks.work(id);
    return this.get(id);
  }

  /** Brings a parking back, oldest first. @throws ParkingError not-found. */
  async restore(id: string, { ratePerSecond, guard }: RestoreTerms): Promise<Parking> {
    await this.get(id);
    await this.#deps.store.parkings.change(id, {
      ratePerSecond,
      guard,
      phase: 'restore',
      state: 'running',
      because: null,
      pausedBy: null,
      endedAtMs: null,
    });
    this.#tasks.turn(id);
    return this.get(id);
  }

  /** Pauses, goes on, aborts, or sets another rate; in force within a batch. @throws ParkingError not-found. */
  async change(id: string, patch: ParkingPatch, by: PausedBy = 'person'): Promise<Parking> {
    const { state, ratePerSecond, guard } = patch;
    const parking = await this.get(id);
    if (state !== undefined && parking.state === 'done')
      throw new ParkingError('invalid', `parking ${id} is done: restore it to bring its jobs back`);
    await this.#deps.store.parkings.change(id, {
      ...(ratePerSecond === undefined ? {} : { ratePerSecond }),
      ...(guard === undefined ? {} : { guard }),
      ...(state === undefined ? {} : { state, because: null, pausedBy: state === 'paused' ? by : null }),
      ...(state === 'aborted' ? { endedAtMs: this.#deps.now() } : {}),
    });
    const after = await this.get(id);
    this.#tasks.setPace(id, after.ratePerSecond, after.guard);
    if (state !== undefined) this.#tasks.turn(id);
    return this.get(id);
  }

  /** @throws ParkingError not-found. */
  async get(id: string): Promise<Parking> {
    const parking = await this.#deps.store.parkings.one(id);
    if (parking) return this.#tasks.asItIs(parking);
    throw new ParkingError('not-found', `there is no parking ${id.slice(0, 100)}`);
  }

  async list(filter: { instance?: string; queue?: string; limit: number }): Promise<readonly Parking[]> {
    return (await this.#deps.store.parkings.list(filter)).map((parking) => this.#tasks.asItIs(parking));
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
  async importLines(chunks: AsyncIterable<Uint8Array>, actor: string): Promise<Parking> {
    const { store, newId, now, snapshot } = this.#deps;
    const id = newId();
    const queuesOf = (instance: string) => snapshot(instance)?.queues.map((queue) => queue.id) ?? null;
    await importLines(store, chunks, { id, actor, atMs: now(), newId, queuesOf });
    return this.get(id);
  }

  /** The parking once it rests, or as it is when the time is up. */
  async settled(id: string, withinMs: number): Promise<Parking> {
    await this.#tasks.settled(id, withinMs);
    return this.get(id);
  }

  /** Ends all tasks after the batch that they are at; they go on where the file is started from next. */
  async rest(): Promise<void> {
    this.#isClosing = true;
    await Promise.all([this.#tasks.stop(), this.#confirming.stop()]);
  }

  /** The same, and closes the file. */
  async stop(): Promise<void> {
    await this.rest();
    this.#deps.store.close();
  }

  /** What was brought back and has lasted goes from the disk; what Redis lost comes back once more. */
  async #confirm(): Promise<void> {
    const { store, now, newId } = this.#deps;
    if (this.#isClosing || this.#deps.isLeader?.() === false) return;
    // Where Redis is away, or the file can't be read, the rows stay until they can be asked.
    const unconfirmed = await store.jobs.unconfirmed();
    // Also what a former run may have left there.
    if (unconfirmed.length > 0) this.#hasForgotten = false;
    else if (!this.#hasForgotten) this.#hasForgotten = await store.disk.forget();
    for (const id of unconfirmed) {
      const parking = await store.parkings.one(id);
      const queue = parking && this.#deps.queue(parking.instance, parking.queue);
      if (!parking || !queue || this.#tasks.isAtWork(id)) continue;
      await confirmRestored({ store, queue, parking, now, newId }, SURE_AFTER_MS);
      const after = await this.get(id);
      // Nobody took more back meanwhile: what is on disk again was lost by Redis.
      if (after.phase === 'restore' && after.state === 'done' && after.remaining > parking.remaining)
        await this.restore(id, { ratePerSecond: after.ratePerSecond, guard: after.guard });
    }
  }

  /** How looking after what was brought back goes, and every task. */
  get health(): readonly WorkHealth[] {
    return [this.#confirming.health(), ...this.#tasks.health];
  }
}
