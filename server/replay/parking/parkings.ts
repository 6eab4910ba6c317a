import { setTimeout as wait } from 'node:timers/promises';
import { ActionError } from '../../model/action.js';
import { requireBullmq } from '../../model/find-queue.js';
import type { DiskUse, Parking } from '../../model/parking.js';
import { every, reasonOf, type WorkHealth } from '../../process/every.js';
import type { QueueHandle } from '../../redis/queue-control.js';
import type { Watch } from '../../watch/watch.js';
import type { CommandRelay } from '../command-relay.js';
import type { JobSelection, JobSource } from '../job-source.js';
import { openParked, type ParkedStore } from './open-parked.js';
import { ParkedSource } from './parked-source.js';
import {
  newParking,
  type ParkEstimate,
  type ParkedType,
  type ParkingPatch,
  type ParkRequest,
  type RestoreTerms,
} from './parking.js';
import { ParkingTasks, type ParkingTasksDeps } from './parking-tasks.js';
import { estimatePark } from './read-window.js';
import { confirmRestored } from './restore-jobs.js';
import { exportLines, importLines } from './transfer.js';

interface ParkingsDeps extends Omit<ParkingTasksDeps, 'store'> {
  /** What is wrong with it, where the file can't be opened: parked jobs are never kept in memory, so nothing is parked. */
  readonly store: ParkedStore | { readonly problem: string };
  /** The way to the console that moves jobs, where that is another. Left out: there are no others. */
  readonly commands?: Pick<CommandRelay, 'send' | 'other'>;
  /** Told how many bytes more can be parked. Left out: nobody asks. */
  readonly noteSpace?: (bytes: number) => void;
}

/** Orders that another console passes on to the one that moves jobs. */
export const PARKING_COMMANDS = ['begin', 'restore', 'change'] as const;

/** Between two looks at what was brought back. */
const CONFIRM_EVERY_MS = 1_000;
const LOOK_EVERY_MS = 200;

/**
 * All parkings on a data directory. A parking is running (a task works on it), paused, aborted or done, first while it parks
 * and then, once somebody asks for it, while it brings back. What the file says holds: a task only does what the row of its
 * parking says, and a console that is elected takes up every row that is running. Reading, export and import are done by
 * each console from the file; what moves jobs is done by the one that holds the lease, and any other passes orders on to it.
 *
 * Every method throws ActionError for what makes no sense or can't be done.
 */
export class Parkings {
  /** Why nothing can be parked; null: it can. */
  readonly problem: string | null;
  readonly #deps: ParkingsDeps;
  #tasks: ParkingTasks | null;
  #isWorking = false;
  /** Nothing of jobs that are gone is left in the write-ahead log. */
  #hasForgotten = false;
  readonly #confirming = every(
    CONFIRM_EVERY_MS,
    () => this.#confirm(),
    (error) => {
      if (this.#isWorking) this.#deps.warn(`parked jobs: ${reasonOf(error)}`);
    },
  );

  constructor(deps: ParkingsDeps) {
    this.#deps = deps;
    this.problem = 'problem' in deps.store ? deps.store.problem : null;
    this.#tasks = this.#newTasks();
  }

