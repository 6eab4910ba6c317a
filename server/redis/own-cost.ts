import { addCalls } from './read-batch.js';
import { parsePairs } from './read-server.js';

/** Redis CPU seconds and executed time of one INFO answer. */
interface CpuReading {
  readonly atMs: number;
  readonly cpuSeconds: number;
  readonly commands: number;
  readonly execUsec: Readonly<Record<string, { readonly calls: number; readonly usec: number }>>;
}

interface CpuShare {
  /** Cores that all of Redis used since the last reading. */
  readonly cpuRatio: number;
  /** Of that: what the console's own commands cost. */
  readonly ownCpuRatio: number;
  /** Of that: without those that could have waited. */
  readonly regularCpuRatio: number;
}

/** Networking and parsing of one small pipelined command; used until there is a reading to take it from. [run: 6.3 ms for 10,000 commands of 0.3 µs] */
const OVERHEAD_USEC = 0.35;
/** A command that was not measured yet, in µs; SCAN looks at hundreds of keys. */
const FIRST_GUESS_USEC = 1.5;
const FIRST_SCAN_USEC = 500;
/** used_cpu comes in steps of some ms: a small window must not make commands seem free. */
const LEAST_SCALE = 0.3;
/** Above this the rest is not per-command work (expiry, defragmentation, forks, blocked clients) and not ours. */
const MAX_OVERHEAD_USEC = 2;

/**
 * Attributes Redis CPU to the console: for each command name, our calls × its mean time in this window, plus our
 * calls' share of what is left of used_cpu for networking and parsing. Redis does not count by client.
 */
export class OwnCost {
  #last: CpuReading | null = null;
  readonly #regular = new Map<string, number>();
  readonly #waiting = new Map<string, number>();
  readonly #usecByName = new Map<string, number>([['scan', FIRST_SCAN_USEC]]);
  #overheadUsec = OVERHEAD_USEC;

  /**
   * Counts commands that were sent since the last reading.
   * @param canWait they are read as far as the budget goes.
   */
  count(calls: ReadonlyMap<string, number>, canWait = false): void {
    const counted = canWait ? this.#waiting : this.#regular;
    addCalls(counted, calls);
  }

  /** What these commands cost Redis, in µs, by what such commands have cost lately. */
  usecOf(calls: ReadonlyMap<string, number>): number {
    let usec = 0;
    for (const [name, times] of calls)
      usec += times * ((this.#usecByName.get(name) ?? FIRST_GUESS_USEC) + this.#overheadUsec);
    return usec;
  }

  /** Share since the last reading; null for the first one. Resets the count. */
  read(info: Readonly<Record<string, string>>, atMs: number): CpuShare | null {
    const reading: CpuReading = {
      atMs,
      cpuSeconds: Number(info.used_cpu_sys ?? 0) + Number(info.used_cpu_user ?? 0),
      commands: Number(info.total_commands_processed ?? 0),
      execUsec: commandTimes(info),
    };
    const last = this.#last;
    const [regular, waiting] = [new Map(this.#regular), new Map(this.#waiting)];
    this.#last = reading;
    this.#regular.clear();
    this.#waiting.clear();
    if (!last || reading.cpuSeconds < last.cpuSeconds || atMs <= last.atMs) return null;
    const seconds = (atMs - last.atMs) / 1000;
    const usedUsec = (reading.cpuSeconds - last.cpuSeconds) * 1e6;
    let executed = 0;
    const means: (readonly [string, number])[] = [];
    for (const [name, now] of Object.entries(reading.execUsec)) {
      const before = last.execUsec[name];
      const times = now.calls - (before?.calls ?? 0);
      const usec = now.usec - (before?.usec ?? 0);
      executed += usec;
      if (times > 0) means.push([name, usec / times]);
    }
    const others = Math.max(1, reading.commands - last.commands);
    // Redis times its commands by the clock: where it has to share a processor, they seem to take longer than all it used.
    const scale = executed > 0 ? clamp((usedUsec - others * OVERHEAD_USEC) / executed, LEAST_SCALE, 1) : 1;
    for (const [name, usec] of means) this.#usecByName.set(name, usec * scale);
    this.#overheadUsec = clamp((usedUsec - executed) / others, OVERHEAD_USEC, MAX_OVERHEAD_USEC);
    const regularUsec = Math.min(usedUsec, this.usecOf(regular));
    const ownUsec = Math.min(usedUsec, regularUsec + this.usecOf(waiting));
    const ratio = (usec: number): number => usec / 1e6 / seconds;
    return {
      cpuRatio: ratio(usedUsec),
      ownCpuRatio: ratio(ownUsec),
      regularCpuRatio: ratio(regularUsec),
    };
  }
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

function commandTimes(info: Readonly<Record<string, string>>): CpuReading['execUsec'] {
  const times: Record<string, { calls: number; usec: number }> = {};
  for (const [name, value] of Object.entries(info)) {
    if (!name.startsWith('cmdstat_')) continue;
    const pairs = parsePairs(value);
    times[name.slice('cmdstat_'.length)] = { calls: Number(pairs.calls ?? 0), usec: Number(pairs.usec ?? 0) };
  }
  return times;
}
