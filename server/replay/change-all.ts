import type { Actor } from '../model/role.js';
import type { ReplayPort } from './replay-port.js';
import type { ReplayQueues } from './replay-queues.js';
import type { OrderOutcome, ReplayOrder, ReplaySelection } from './replay-request.js';

/**
 * The one action: all replays under way and all replay queues of a selection, at the same time. An outcome for each;
 * what goes wrong at one stops no other.
 */
export async function changeAllReplays(
  { replays, replayQueues }: { readonly replays: ReplayPort; readonly replayQueues: ReplayQueues },
  actor: Actor,
  selection: ReplaySelection,
  order: ReplayOrder,
  isDryRun: boolean,
): Promise<readonly OrderOutcome[]> {
  const outcomes = await Promise.all([
    replays.changeAll(actor, selection, order, isDryRun),
    replayQueues.changeAll(actor, selection, order, isDryRun),
  ]);
  return outcomes.flat();
}
