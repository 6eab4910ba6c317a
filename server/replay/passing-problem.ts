import { reasonOf } from '../process/every.js';
import { storeTroubleOf } from '../store/store-client.js';

/**
 * What time or a person elsewhere heals: the connection, a failover, loading, a script that holds Redis; a disk that is full
 * or can't be written, a store that another process holds.
 */
const PASSING =
  /timed? ?out|Connection is closed|Command aborted|Stream isn't writeable|ECONN|EPIPE|ENOTFOUND|EAI_AGAIN|READONLY|LOADING|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|\bBUSY\b|MISCONF|NOREPLICAS|\bOOM\b|UNBLOCKED|All sentinels|failed to refresh/i;

/** Will it do to try again? */
export function isPassing(error: unknown): boolean {
  const trouble = storeTroubleOf(error);
  return trouble === null ? PASSING.test(reasonOf(error)) : trouble !== 'damaged';
}

/** One line for a person, without the place in a script that Redis appends. */
export function problemOf(error: unknown): string {
  return reasonOf(error)
    .replace(/,? ?script: [0-9a-f]{40}.*$/s, '')
    .slice(0, 200);
}
