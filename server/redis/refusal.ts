import { describeProblem } from './problem.js';
import type { Refused } from './read-batch.js';

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
