import { once } from 'node:events';
import type { Redis } from 'ioredis';
import { formatBytes } from '../model/format.js';

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

/** After a connection was cut it is back within this, else what is asked next fails. */
const BACK_WITHIN_MS = 1_000;

/**
 * Runs `ask` and cuts its connection as soon as more than `maxBytes` have come: how long a job's id or a client's name is
 * Redis does not tell before it sends them, ioredis keeps an answer until it is whole, and anybody may write names of
 * megabytes. The connection is open again at the end, where Redis takes it.
 * @returns null: more came, and nothing was taken.
 */
async function withinBytes<T>(client: Redis, maxBytes: number, ask: () => Promise<T>): Promise<T | null> {
  const { stream } = client;
  let bytes = 0;
  let cut = (_: null): void => undefined;
  // A pipeline whose connection is gone may never end.
  const isCut = new Promise<null>((resolve) => {
    cut = resolve;
  });
  const count = (chunk: Buffer): void => {
    bytes += chunk.length;
    if (bytes <= maxBytes || stream.destroyed) return;
    stream.destroy();
    cut(null);
  };
  stream?.on('data', count);
  let answer: T | null;
  try {
    answer = await Promise.race([ask(), isCut]);
  } finally {
    stream?.off('data', count);
  }
  if (bytes <= maxBytes) return answer;
  await once(client, 'ready', { signal: AbortSignal.timeout(BACK_WITHIN_MS) }).catch(() => undefined);
  return null;
}

/** What the answers of one batch may hold together: those about a thousand queues are 2 MB. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
/** As if Redis had said it. */
const TOO_LARGE = 'TOOLARGE';

/** Place of one command's answer in a batch. */
export type Slot = number;

/**
 * A value that is not known, because Redis refused the command that asks for it (MOVED, CLUSTERDOWN, NOPERM, BUSY …) or
 * nobody answered. It is no number and no empty list, so it can't pass for one.
 */
export class Refused extends Error {
  /** As Redis names it, in lower case; null: nothing was sent, as nobody was there to ask. */
  readonly command: string | null;

  /** @param message in Redis' words, its code first. */
  constructor(command: string | null, message: string) {
    super(message);
    this.command = command;
  }

  /** `MOVED`, `CLUSTERDOWN`, `NOPERM` … */
  get code(): string {
    return /^[A-Z]+/.exec(this.message)?.[0] ?? 'ERR';
  }

  /** The key's slot is another node's, or on its way there: the same question may be answered elsewhere or in a moment. */
  get isAboutPlace(): boolean {
    return this.code === 'MOVED' || this.code === 'ASK' || this.code === 'TRYAGAIN';
  }
}

/** The known part of a union with `Refused`. @throws Refused, where one answer is all that matters. */
export function orThrow<T>(value: T | Refused): T {
  if (value instanceof Refused) throw value;
  return value;
}

/** The answers of a batch, for `ReadBatch.read`, which takes what these throw for the whole value being unknown. */
export interface Answers {
  /** null: there is none (nil), or nothing was asked. @throws Refused */
  value(slot: Slot | null): unknown;
  /** 0: it is none, or nothing was asked. @throws Refused */
  number(slot: Slot | null): number;
  /** @throws Refused */
  text(slot: Slot | null): string | null;
  /** @throws Refused */
  list(slot: Slot | null): readonly (string | null)[];
}

/**
 * Commands gathered for one pipeline, with a count of each by name: what the console's own share of Redis CPU is
 * worked out from. Answers are read through `read` alone, whose result is a union with `Refused`: whoever asks has to say
 * what becomes of a value that is not known, and one refusal does not hide the rest.
 */
export class ReadBatch {
  readonly calls = new Map<string, number>();
  readonly #commands: (readonly (string | number)[])[] = [];
  #answers: unknown[] = [];

  /** Adds a command; the name is counted in lower case, containers with their subcommand as INFO commandstats does. */
  add(command: string, ...args: readonly (string | number)[]): Slot {
    const name = nameOf([command, ...args]);
    this.calls.set(name, (this.calls.get(name) ?? 0) + 1);
    return this.#commands.push([command, ...args]) - 1;
  }

  /** More was sent than may be, and nothing of it was taken. */
  get isTooLarge(): boolean {
    const [first] = this.#answers;
    return first instanceof Error && first.message.startsWith(TOO_LARGE);
  }

  get size(): number {
    return this.#commands.length;
  }

