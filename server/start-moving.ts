import type { Config } from './config/config.js';
import type { Store } from './open-store.js';
import { CommandRelay, handlersOf } from './replay/command-relay.js';
import { MovedJobs } from './replay/load-sample.js';
import { openParkings, PARKING_COMMANDS, type Parkings } from './replay/parking/parkings.js';
import { isPolicyNeeded, runPolicies } from './replay/parking/run-policies.js';
import { REPLAY_COMMANDS, Replays } from './replay/replays.js';
import type { Common } from './start-watching.js';
import type { Lease } from './store/lease.js';
import { LeaderTask } from './store/lease.js';
import type { Watch } from './watch/watch.js';

/** What moves jobs: out of the way, and back. */
interface Moving {
  readonly parkings: Parkings;
  readonly replays: Replays;
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
  { now, newId, recordEvent, log, health }: Common,
  lease: Lease,
): Promise<Moving> {
  const warn = (message: string): void => log.warn(message);
  const moved = new MovedJobs();
  const isLeader = (): boolean => lease.isHeld();
  const commands = new CommandRelay({ store: store.commands, lease, now, newId, warn });
  const common = { moved, commands, isLeader, now, newId, recordEvent, warn };
  const { dataDirectory: directory, parking } = config;
  const { isReadOnly } = config.permits;
  const parkings = await openParkings({ ...common, directory, maxBytes: parking.maxBytes, watch });
  if (parkings.problem) warn(parkings.problem);
  const policyDeps = { rules: config.spillway, watch, parkings, recordEvent, now, isLeader, warn };
  const policies = runPolicies({ ...policyDeps, rules: isReadOnly ? [] : policyDeps.rules });
  const kept = store.fencedReplays({ lease: lease.name, holder: lease.holder });
  const replays = new Replays({ ...common, watch, store: kept, audit: store.audit, parkings });
  await replays.open();
  const task = new LeaderTask({
    term: () => lease.term,
    async onElected() {
      await parkings.onElected();
      await replays.onElected();
      commands.start({
        ...handlersOf('parkings', parkings, PARKING_COMMANDS),
        ...handlersOf('replays', replays, REPLAY_COMMANDS),
      });
    },
    async onDemoted() {
      await Promise.all([commands.stop(), replays.onDemoted(), parkings.onDemoted()]);
    },
    warn,
  });
  // What was under way stays as it is while the console changes nothing.
  if (!isReadOnly) await task.start();
  health.watchOver({
    code: 'policy',
    name: 'The spillway policy',
    harm: 'Until it works again no job is parked when memory fills. Look at Redis and at parked.db in the data directory; it tries again every 2 s.',
    health: () => [policies.health()],
    isUrgent: () => isPolicyNeeded(policyDeps),
  });
  health.watchOver({
    code: 'parking',
    name: 'Work on parked jobs',
    harm: 'Jobs that are being parked or brought back stay where they are; none is lost. Look at Redis and at parked.db in the data directory; it tries again.',
    health: () => parkings.health,
  });
  health.watchOver({
    code: 'replays',
    name: 'Work on replays',
    harm: 'Jobs that are still to be replayed stay where they are, and what came of others is not known yet. Look at Redis and at the store; it tries again.',
    health: () => replays.health,
  });
  health.watchOver({
    code: 'commands',
    name: 'Taking orders from other consoles',
    harm: 'Replays and parkings that people order on another console are refused there after 5 s. Look at the store; it tries again.',
    health: () => [commands.health],
  });
  health.watchOver({
    code: 'moving',
    name: 'Taking up work on replays and parked jobs',
    harm: 'None of them goes on. Look at the store and the data directory; it tries again.',
    health: () => [task.health],
  });
  return {
    parkings,
    replays,
    async stop() {
      await policies.stop();
      await task.stop();
      // Replays take from what is parked: its file is closed after them.
      await replays.stop();
      await parkings.stop();
    },
  };
}
