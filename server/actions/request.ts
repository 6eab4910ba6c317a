import type { ActionRequest } from '../model/action.js';
import { ActionError } from '../model/action.js';
import { findQueue, MAX_TARGETS, matchQueues, notKnown } from '../model/find-queue.js';
import type { QueueState, Snapshot } from '../model/snapshot.js';
import { globMatcher } from '../model/text.js';
import type { Watch } from '../watch/watch.js';
import type { ActionTarget, RegisteredAction } from './action.js';
import { ACTIONS, findAction } from './index.js';

/** @throws ActionError naming the actions that there are. */
export function knownAction(name: string): RegisteredAction {
  const action = findAction(name);
  if (action) return action;
  throw new ActionError(
    'not-found',
    `action: there is no action ${name}; there are ${ACTIONS.map((known) => known.name).join(', ')}`,
  );
}

/** Its arguments. @throws ActionError with one entry a bad field: its name, its value and what would be right. */
export function checkRequest(action: RegisteredAction, request: ActionRequest): void {
  const parsed = action.parse(request.args);
  if (!parsed.success) {
    const fields = parsed.error.issues.map((issue) => problemOf(issue, request.args));
    throw new ActionError(
      'invalid',
      fields.map((field) => `${field.field}: ${field.problem}`).join('; '),
      fields,
    );
  }
}

function problemOf(
  issue: {
    readonly path: readonly PropertyKey[];
    readonly message: string;
    readonly code?: string;
    readonly keys?: readonly string[];
  },
  args: unknown,
): ActionError['fields'][number] {
  if (issue.code === 'unrecognized_keys') {
    const keys = issue.keys?.join(', ') ?? '';
    return { field: keys, value: undefined, problem: `is not an argument of this action` };
  }
  const [first] = issue.path;
  const value =
    typeof args === 'object' && args !== null && first !== undefined ? Reflect.get(args, first) : args;
  return { field: issue.path.map(String).join('.') || 'args', value, problem: issue.message };
}

/** @throws ActionError naming the instances that there are. */
export function knownInstance(watch: Pick<Watch, 'snapshot' | 'snapshots'>, name: string): Snapshot {
  const snapshot = watch.snapshot(name);
  if (snapshot) return snapshot;
  const names = watch.snapshots().map((known) => known.instance);
  throw new ActionError(
    'not-found',
    `instance: there is no Redis named ${name}; there are ${names.join(', ')}`,
  );
}

/** What a request acts on; `missing` names what there is not, where at least one queue was found. */
interface RequestTargets {
  readonly targets: readonly ActionTarget[];
  readonly missing: readonly { readonly id: string; readonly why: string }[];
}

/** @throws ActionError when nothing of what was named is there, or the action needs something else. */
export function targetsOf(
  action: RegisteredAction,
  snapshot: Snapshot,
  request: ActionRequest,
): RequestTargets {
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

function workerTargets(snapshot: Snapshot, request: ActionRequest): RequestTargets {
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

/** Attempts beyond one's role are kept once in so long for each actor and action; those in between are counted. */
const KEEP_ATTEMPT_EVERY_MS = 60_000;

const MAX_ACTORS = 1_000;

/** Which attempts beyond somebody's role are kept in the audit: a flood of them must not fill the disk. */
export class ForbiddenAttempts {
  readonly #byActor = new Map<string, { keptAtMs: number; uncounted: number }>();

  /** @returns how many went before it that were not kept; null: this one is counted, and not kept. */
  take(actor: string, action: string, nowMs: number): number | null {
    const key = JSON.stringify([actor, action]);
    const known = this.#byActor.get(key);
    if (known && nowMs - known.keptAtMs < KEEP_ATTEMPT_EVERY_MS) {
      known.uncounted += 1;
      return null;
    }
    if (this.#byActor.size >= MAX_ACTORS) this.#byActor.clear();
    this.#byActor.set(key, { keptAtMs: nowMs, uncounted: 0 });
    return known?.uncounted ?? 0;
  }
}
