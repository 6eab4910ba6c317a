import { globMatcher } from '../model/text.js';
import { type RegisteredAction, register } from './action.js';
import { concurrency } from './concurrency.js';
import { dismissLoss, workerDismiss } from './dismiss.js';
import { promoteJob, removeJob, retryJob } from './job-actions.js';
import { park, unpark } from './parking.js';
import { pause, resume } from './pause-and-resume.js';
import { raiseMaxmemory } from './raise-maxmemory.js';
import { rateLimit } from './rate-limit.js';
import { cleanFinishedAction, trimEventsAction } from './reclaim.js';
import { sequenceOf } from './sequence.js';
import { typeThreshold } from './type-threshold.js';
import {
  workerConcurrency,
  workerLimiter,
  workerPause,
  workerResume,
  workerRevert,
} from './worker-actions.js';
import { workerReconnect } from './worker-reconnect.js';
import { workersConcurrency, workersRevert } from './workers.js';

/**
 * Actions: what can be done to a Redis, its queues, workers and jobs. Begin with action.ts (what an action is), then a short
 * one (trimEventsAction in reclaim.ts), then run.ts (from a request to the audit). Orders to workers go by give-order.ts, and
 * what is kept of them are overrides (overrides.ts). The module imports what is below it: model, redis, watch, forecast,
 * findings, replay and timeline; of HTTP it knows nothing.
 */

/** What is done by itself. Adding an action is one file and one line here; routes, drawers, docs and audit follow. */
const SINGLE: readonly RegisteredAction[] = [
  register(pause),
  register(resume),
  register(concurrency),
  register(rateLimit),
  register(park),
  register(unpark),
  register(workersConcurrency),
  register(workersRevert),
  register(workerConcurrency),
  register(workerPause),
  register(workerResume),
  register(workerReconnect),
  register(workerDismiss),
  register(workerLimiter),
  register(workerRevert),
  register(trimEventsAction),
  register(cleanFinishedAction),
  register(raiseMaxmemory),
  register(dismissLoss),
  register(typeThreshold),
  register(retryJob),
  register(promoteJob),
  register(removeJob),
];

/** What can be done. */
export const ACTIONS: readonly RegisteredAction[] = [...SINGLE, register(sequenceOf(SINGLE))];

/** What can be switched off: actions, and what is begun in other ways. */
const CAN_BE_OFF = [...ACTIONS.map(({ name }) => name), 'queue.canary', 'replay.begin'];

/** What is wrong with globs of actions that are switched off: each has to name one at least. */
export function unknownActions(off: readonly string[]): readonly string[] {
  return off
    .filter((glob) => !CAN_BE_OFF.some(globMatcher(glob)))
    .map((glob) => `actions.off: ${glob} must name an action, such as ${CAN_BE_OFF.join(', ')}`);
}

/** The action of that name, or null. */
export function findAction(name: string): RegisteredAction | null {
  return ACTIONS.find((action) => action.name === name) ?? null;
}
