import { parsePairs } from './parse-info.js';

/** Redis CPU seconds and executed time of one INFO answer. */
interface CpuReading {
  readonly atMs: number;
  readonly cpuSeconds: number;
  readonly commands: number;
  readonly execUsec: Readonly<Record<string, { readonly calls: number; readonly usec: number }>>;
}

export interface CpuShare {
  /** Cores that all of Redis used since the last reading. */
  readonly cpuRatio: number;
  /** Of that: what the console's own commands cost. */
  readonly ownCpuRatio: number;
}

/** Networking and parsing of one small pipelined command; used until there is a reading to take it from. [run: 6.3 ms for 10,000 commands of 0.3 µs] */
const OVERHEAD_USEC = 0.35;
/** Above this the rest is not per-command work (expiry, defragmentation, forks, blocked clients) and not ours. */
const MOST_OVERHEAD_USEC = 2;

/**
 * Attributes Redis CPU to the console: for each command name, our calls × its mean time in this window, plus our
 * calls' share of what is left of used_cpu for networking and parsing. Redis does not count by client.
 */
export class OwnCost {
  #last: CpuReading | null = null;
  readonly #calls = new Map<string, number>();

  /** Counts commands that were sent since the last reading. */
  count(calls: ReadonlyMap<string, number>): void {
    for (const [name, times] of calls) this.#calls.set(name, (this.#calls.get(name) ?? 0) + times);
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
    const calls = new Map(this.#calls);
    this.#last = reading;
    this.#calls.clear();
    if (!last || reading.cpuSeconds < last.cpuSeconds || atMs <= last.atMs) return null;
    const seconds = (atMs - last.atMs) / 1000;
    const usedUsec = (reading.cpuSeconds - last.cpuSeconds) * 1e6;
    let executed = 0;
    let own = 0;
    let ownCalls = 0;
    for (const [name, now] of Object.entries(reading.execUsec)) {
      const before = last.execUsec[name];
      const times = now.calls - (before?.calls ?? 0);
      const usec = now.usec - (before?.usec ?? 0);
      executed += usec;
      const ours = Math.min(calls.get(name) ?? 0, times);
      if (times > 0 && ours > 0) own += (usec / times) * ours;
    }
    for (const times of calls.values()) ownCalls += times;
    const others = Math.max(1, reading.commands - last.commands);
    const overhead = Math.min(MOST_OVERHEAD_USEC, Math.max(OVERHEAD_USEC, (usedUsec - executed) / others));
    const ownUsec = Math.min(usedUsec, own + ownCalls * overhead);
    return { cpuRatio: usedUsec / 1e6 / seconds, ownCpuRatio: ownUsec / 1e6 / seconds };
  }
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
