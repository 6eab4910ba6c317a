import { globMatcher } from '../model/glob.js';
import type { QueueState, Snapshot, UnreadQueue } from '../watch/snapshot.js';
import { ActionError, type ActionTarget } from './action.js';
import type { RegisteredAction } from './register.js';
import type { ActionRequest } from './request.js';

/** Queues that one call may act on. */
const MAX_TARGETS = 5_000;
const NEAR_NAMES = 3;

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

/** What is not known is not changed: neither what stands there nor whether it took could be told. */
function notKnown({ id, problem }: UnreadQueue): string {
  return `queues: ${id} can not be read now (${problem}), so nothing was changed there`;
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

/**
 * Finds a queue by id, or by bare name where exactly one queue of the instance has it.
 * @throws ActionError naming what comes near, or the ids among which the name does not choose.
 */
export function findQueue(snapshot: Snapshot, idOrName: string): QueueState {
  const exact = snapshot.queues.find((queue) => queue.id === idOrName);
  if (exact) return exact;
  const named = snapshot.queues.filter((queue) => queue.name === idOrName);
  const unread = snapshot.unread.queues.filter(({ id, name }) => id === idOrName || name === idOrName);
  const [lost] = unread;
  if (lost && named.length === 0) throw new ActionError('unreachable', notKnown(lost));
  if (named.length === 1 && unread.length === 0 && named[0]) return named[0];
  if (named.length > 0) {
    const ids = [...named, ...unread].map((queue) => queue.id).join(', ');
    throw new ActionError(
      'ambiguous',
      `queues: ${named.length + unread.length} queues are named ${idOrName}; give one of ${ids}`,
    );
  }
  const near = nearNames(snapshot, idOrName);
  throw new ActionError(
    'not-found',
    `queues: there is no queue ${idOrName} in ${snapshot.instance}${near ? `; did you mean ${near}?` : ''}`,
  );
}

/**
 * Queues whose id or name a glob matches (`*` any characters, `?` one), in order of id.
 * @throws ActionError when it matches none or too many.
 */
export function matchQueues(snapshot: Snapshot, glob: string): readonly QueueState[] {
  const matches = globMatcher(glob);
  const found = snapshot.queues.filter((queue) => matches(queue.id) || matches(queue.name));
  if (found.length === 0)
    throw new ActionError('not-found', `match: no queue of ${snapshot.instance} matches ${glob}`);
  if (found.length > MAX_TARGETS) {
    throw new ActionError(
      'invalid',
      `match: ${glob} matches ${found.length} queues; at most ${MAX_TARGETS} can be changed in one call`,
    );
  }
  return [...found].sort((a, b) => (a.id < b.id ? -1 : 1));
}

function nearNames(snapshot: Snapshot, wanted: string): string {
  const lower = wanted.toLowerCase();
  const start = lower.slice(0, 4);
  return snapshot.queues
    .filter(
      (queue) =>
        queue.name.toLowerCase().includes(lower) ||
        (start.length >= 3 && queue.id.toLowerCase().includes(start)),
    )
    .slice(0, NEAR_NAMES)
    .map((queue) => queue.id)
    .join(', ');
}
