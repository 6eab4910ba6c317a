import type { TellEvent } from '../../store/timeline-entry.js';
import type { Watch } from '../../watch/watch.js';
import { noParking } from './no-parking.js';
import { openParked } from './open-parked.js';
import type { ParkingPort } from './parking-port.js';
import { Parkings } from './parkings.js';

export interface StartParkings {
  /** Of `parked.db`. */
  readonly directory: string;
  readonly maxBytes: number;
  readonly watch: Watch;
  readonly now: () => number;
  readonly newId: () => string;
  readonly tell: TellEvent;
  readonly warn: (message: string) => void;
}

export interface StartedParkings {
  readonly port: ParkingPort;
  stop(): Promise<void>;
}

/** Opens what is parked and takes up what a former run left. A directory that can't be written does not stop the console. */
export async function startParkings(options: StartParkings): Promise<StartedParkings> {
  const { directory, maxBytes, watch } = options;
  try {
    const store = await openParked(directory, maxBytes);
    const parkings = new Parkings({
      ...options,
      store,
      queue: (instance, id) => {
        const link = watch.link(instance);
        if (link?.client.status !== 'ready') return null;
        return { client: link.client, canFlagScripts: link.capabilities?.canFlagScripts ?? false, id };
      },
    });
    await parkings.start();
    return { port: parkings, stop: () => parkings.stop() };
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'unknown reason';
    return {
      port: noParking(`jobs can't be parked in ${directory} (${reason})`),
      stop: async () => undefined,
    };
  }
}
