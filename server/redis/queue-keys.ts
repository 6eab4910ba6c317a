import type { JobState, QueueCounts } from '../watch/snapshot.js';

/** Where BullMQ keeps the ids of the jobs of one state. */
export interface StateKey {
  readonly state: JobState;
  readonly key: string;
  readonly kind: 'list' | 'zset';
  readonly count: number;
}

/** What a queue's id is made of; the prefix may hold colons. */
export function placeOf(id: string): { readonly id: string; readonly prefix: string; readonly name: string } {
  const colon = id.lastIndexOf(':');
  return { id, prefix: id.slice(0, colon), name: id.slice(colon + 1) };
}

/** The lists and sorted sets of a queue that hold jobs. `waiting` has two where BullMQ 5 has paused the queue. */
export function stateKeys(id: string, counts: QueueCounts): readonly StateKey[] {
  const keys: readonly StateKey[] = [
    { state: 'waiting', key: `${id}:wait`, kind: 'list', count: counts.waiting - counts.legacyPaused },
    { state: 'waiting', key: `${id}:paused`, kind: 'list', count: counts.legacyPaused },
    { state: 'active', key: `${id}:active`, kind: 'list', count: counts.active },
    { state: 'prioritized', key: `${id}:prioritized`, kind: 'zset', count: counts.prioritized },
    { state: 'delayed', key: `${id}:delayed`, kind: 'zset', count: counts.delayed },
    { state: 'waiting-children', key: `${id}:waiting-children`, kind: 'zset', count: counts.waitingChildren },
    { state: 'completed', key: `${id}:completed`, kind: 'zset', count: counts.completed },
    { state: 'failed', key: `${id}:failed`, kind: 'zset', count: counts.failed },
  ];
  return keys.filter(({ count }) => count > 0);
}

/** BullMQ 5 leaves a marker `0:<timestamp>` in `wait` at times; it is no job. */
export function isJobId(id: string | null | undefined): id is string {
  return id !== null && id !== undefined && id !== '' && !id.startsWith('0:');
}

/**
 * The queue whose key this is: keys begin with `<prefix>:<name>:`, and names may hold colons.
 * @returns null: of none of these.
 */
export function queueOf(key: string, queues: { has(id: string): boolean }): string | null {
  let at = key.indexOf(':', key.indexOf(':') + 1);
  while (at > 0) {
    const id = key.slice(0, at);
    if (queues.has(id)) return id;
    at = key.indexOf(':', at + 1);
  }
  return null;
}
