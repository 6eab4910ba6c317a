/**
 * What BullMQ keeps at `<queue>:<name>`: the list in queue-keys.js of 5.81.5 and 6.7.0 (both the same), `priority` and
 * `meta-paused` of Bull 3 and 4; and what its scripts keep below: `metrics:…`, `de:…` and `dn:…` (deduplication),
 * `repeat:…` (job schedulers), and of a relay `…:subs`, `:node`, `:inbox` and their like.
 */
const QUEUE_KEYS = [
  ...['active', 'wait', 'waiting-children', 'paused', 'id', 'delayed', 'prioritized', 'stalled-check'],
  ...['completed', 'failed', 'stalled', 'repeat', 'limiter', 'meta', 'events', 'pc', 'marker', 'de', 'dn'],
  ...['metrics', 'priority', 'meta-paused', 'delay', 'waiting', 'drained', 'progress', 'resumed', 'added'],
  ...['subs', 'cleanup', 'started', 'layout', 'mid', 'retained', 'ret', 'node', 'nodes', 'inbox'],
];
/** What BullMQ's scripts put behind the key of a job (moveToFinished-14.js, addLog-2.js, moveToActive-11.js …). */
const JOB_SUFFIXES = ['lock', 'logs', 'dependencies', 'processed', 'failed', 'unsuccessful'];
const RESERVED = new Set(['', ...QUEUE_KEYS, ...JOB_SUFFIXES, 'spillway']);

/**
 * Why a job with this id, which comes from outside, must not be written to `<queue>:<id>`; null: it may. Pure.
 *
 * BullMQ itself takes a colon in an id only where it makes three parts (job.js, validateOptions); such an id must not make
 * a key that means something else, here or in a queue whose name begins with this one's.
 * @param longerQueues ids of queues that begin with this one's and a colon.
 */
export function whyNoJobId(id: string, queue: string, longerQueues: readonly string[]): string | null {
  const parts = id.split(':');
  if (parts.length !== 1 && parts.length !== 3) return 'must hold no colon, or two as BullMQ permits';
  const reserved = parts.find((part) => RESERVED.has(part));
  if (reserved !== undefined)
    return `${reserved === '' ? 'an empty part' : reserved} is a name that BullMQ keeps for itself`;
  const key = `${queue}:${id}`;
  const other = longerQueues.find((longer) => key === longer || key.startsWith(`${longer}:`));
  return other === undefined ? null : `makes a key of the queue ${other.slice(0, 200)}`;
}
