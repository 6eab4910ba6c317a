import { setTimeout as wait } from 'node:timers/promises';
import type { Snapshot } from '../../model/snapshot.js';
import type { RecordEvent } from '../../model/timeline-entry.js';
import type { WorkHealth } from '../../process/every.js';
import type { QueueHandle } from '../../redis/queue-control.js';
import type { Watch } from '../../watch/watch.js';
import type { CommandRelay } from '../command-relay.js';
import type { MovedJobs } from '../moved-rate.js';
import type { ParkedSource } from '../parked-source.js';
import type { ParkEstimate, ParkingPort } from './estimate.js';
import { openParked } from './open-parked.js';
import type { ParkedType } from './parked-jobs.js';
import { parkedSource } from './parked-replays.js';
import type { DiskUse, Parking, ParkingPatch, ParkRequest, PausedBy, RestoreTerms } from './parking.js';
import { ParkingError } from './parking.js';
import { Parkings } from './parkings.js';

interface ParkingCommandsDeps {
  readonly commands: Pick<CommandRelay, 'send' | 'other'>;
  /** Of the one file, not started. */
  readonly newParkings: () => Parkings;
  readonly newId: () => string;
}

const LOOK_EVERY_MS = 200;

/**
 * Parkings of all consoles on a data directory. Reading, export and import are done by each from the file; what moves jobs
 * is done by the one that holds the lease, and any other passes orders on to it.
 */
class ParkingCommands implements ParkingPort {
  readonly problem = null;
  readonly #deps: ParkingCommandsDeps;
  #parkings: Parkings;
  #isWorking = false;

  constructor(deps: ParkingCommandsDeps) {
    this.#deps = deps;
    this.#parkings = deps.newParkings();
  }

  /** Goes on with every parking that is running, as after a kill. */
  async onElected(): Promise<void> {
    await this.#parkings.start();
    this.#isWorking = true;
  }

  /** Stops the tasks, each after the batch that it is at. */
  async onDemoted(): Promise<void> {
    const before = this.#parkings;
    this.#isWorking = false;
    this.#parkings = this.#deps.newParkings();
    await before.rest();
  }

  /** To be called last: closes the file. */
  stop(): Promise<void> {
    return this.#parkings.stop();
  }

  get health(): readonly WorkHealth[] {
    return this.#parkings.health;
  }

  estimate(request: ParkRequest): Promise<ParkEstimate> {
    return this.#parkings.estimate(request);
  }

  begin(request: ParkRequest, id = this.#deps.newId()): Promise<Parking> {
    return this.#isWorking ? this.#parkings.begin(request, id) : this.#send('begin', request, id);
  }

  restore(id: string, terms: RestoreTerms): Promise<Parking> {
    return this.#isWorking ? this.#parkings.restore(id, terms) : this.#send('restore', id, terms);
  }

  change(id: string, patch: ParkingPatch, by: PausedBy = 'person'): Promise<Parking> {
    return this.#isWorking ? this.#parkings.change(id, patch, by) : this.#send('change', id, patch, by);
  }

  async get(id: string): Promise<Parking> {
    return this.#asRun(await this.#parkings.get(id));
  }

