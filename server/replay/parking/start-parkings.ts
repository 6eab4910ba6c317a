import type { Snapshot } from '../../model/snapshot.js';
import type { RecordEvent } from '../../model/timeline-entry.js';
import type { QueueHandle } from '../../redis/queue-control.js';
import type { Watch } from '../../watch/watch.js';
import type { CommandRelay } from '../command-relay.js';
import type { MovedJobs } from '../moved-jobs.js';
import type { ParkedSource } from '../parked-source.js';
import { noParking } from './no-parking.js';
import { openParked } from './open-parked.js';
import { parkedSource } from './parked-replays.js';
import { ParkingCommands } from './parking-commands.js';
import type { ParkingPort } from './parking-port.js';
import { Parkings } from './parkings.js';

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
