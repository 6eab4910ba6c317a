import { once } from 'node:events';
import type { Redis } from 'ioredis';
import { formatBytes } from '../model/format.js';

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

/** Its name and what follows it. */
type Command = (string | number)[];

/** Place of one command's answer in a batch. */
export type AnswerPlace = number;

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
  value(slot: AnswerPlace | null): unknown;
  /** 0: it is none, or nothing was asked. @throws Refused */
  number(slot: AnswerPlace | null): number;
  /** @throws Refused */
  text(slot: AnswerPlace | null): string | null;
  /** @throws Refused */
  list(slot: AnswerPlace | null): readonly (string | null)[];
}

/**
 * Commands gathered for one pipeline, with a count of each by name: what the console's own share of Redis CPU is
 * worked out from. Answers are read through `read` alone, whose result is a union with `Refused`: whoever asks has to say
 * what becomes of a value that is not known, and one refusal does not hide the rest.
 */
export class ReadBatch {
  readonly calls = new Map<string, number>();
  readonly #commands: Command[] = [];
  #answers: unknown[] = [];

  /** Adds a command; the name is counted in lower case, containers with their subcommand as INFO commandstats does. */
  add(command: string, ...args: readonly (string | number)[]): AnswerPlace {
    const whole: Command = [command, ...args];
    const name = nameOf(whole);
    this.calls.set(name, (this.calls.get(name) ?? 0) + 1);
    return this.#commands.push(whole) - 1;
  }

  /** More was sent than may be, and nothing of it was taken. */
  get isTooLarge(): boolean {
    const [first] = this.#answers;
    return first instanceof Error && first.message.startsWith(TOO_LARGE);
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

  #refusal(slot: AnswerPlace, { message }: Error): Refused {
    return new Refused(nameOf(this.#commands[slot] ?? []), message);
  }

  async #follow(nodeAt: (address: string) => Redis | null): Promise<void> {
    const byAddress = new Map<string, { slot: AnswerPlace; isAsk: boolean }[]>();
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

async function exec(client: Redis, commands: Command[], maxBytes = MAX_ANSWER_BYTES): Promise<unknown[]> {
  const pipeline = client.pipeline(commands);
  const results = await withinBytes(client, maxBytes, async () => (await pipeline.exec()) ?? []);
  if (results === null) {
    const tooLarge = new Error(`${TOO_LARGE} the answers hold more than ${formatBytes(maxBytes)}`);
    return commands.map(() => tooLarge);
  }
  const lost = results.find(([error]) => error && isConnectionLoss(error));
  if (lost?.[0]) throw lost[0];
  return results.map(([error, value]) => error ?? value);
}

function nameOf([command = '', subcommand]: Command): string {
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
