import { ActionError } from './action.js';
import { type QueueKind, whyReadOnly } from './queue-kind.js';
import type { QueueState, Snapshot, UnreadQueue } from './snapshot.js';
import { globMatcher } from './text.js';

/** Queues that one call may act on. */
export const MAX_TARGETS = 5_000;

const NEAR_NAMES = 3;

/** What is not known is not changed: neither what stands there nor whether it took could be known. */
export function notKnown({ id, problem }: UnreadQueue): string {
  return `queues: ${id} can not be read now (${problem}), so nothing was changed there`;
}

/** @throws ActionError where a queue is not BullMQ's. */
export function requireBullmq(queue: { readonly id: string; readonly kind: QueueKind }): void {
  const why = whyReadOnly(queue);
  if (why !== null) throw new ActionError('unavailable', `queues: ${queue.id} is ${why}`);
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
  const near = nearQueueNames(snapshot, idOrName);
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

function nearQueueNames(snapshot: Snapshot, wanted: string): string {
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
