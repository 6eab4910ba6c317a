import type { ActionRequest } from '../model/action.js';
import { ActionError } from '../model/action.js';
import { findQueue, MAX_TARGETS, matchQueues, notKnown } from '../model/find-queue.js';
import { globMatcher } from '../model/glob.js';
import type { QueueState, Snapshot } from '../model/snapshot.js';
import type { ActionTarget } from './action.js';
import type { RegisteredAction } from './register.js';

/** What a request acts on; `missing` names what there is not, where at least one queue was found. */
export interface Targets {
  readonly targets: readonly ActionTarget[];
  readonly missing: readonly { readonly id: string; readonly why: string }[];
}

/** @throws ActionError when nothing of what was named is there, or the action needs something else. */
export function targetsOf(action: RegisteredAction, snapshot: Snapshot, request: ActionRequest): Targets {
  const target = (queue: QueueState | null): ActionTarget => ({
    instance: snapshot.instance,
    queue,
    jobId: request.jobId ?? null,
    worker: null,
  });
  if (action.scope === 'instance') return { targets: [target(null)], missing: [] };
  if (action.scope === 'job' && (request.queues.length !== 1 || request.jobId === undefined)) {
    throw new ActionError('invalid', 'jobId: this action acts on one job of one queue; give both');
  }
  if (action.scope === 'worker') return workerTargets(snapshot, request);
  if (request.match !== undefined) {
    const { match } = request;
    const matches = globMatcher(match);
    const missing = snapshot.unread.queues
      .filter(({ id, name }) => matches(id) || matches(name))
      .slice(0, MAX_TARGETS)
      .map((queue) => ({ id: queue.id, why: notKnown(queue) }));
    const [lost] = missing;
    const isAnyKnown = snapshot.queues.some(({ id, name }) => matches(id) || matches(name));
    if (lost && !isAnyKnown) throw new ActionError('unreachable', lost.why);
    return { targets: matchQueues(snapshot, match).map(target), missing };
  }
  if (request.queues.length === 0)
    throw new ActionError('invalid', 'queues: name at least one queue, or give match');
  const queues = new Map<string, QueueState>();
  const missing: { id: string; why: ActionError }[] = [];
  for (const id of new Set(request.queues)) {
    try {
      const queue = findQueue(snapshot, id);
      queues.set(queue.id, queue);
    } catch (error) {
      if (!(error instanceof ActionError)) throw error;
      missing.push({ id, why: error });
    }
  }
  const [first] = missing;
  if (first && queues.size === 0) throw first.why;
  return {
    targets: [...queues.values()].map(target),
    missing: missing.map(({ id, why }) => ({ id, why: why.message })),
  };
}

function workerTargets(snapshot: Snapshot, request: ActionRequest): Targets {
  const wanted = [...new Set(request.workers ?? [])];
  if (wanted.length === 0)
    throw new ActionError('invalid', 'workers: name at least one worker by its id; GET …/workers lists them');
  const targets: ActionTarget[] = [];
  const missing: { id: string; why: string }[] = [];
  for (const id of wanted) {
    const worker = snapshot.workers.find((known) => known.id === id);
    const queue = snapshot.queues.find((known) => known.id === worker?.queueId);
    if (worker && queue) targets.push({ instance: snapshot.instance, queue, jobId: null, worker });
    else
      missing.push({
        id,
        why: `workers: there is no worker ${id.slice(0, 100)} in ${snapshot.instance} now`,
      });
  }
  const [first] = missing;
  if (first && targets.length === 0) throw new ActionError('not-found', first.why);
  return { targets, missing };
}
