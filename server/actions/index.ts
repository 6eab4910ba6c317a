import { cleanFinished } from './clean-finished.js';
import { concurrency } from './concurrency.js';
import { dismissLoss } from './dismiss-loss.js';
import { promoteJob, removeJob, retryJob } from './job-actions.js';
import { park } from './parking.js';
import { pause } from './pause-and-resume.js';
import { raiseMaxmemory } from './raise-maxmemory.js';
import { rateLimit } from './rate-limit.js';
import { type RegisteredAction, register } from './register.js';
import { resume } from './resume.js';
import { trimEvents } from './trim-events.js';
import { typeThreshold } from './type-threshold.js';
import { unpark } from './unpark.js';
import {
  workerConcurrency,
  workerLimiter,
  workerPause,
  workerResume,
  workerRevert,
} from './worker-actions.js';
import { workerDismiss } from './worker-dismiss.js';
import { workerReconnect } from './worker-reconnect.js';
import { workersConcurrency } from './workers-concurrency.js';
import { workersRevert } from './workers-revert.js';

/** What can be done. Adding an action is one file and one line here; routes, drawers, docs and audit follow. */
export const ACTIONS: readonly RegisteredAction[] = [
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
  register(trimEvents),
  register(cleanFinished),
  register(raiseMaxmemory),
  register(dismissLoss),
  register(typeThreshold),
  register(retryJob),
  register(promoteJob),
  register(removeJob),
];

/** The action of that name, or null. */
export function findAction(name: string): RegisteredAction | null {
  return ACTIONS.find((action) => action.name === name) ?? null;
}
