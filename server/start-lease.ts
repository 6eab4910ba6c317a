import { performance } from 'node:perf_hooks';
import { isHolderGone, newHolderId } from './store/holder-id.js';
import { Lease, type LeaseStore } from './store/lease.js';

/**
 * Of all that only one of several consoles on a store does: judging rules, sending, the heartbeat, the spillway policy,
 * replays, parkings, and telling the timeline what was noticed. An older console calls it so too, and alerts were first.
 */
const NAME = 'alerts';

/** Begins to look at it. A console that is alone holds it when this resolves, also where a former one was killed here. */
export async function startLease(store: LeaseStore, warn: (message: string) => void): Promise<Lease> {
  const lease = new Lease({
    store,
    name: NAME,
    holder: newHolderId(),
    monotonicMs: () => performance.now(),
    isGone: isHolderGone,
    onProblem: (error) =>
      warn(
        `the lease could not be read or renewed: ${error instanceof Error ? error.message : 'unknown reason'}`,
      ),
  });
  await lease.start();
  return lease;
}
