import type { Refused } from './read-batch.js';

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

/** What Redis says when it refuses a change, and what a person should do about it. First match counts. */
const REFUSALS: readonly (readonly [pattern: RegExp, text: string])[] = [
  [/^NOPERM|no permissions/i, "does not permit this to the console's user (ACL)"],
  [/READONLY/, 'is a read-only replica: point the console at its master, or wait until the failover is over'],
  [
    /\bOOM\b/,
    'is full and refuses this write: make room first (trim events, clean finished jobs, raise maxmemory)',
  ],
  [/MISCONF/, 'accepts no writes because it cannot save to disk'],
  [/NOREPLICAS/, 'accepts no writes because too few replicas are in step'],
  [/^BUSY\b/, 'is busy with a script that does not end'],
  [/WRONGTYPE/, 'holds something else than a BullMQ queue under one of its keys'],
];

/** Words of the connection: sent or not, nobody answered. */
const UNKNOWN_END = /timed? ?out|Connection is closed|Command aborted|ECONNRESET|EPIPE/i;

/** Was it sent, and the connection broke before anybody said what came of it? What Redis itself answers is an end. */
export function hasUnknownEnd(error: unknown): boolean {
  return error instanceof Error && error.name !== 'ReplyError' && UNKNOWN_END.test(error.message);
}

/** One line about a change that Redis or the network did not let through: what, why, and what to do. Holds no secret. */
export function describeRefusal(error: unknown, address: string): string {
  const text = error instanceof Error ? error.message : String(error);
  const known = REFUSALS.find(([pattern]) => pattern.test(text));
  if (known) return `Redis at ${address} ${known[1]} (${serverWords(text)})`;
  // BullMQ's own words for a job, e.g. that it is locked by a worker.
  if (/^(Job|Could not|Missing|job) /.test(text)) return serverWords(text);
  const problem = describeProblem(error, address);
  return UNKNOWN_END.test(text)
    ? `${problem}. Whether the change was made is not known: look before you repeat it.`
    : problem;
}

/** Why a value can't be read, by Redis' code. */
const UNREAD: Readonly<Record<string, string>> = {
  CLUSTERDOWN: 'the cluster is down: not all of its slots are served',
  MOVED: 'its slot is another master’s now, which the console can not reach yet',
  ASK: 'its slot is being moved to another master',
  TRYAGAIN: 'its slot is being moved to another master',
  LOADING: 'Redis is loading its data',
  MASTERDOWN: 'this is a replica that has lost its master',
  BUSY: 'Redis is busy with a script that does not end',
  NOPERM: "Redis does not permit it to the console's user (ACL)",
  WRONGTYPE: 'one of its keys holds something else than BullMQ keeps there',
};

/** Why something can't be read, with the command that was refused, as part of a sentence. Holds no secret. */
export function describeUnread(refused: Refused): string {
  if (refused.command === null) return serverWords(refused.message);
  const command = refused.command.replace('|', ' ').toUpperCase();
  const known = UNREAD[refused.code];
  return known ? `${command} is refused: ${known}` : `${command} is refused: ${serverWords(refused.message)}`;
}

/** Redis' own words, without the place in the script that Redis 7 appends. */
function serverWords(text: string): string {
  return text.replace(/,? ?script: [0-9a-f]{40}.*$/s, '').slice(0, 160);
}