  async list(filter: { instance?: string; queue?: string; limit: number }): Promise<readonly Parking[]> {
    return (await this.#parkings.list(filter)).map((parking) => this.#asRun(parking));
  }

  types(id: string): Promise<readonly ParkedType[]> {
    return this.#parkings.types(id);
  }

  async settled(id: string, withinMs: number): Promise<Parking> {
    const until = AbortSignal.timeout(withinMs);
    while (!this.#isWorking && !until.aborted && (await this.get(id)).state === 'running')
      await wait(LOOK_EVERY_MS);
    return this.#isWorking ? this.#parkings.settled(id, withinMs) : this.get(id);
  }

  disk(): Promise<DiskUse> {
    return this.#parkings.disk();
  }

  exportLines(id: string): Promise<AsyncIterable<string>> {
    return this.#parkings.exportLines(id);
  }

  importLines(chunks: AsyncIterable<Uint8Array>, actor: string): Promise<Parking> {
    return this.#parkings.importLines(chunks, actor);
  }

  /** What others may ask of this one, by the names that `#send` gives. */
  carriers(): Readonly<Record<`parkings.${Passed}`, (...args: never[]) => Promise<unknown>>> {
    return {
      'parkings.begin': (...args: Parameters<Parkings['begin']>) => this.#parkings.begin(...args),
      'parkings.restore': (...args: Parameters<Parkings['restore']>) => this.#parkings.restore(...args),
      'parkings.change': (...args: Parameters<Parkings['change']>) => this.#parkings.change(...args),
    };
  }

  #asRun(parking: Parking): Parking {
    if (this.#isWorking || parking.state !== 'running') return parking;
    const runBy = `Run by ${this.#deps.commands.other()}.`;
    return { ...parking, paceReason: parking.because === null ? runBy : `${parking.because} (${runBy})` };
  }

  async #send<Name extends Passed>(name: Name, ...args: Parameters<Parkings[Name]>): Promise<Parking> {
    await this.#deps.commands.send(`parkings.${name}`, args);
    // As it is here: what answered counts it as its own.
    return this.get(name === 'begin' ? String(args[1]) : String(args[0]));
  }
}

type Passed = 'begin' | 'restore' | 'change';

/** Where the data directory can't be written: parked jobs are never kept in memory, so nothing is parked. */
function noParking(problem: string): ParkingPort {
  const refuse = async (): Promise<never> => {
    throw new ParkingError('unavailable', problem);
  };
  return {
    problem,
    estimate: refuse,
    begin: refuse,
    restore: refuse,
    change: refuse,
    get: refuse,
    types: refuse,
    settled: refuse,
    disk: refuse,
    exportLines: refuse,
    importLines: refuse,
    list: async () => [],
  };
}

export interface StartParkings {
  /** Of `parked.db`. */
  readonly directory: string;
  readonly maxBytes: number;
  readonly watch: Watch;
  /** Shared with replays: both put jobs into queues. */
  readonly moved: MovedJobs;
  readonly now: () => number;
  readonly newId: () => string;
  readonly commands: Pick<CommandRelay, 'send' | 'other'>;
  readonly isLeader: () => boolean;
  readonly tell: RecordEvent;
  readonly warn: (message: string) => void;
}

export interface StartedParkings {
  readonly port: ParkingPort;
  /** What replays take from; null: nothing can be parked here. */
  readonly source: ParkedSource | null;
  /** null: nothing can be parked here. */
  readonly desk: ParkingCommands | null;
  stop(): Promise<void>;
}

/** Opens what is parked; nothing moves before it is taken up. A directory that can't be written does not stop the console. */
export async function startParkings(options: StartParkings): Promise<StartedParkings> {
  const { directory, maxBytes, watch } = options;
  try {
    const store = await openParked(directory, maxBytes);
    const queue = (instance: string, id: string): QueueHandle | null => {
      const link = watch.link(instance);
      if (link?.client.status !== 'ready') return null;
      return { client: link.client, canFlagScripts: link.capabilities?.canFlagScripts ?? false, id };
    };
    const snapshot = (instance: string): Snapshot | null => watch.snapshot(instance);
    const newParkings = (): Parkings => new Parkings({ ...options, store, queue, snapshot });
    const desk = new ParkingCommands({ ...options, newParkings });
    const source = parkedSource({ ...options, store, queue });
    return { port: desk, source, desk, stop: () => desk.stop() };
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'unknown reason';
    return {
      port: noParking(`jobs can't be parked in ${directory} (${reason})`),
      source: null,
      desk: null,
      stop: async () => undefined,
    };
  }
}