  /**
   * Sends everything as one pipeline; what a Cluster says lies elsewhere is asked for there, once.
   * @param nodeAt the connection to `host:port` of a Cluster; absent: redirections are refusals.
   * @param maxBytes what the answers may hold together: where they hold more, none is taken and each is a refusal.
   * @throws when the connection fails; single refusals stay in their slots.
   */
  async run(
    client: Redis,
    nodeAt?: (address: string) => Redis | null,
    maxBytes = MAX_ANSWER_BYTES,
  ): Promise<void> {
    if (this.#commands.length === 0) return;
    this.#answers = await exec(client, this.#commands, maxBytes);
    if (nodeAt) await this.#follow(nodeAt);
  }

  /** What `decode` makes of the answers; Refused where any that it looks at was refused. */
  read<T>(decode: (answers: Answers) => T): T | Refused {
    try {
      return decode(this.#reader);
    } catch (error) {
      if (error instanceof Refused) return error;
      throw error;
    }
  }

  readonly #reader: Answers = {
    value: (slot) => {
      const answer = slot === null ? null : this.#answers[slot];
      if (answer instanceof Error) throw this.#refusal(slot ?? 0, answer);
      return answer ?? null;
    },
    number: (slot) => {
      const value = Number(this.#reader.value(slot));
      return Number.isFinite(value) ? value : 0;
    },
    text: (slot) => {
      const value = this.#reader.value(slot);
      return value === null ? null : String(value);
    },
    list: (slot) => {
      const value = this.#reader.value(slot);
      return Array.isArray(value) ? value.map((item) => (item === null ? null : String(item))) : [];
    },
  };

  #refusal(slot: Slot, { message }: Error): Refused {
    return new Refused(nameOf(this.#commands[slot] ?? []), message);
  }

  async #follow(nodeAt: (address: string) => Redis | null): Promise<void> {
    const byAddress = new Map<string, { slot: Slot; isAsk: boolean }[]>();
    for (const [slot, answer] of this.#answers.entries()) {
      const [, kind, address = ''] =
        (answer instanceof Error && /^(MOVED|ASK) \d+ (\S+:\d+)/.exec(answer.message)) || [];
      if (!kind) continue;
      const there = byAddress.get(address) ?? [];
      there.push({ slot, isAsk: kind === 'ASK' });
      byAddress.set(address, there);
    }
    for (const [address, there] of byAddress) {
      const node = nodeAt(address);
      if (!node) continue;
      // ASKING is for the one command after it.
      const commands = there.flatMap(({ slot, isAsk }) => {
        const command = this.#commands[slot] ?? [];
        return isAsk ? [['asking'], command] : [command];
      });
      const answers = (await exec(node, commands)).filter((_, i) => commands[i]?.[0] !== 'asking');
      for (const [i, { slot }] of there.entries()) this.#answers[slot] = answers[i];
    }
  }
}

async function exec(
  client: Redis,
  commands: readonly (readonly (string | number)[])[],
  maxBytes = MAX_ANSWER_BYTES,
): Promise<unknown[]> {
  const pipeline = client.pipeline(commands.map((command) => [...command]));
  const results = await withinBytes(client, maxBytes, async () => (await pipeline.exec()) ?? []);
  if (results === null) {
    const tooLarge = new Error(`${TOO_LARGE} the answers hold more than ${formatBytes(maxBytes)}`);
    return commands.map(() => tooLarge);
  }
  const lost = results.find(([error]) => error && isConnectionLoss(error));
  if (lost?.[0]) throw lost[0];
  return results.map(([error, value]) => error ?? value);
}

function nameOf([command = '', subcommand]: readonly (string | number)[]): string {
  return command === 'config' || command === 'client' || command === 'memory'
    ? `${command}|${String(subcommand).toLowerCase()}`
    : String(command);
}

/** Commands of several batches together, by name. */
export function sumOfCalls(...calls: readonly ReadonlyMap<string, number>[]): Map<string, number> {
  const sum = new Map<string, number>();
  for (const some of calls) addCalls(sum, some);
  return sum;
}

export function addCalls(sum: Map<string, number>, calls: ReadonlyMap<string, number>): void {
  for (const [name, times] of calls) sum.set(name, (sum.get(name) ?? 0) + times);
}

function isConnectionLoss(error: Error): boolean {
  return /Connection is closed|Stream isn't writeable|ECONN|EPIPE|Command aborted|flushQueue/i.test(
    error.message,
  );
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
