/** What time or a person elsewhere heals: the connection, a failover, loading, a script that holds Redis, a full disk. */
const PASSING =
  /timed? ?out|Connection is closed|Command aborted|Stream isn't writeable|ECONN|EPIPE|ENOTFOUND|EAI_AGAIN|READONLY|LOADING|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|\bBUSY\b|MISCONF|NOREPLICAS|\bOOM\b|UNBLOCKED|All sentinels|failed to refresh/i;

/** Will it do to try again? */
export function isPassing(error: unknown): boolean {
  return PASSING.test(textOf(error));
}

/** One line for a person, without the place in a script that Redis appends. */
export function problemOf(error: unknown): string {
  return textOf(error)
    .replace(/,? ?script: [0-9a-f]{40}.*$/s, '')
    .slice(0, 200);
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
