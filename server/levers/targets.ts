import type { QueueState, Snapshot } from '../watch/snapshot.js';
import { LeverError } from './lever.js';

/** Queues that one call may act on. */
const MOST_TARGETS = 5_000;
const NEAR_NAMES = 3;

/**
 * Finds a queue by id, or by bare name where exactly one queue of the instance has it.
 * @throws LeverError naming what comes near, or the ids among which the name does not choose.
 */
export function findQueue(snapshot: Snapshot, idOrName: string): QueueState {
  const exact = snapshot.queues.find((queue) => queue.id === idOrName);
  if (exact) return exact;
  const named = snapshot.queues.filter((queue) => queue.name === idOrName);
  if (named.length === 1 && named[0]) return named[0];
  if (named.length > 1) {
    const ids = named.map((queue) => queue.id).join(', ');
    throw new LeverError(
      'ambiguous',
      `queues: ${named.length} queues are named ${idOrName}; give one of ${ids}`,
    );
  }
  const near = nearNames(snapshot, idOrName);
  throw new LeverError(
    'not-found',
    `queues: there is no queue ${idOrName} in ${snapshot.instance}${near ? `; did you mean ${near}?` : ''}`,
  );
}

/**
 * Queues whose id or name a glob matches (`*` any letters, `?` one), in order of id.
 * @throws LeverError when it matches none or too many.
 */
export function matchQueues(snapshot: Snapshot, glob: string): readonly QueueState[] {
  const matches = globMatcher(glob);
  const found = snapshot.queues.filter((queue) => matches(queue.id) || matches(queue.name));
  if (found.length === 0)
    throw new LeverError('not-found', `match: no queue of ${snapshot.instance} matches ${glob}`);
  if (found.length > MOST_TARGETS) {
    throw new LeverError(
      'invalid',
      `match: ${glob} matches ${found.length} queues; at most ${MOST_TARGETS} can be changed in one call`,
    );
  }
  return [...found].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** A test for a glob. Matches in linear time whatever the pattern: no regular expression is made from what was typed. */
export function globMatcher(glob: string): (text: string) => boolean {
  const pattern = [...glob.replace(/\*+/g, '*')];
  return (text) => {
    const letters = [...text];
    let p = 0;
    let t = 0;
    let star = -1;
    let resumeAt = 0;
    while (t < letters.length) {
      if (pattern[p] === '*') {
        star = p++;
        resumeAt = t;
      } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === letters[t])) {
        p++;
        t++;
      } else if (star >= 0) {
        p = star + 1;
        t = ++resumeAt;
      } else return false;
    }
    while (pattern[p] === '*') p++;
    return p === pattern.length;
  };
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
