import type { Redis } from 'ioredis';

/** Place of one command's answer in a batch. */
export type Slot = number;

/**
 * Commands gathered for one pipeline, with a count of each by name: what the console's own share of Redis CPU is
 * worked out from. Answers are read by slot; a refused command is an Error in its slot, so that one refusal does not
 * hide the rest.
 */
export class ReadBatch {
  readonly calls = new Map<string, number>();
  readonly #commands: (readonly (string | number)[])[] = [];
  #answers: readonly unknown[] = [];

  /** Adds a command; the name is counted in lower case, containers with their subcommand as INFO commandstats does. */
  add(command: string, ...args: readonly (string | number)[]): Slot {
    const name =
      command === 'config' || command === 'client' || command === 'memory'
        ? `${command}|${String(args[0]).toLowerCase()}`
        : command;
    this.calls.set(name, (this.calls.get(name) ?? 0) + 1);
    return this.#commands.push([command, ...args]) - 1;
  }

  get size(): number {
    return this.#commands.length;
  }

  /** Sends everything as one pipeline. Throws when the connection fails; single refusals stay in their slots. */
  async run(client: Redis): Promise<void> {
    if (this.#commands.length === 0) return;
    const pipeline = client.pipeline(this.#commands.map((command) => [...command]));
    const results = (await pipeline.exec()) ?? [];
    this.#answers = results.map(([error, value]) => error ?? value);
    const lost = results.find(([error]) => error && isConnectionLoss(error));
    if (lost?.[0]) throw lost[0];
  }

  /** The answer, or null where the command was refused or there is none. */
  value(slot: Slot | null): unknown {
    const answer = slot === null ? null : this.#answers[slot];
    return answer instanceof Error || answer === undefined ? null : answer;
  }

  /** The refusal of a command, or null where it went through. */
  refusal(slot: Slot): Error | null {
    const answer = this.#answers[slot];
    return answer instanceof Error ? answer : null;
  }

  number(slot: Slot | null): number {
    const value = Number(this.value(slot));
    return Number.isFinite(value) ? value : 0;
  }

  text(slot: Slot | null): string | null {
    const value = this.value(slot);
    return value === null ? null : String(value);
  }

  list(slot: Slot | null): readonly (string | null)[] {
    const value = this.value(slot);
    return Array.isArray(value) ? value.map((item) => (item === null ? null : String(item))) : [];
  }
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
