import type { Config } from './config.js';
import { MovedJobs } from './replay/moved-jobs.js';
import type { ParkingPort } from './replay/parking/parking-port.js';
import { runPolicies } from './replay/parking/run-policies.js';
import { startParkings } from './replay/parking/start-parkings.js';
import { Replays } from './replay/replays.js';
import type { Common } from './start-console.js';
import type { Store } from './store/open-store.js';
import type { Watch } from './watch/watch.js';

/** What moves jobs: out of the way, and back. */
export interface Moving {
  readonly parkings: ParkingPort;
  readonly replays: Replays;
  stop(): Promise<void>;
}

/**
 * Goes on with the parkings and replays that were under way, and follows the policies.
 * @param isMine of several consoles that share a store, this is the one that acts by itself.
 */
export async function startMoving(
  config: Config,
  store: Store,
  watch: Watch,
  { now, newId, tell, log }: Common,
  isMine: () => boolean,
): Promise<Moving> {
  const warn = (message: string): void => log.warn(message);
  const moved = new MovedJobs();
  const { port, source, stop } = await startParkings({
    directory: config.dataDirectory,
    maxBytes: config.parking.maxBytes,
    watch,
    moved,
    now,
    newId,
    tell,
    warn,
  });
  if (port.problem) warn(port.problem);
  const policies = runPolicies({ rules: config.spillway, watch, parkings: port, tell, now, isMine });
  const replays = new Replays({
    watch,
    store: store.replays,
    audit: store.audit,
    parked: source,
    moved,
    tell,
    now,
    newId,
    warn,
  });
  await replays.open();
  return {
    parkings: port,
    replays,
    async stop() {
      policies.stop();
      // Replays take from what is parked: its file is closed after them.
      await replays.stop();
      await stop();
    },
  };
}
