import type { Config } from './config.js';
import { ErrandDesk } from './replay/errand-desk.js';
import { MovedJobs } from './replay/moved-jobs.js';
import type { ParkingPort } from './replay/parking/parking-port.js';
import { runPolicies } from './replay/parking/run-policies.js';
import { startParkings } from './replay/parking/start-parkings.js';
import { ReplayDesk } from './replay/replay-desk.js';
import type { ReplayPort } from './replay/replay-port.js';
import { Replays } from './replay/replays.js';
import type { Common } from './start-console.js';
import { Duty } from './store/duty.js';
import type { Lease } from './store/lease.js';
import type { Store } from './store/open-store.js';
import type { Watch } from './watch/watch.js';

/** What moves jobs: out of the way, and back. */
export interface Moving {
  readonly parkings: ParkingPort;
  readonly replays: ReplayPort;
  stop(): Promise<void>;
}

/**
 * Goes on with the parkings and replays that were under way, and follows the policies; where another console holds the
 * lease it shows what that one does, and passes orders on.
 */
export async function startMoving(
  config: Config,
  store: Store,
  watch: Watch,
  { now, newId, tell, log }: Common,
  lease: Lease,
): Promise<Moving> {
  const warn = (message: string): void => log.warn(message);
  const moved = new MovedJobs();
  const isMine = (): boolean => lease.isHeld();
  const errands = new ErrandDesk({ store: store.errands, lease, now, newId, warn });
  const { port, source, desk, stop } = await startParkings({
    directory: config.dataDirectory,
    maxBytes: config.parking.maxBytes,
    watch,
    moved,
    errands,
    isMine,
    now,
    newId,
    tell,
    warn,
  });
  if (port.problem) warn(port.problem);
  const policies = runPolicies({ rules: config.spillway, watch, parkings: port, tell, now, isMine });
  const kept = store.fencedReplays({ lease: lease.name, holder: lease.holder });
  const { audit } = store;
  const newReplays = (): Replays =>
    new Replays({ watch, store: kept, audit, parked: source, moved, isMine, tell, now, newId, warn });
  const replays = new ReplayDesk({ errands, newReplays, store: store.replays, now, warn });
  await replays.open();
  const duty = new Duty({
    term: () => lease.term,
    async takeUp() {
      await desk?.takeUp();
      await replays.takeUp();
      errands.serve({ ...desk?.carriers(), ...replays.carriers() });
    },
    async letGo() {
      await Promise.all([errands.rest(), replays.letGo(), desk?.letGo()]);
    },
    warn,
  });
  await duty.start();
  return {
    parkings: port,
    replays,
    async stop() {
      policies.stop();
      await duty.stop();
      // Replays take from what is parked: its file is closed after them.
      await replays.stop();
      await stop();
    },
  };
}
