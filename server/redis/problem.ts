/** Errors of the network and of Redis, by what is found in code or message, and what a person should check. First match counts. */
const KNOWN: readonly (readonly [pattern: RegExp, text: string])[] = [
  [/ECONNREFUSED/, 'refuses connections: is Redis running there, and is the port right?'],
  [/ENOTFOUND|EAI_AGAIN/, 'has a host name that does not resolve: check the address'],
  [/EHOSTUNREACH|ENETUNREACH/, 'cannot be reached over the network'],
  [/NOAUTH/, 'asks for a password: give one in the URL (redis://user:password@host:port)'],
  [/WRONGPASS|invalid password|invalid username-password/i, 'does not accept this user name and password'],
  [
    /NOPERM/,
    'does not let this user do what reading needs (ACL): allow +info +scan +@read on the queue keys',
  ],
  [/\bBUSY\b/, 'is busy with a script that does not end: SCRIPT KILL ends it, unless it has written'],
  [/LOADING/, 'is still loading its data from disk'],
  [/MASTERDOWN/, 'is a replica that has lost its master'],
  [/CLUSTERDOWN/, 'is a cluster that is down: not all slots are served'],
  [/cluster support disabled/i, 'is not a cluster: use redis:// instead of redis+cluster://'],
  [/Failed to refresh slots cache/i, 'has no cluster node that answers: check the nodes given'],
  [
    /All sentinels are unreachable/i,
    'has no Sentinel that answers or knows this master: check the addresses and the master name',
  ],
  [/MOVED/, 'is part of a cluster: use redis+cluster:// instead of redis://'],
  [
    /wrong version number|SSL|TLS|certificate|self.signed/i,
    'does not agree on TLS: check redis:// against rediss:// and the certificate',
  ],
  [/Protocol error|ParserError|HTTP\/1/i, 'does not speak the Redis protocol: is it a Redis?'],
  [/max number of clients/i, 'has no connection left (maxclients)'],
  [/timed? ?out|ETIMEDOUT/i, 'does not answer in time'],
  [/ECONNRESET|EPIPE|Connection is closed|Stream isn't writeable/i, 'closed the connection'],
];

/**
 * One line for a person: what is wrong with the Redis at `address` and what to check. Never holds a secret: of
 * messages that are not known, only the first 120 characters without URLs are shown.
 */
export function describeProblem(error: unknown, address: string): string {
  const text = errorText(error);
  const known = KNOWN.find(([pattern]) => pattern.test(text));
  if (known) return `Redis at ${address} ${known[1]}`;
  const rest = text.replace(/\S+:\/\/\S+/g, '…').slice(0, 120);
  return `Redis at ${address} does not work as expected: ${rest || 'no reason given'}`;
}

function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const parts = [('code' in error && String(error.code)) || '', error.message];
  if (error instanceof AggregateError) parts.push(...error.errors.map(errorText));
  if ('lastNodeError' in error && error.lastNodeError) parts.push(errorText(error.lastNodeError));
  return parts.filter(Boolean).join(' ');
}