  /** What is parked, as the source of a replay; null: nothing can be parked. */
  sourceOf(selection: JobSelection): JobSource | null {
    const { store } = this.#deps;
    return 'problem' in store ? null : new ParkedSource({ ...this.#deps, store }, selection);
  }

  /** Goes on with every parking that is running, as after a kill. */
  async onElected(): Promise<void> {
    if (this.problem !== null) return;
    const { store, tasks } = this.#opened;
    const open = new Set((await store.parkings.open()).map(({ id }) => id));
    const between = [...(await store.jobs.openWritten()), ...(await store.jobs.openRestoring())];
    // Paused or aborted with a batch in the air: that is settled all the same.
    for (const id of new Set([...open, ...between.map(({ parking }) => parking)])) tasks.work(id);
    this.#confirming.start();
    this.#isWorking = true;
  }

  /** Ends all tasks, each after the batch that it is at; they go on where the file is taken up next. */
  async onDemoted(): Promise<void> {
    const before = this.#tasks;
    this.#isWorking = false;
    this.#tasks = this.#newTasks();
    await Promise.all([before?.stop(), this.#confirming.stop()]);
  }

  /** The same, and closes the file. */
  async stop(): Promise<void> {
    await this.onDemoted();
    if (this.problem === null) this.#opened.store.close();
  }

  /** How looking after what was brought back goes, and every task. */
  get health(): readonly WorkHealth[] {
    return [this.#confirming.health(), ...(this.#tasks?.health ?? [])];
  }

  /** What a parking would do; changes nothing. @throws ActionError, and what Redis says. */
  async estimate(request: ParkRequest): Promise<ParkEstimate> {
    return estimatePark(this.#opened.tasks.queueOf(request.instance, request.queue), request);
  }

  /** Begins a parking, which then goes on by itself. */
  begin(request: ParkRequest, id = this.#deps.newId()): Promise<Parking> {
    return this.#ordered('begin', id, [request, id], () => this.#begin(request, id));
  }

  /** Brings a parking back, oldest first. @param isDryRun as it would be. */
  async restore(id: string, terms: RestoreTerms, isDryRun = false): Promise<Parking> {
    if (isDryRun) return { ...(await this.get(id)), ...restored(terms) };
    return this.#ordered('restore', id, [id, terms], () => this.#restore(id, terms));
  }

  /** Pauses, goes on, aborts, or sets another rate; in force within a batch. @param isDryRun as it would be. */
  async change(id: string, patch: ParkingPatch, isDryRun = false): Promise<Parking> {
    if (isDryRun) return { ...(await this.get(id)), ...(await this.#changed(id, patch)) };
    return this.#ordered('change', id, [id, patch], () => this.#change(id, patch));
  }

  async get(id: string): Promise<Parking> {
    const parking = await this.#opened.store.parkings.one(id);
    if (parking) return this.#asItIs(parking);
    throw new ActionError('not-found', `there is no parking ${id.slice(0, 100)}`);
  }

  /** Newest first. */
  async list(filter: {
    instance?: string;
    queue?: string;
    isHeld?: boolean;
    limit: number;
  }): Promise<readonly Parking[]> {
    if (this.problem !== null) return [];
    return (await this.#opened.store.parkings.list(filter)).map((parking) => this.#asItIs(parking));
  }

  async types(id: string): Promise<readonly ParkedType[]> {
    return this.#opened.store.jobs.types(id);
  }

  async disk(): Promise<DiskUse> {
    return this.#opened.store.disk.read();
  }

  /** What is on disk of it as NDJSON, a page at a time. */
  async exportLines(id: string): Promise<AsyncIterable<string>> {
    return exportLines(this.#opened.store, await this.get(id));
  }

  /** Takes an export as a parking of its own. The error names the line that is wrong. @param isDryRun only checks it. */
  async importLines(chunks: AsyncIterable<Uint8Array>, actor: string, isDryRun = false): Promise<Parking> {
    const { newId, now, snapshot } = this.#deps;
    const { store } = this.#opened;
    const id = newId();
    const queuesOf = (instance: string) => snapshot(instance)?.queues.map((queue) => queue.id) ?? null;
    return importLines(store, chunks, { id, actor, atMs: now(), newId, queuesOf, isDryRun });
  }

  /** The parking once it rests, or as it is when the time is up. */
  async settled(id: string, withinMs: number): Promise<Parking> {
    const until = AbortSignal.timeout(withinMs);
    while (!this.#isWorking && !until.aborted && (await this.get(id)).state === 'running')
      await wait(LOOK_EVERY_MS);
    if (this.#isWorking) await this.#opened.tasks.settled(id, withinMs);
    return this.get(id);
  }

  get #opened(): { readonly store: ParkedStore; readonly tasks: ParkingTasks } {
    const { store } = this.#deps;
    if (this.#tasks === null || 'problem' in store)
      throw new ActionError('unreachable', this.problem ?? 'nothing can be parked');
    return { store, tasks: this.#tasks };
  }

  #newTasks(): ParkingTasks | null {
    const { store } = this.#deps;
    return 'problem' in store ? null : new ParkingTasks({ ...this.#deps, store });
  }

  /** As its task knows it here, or by whom it is run. */
  #asItIs(parking: Parking): Parking {
    const { commands } = this.#deps;
    if (this.#isWorking || !commands) return this.#opened.tasks.asItIs(parking);
    if (parking.state !== 'running') return parking;
    const runBy = `Run by ${commands.other()}.`;
    return { ...parking, paceReason: parking.because === null ? runBy : `${parking.because} (${runBy})` };
  }

  async #ordered(
    name: (typeof PARKING_COMMANDS)[number],
    id: string,
    args: readonly unknown[],
    here: () => Promise<Parking>,
  ): Promise<Parking> {
    const { commands } = this.#deps;
    if (this.#isWorking || !commands || this.problem !== null) return here();
    await commands.send(`parkings.${name}`, args);
    // As it is here: what answered counts it as its own.
    return this.get(id);
  }

  async #begin(request: ParkRequest, id: string): Promise<Parking> {
    const { store, tasks } = this.#opened;
    tasks.queueOf(request.instance, request.queue);
    const refusal = await store.disk.refusal(0);
    if (refusal !== null) throw new ActionError('disk-full', `${refusal}: nothing was taken out of Redis`);
    await store.parkings.add(newParking(id, request, this.#deps.now()));
    tasks.work(id);
    return this.get(id);
  }

  async #restore(id: string, terms: RestoreTerms): Promise<Parking> {
    const { store, tasks } = this.#opened;
    await this.get(id);
    await store.parkings.change(id, restored(terms));
    tasks.turn(id);
    return this.get(id);
  }

  async #change(id: string, patch: ParkingPatch): Promise<Parking> {
    const { store, tasks } = this.#opened;
    await store.parkings.change(id, await this.#changed(id, patch));
    await tasks.setPace(await this.get(id));
    if (patch.state !== undefined) tasks.turn(id);
    return this.get(id);
  }

  async #changed(id: string, { state, ratePerSecond, guard, by = 'person' }: ParkingPatch) {
    const parking = await this.get(id);
    if (state !== undefined && parking.state === 'done')
      throw new ActionError('invalid', `parking ${id} is done: restore it to bring its jobs back`);
    return {
      ...(ratePerSecond === undefined ? {} : { ratePerSecond }),
      ...(guard === undefined ? {} : { guard }),
      ...(state === undefined ? {} : { state, because: null, pausedBy: state === 'paused' ? by : null }),
      ...(state === 'aborted' ? { endedAtMs: this.#deps.now() } : {}),
    };
  }

  /** What was brought back and has lasted goes from the disk; what Redis lost comes back once more. */
  async #confirm(): Promise<void> {
    const { now, newId } = this.#deps;
    const { store, tasks } = this.#opened;
    this.#deps.noteSpace?.(await store.disk.space());
    if (this.#deps.isLeader?.() === false) return;
    // Where Redis is away, or the file can't be read, the rows stay until they can be asked.
    const unconfirmed = await store.jobs.unconfirmed();
    // Also what a former run may have left there.
    if (unconfirmed.length > 0) this.#hasForgotten = false;
    else if (!this.#hasForgotten) this.#hasForgotten = await store.disk.forget();
    for (const id of unconfirmed) {
      const parking = await store.parkings.one(id);
      const queue = parking && this.#deps.queue(parking.instance, parking.queue);
      if (!parking || !queue || tasks.isAtWork(id)) continue;
      await confirmRestored({ store, queue, parking: id, now, newId });
      const after = await this.get(id);
      // Nobody took more back meanwhile: what is on disk again was lost by Redis.
      if (after.phase === 'restore' && after.state === 'done' && after.remaining > parking.remaining)
        await this.#restore(id, after);
    }
  }
}

/** What a restore changes as it begins. */
function restored(terms: RestoreTerms) {
  const state = {
    phase: 'restore',
    state: 'running',
    because: null,
    pausedBy: null,
    endedAtMs: null,
  } as const;
  return { ...state, ratePerSecond: terms.ratePerSecond, guard: terms.guard };
}

interface OpenParkings
  extends Omit<ParkingsDeps, 'store' | 'queue' | 'snapshot' | 'commands' | 'isLeader' | 'noteSpace'>,
    Required<Pick<ParkingsDeps, 'commands' | 'isLeader'>> {
  /** Of `parked.db`. */
  readonly directory: string;
  readonly maxBytes: number;
  readonly watch: Watch;
}

/** Opens what is parked; nothing moves before it is elected. A directory that can't be written does not stop the console. */
export async function openParkings({ directory, maxBytes, watch, ...deps }: OpenParkings): Promise<Parkings> {
  const store = await openParked(directory, maxBytes).catch((error: unknown) => ({
    problem: `jobs can't be parked in ${directory} (${error instanceof Error ? error.message : 'unknown reason'})`,
  }));
  watch.noteParkingSpace('problem' in store ? 0 : await store.disk.space().catch(() => 0));
  const queue = (instance: string, id: string): QueueHandle | null => {
    const known = watch.snapshot(instance)?.queues.find((one) => one.id === id);
    if (known) requireBullmq(known);
    const link = watch.link(instance);
    if (link?.client.status !== 'ready') return null;
    return {
      client: link.client,
      canFlagScripts: link.capabilities?.canFlagScripts ?? false,
      id,
      onTaken: (jobs) => watch.noteTaken(instance, id, jobs),
    };
  };
  return new Parkings({
    ...deps,
    store,
    queue,
    snapshot: (instance) => watch.snapshot(instance),
    noteSpace: (bytes) => watch.noteParkingSpace(bytes),
  });
}
