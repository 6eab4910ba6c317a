/** Ticks that are compared: what else the process did meanwhile (pages, exports) was not in each of them. */
const COMPARED = 5;

/** CPU that one tick of a poller takes of the console's own process: reading, judging, and telling those who listen. */
export class TickCost {
  readonly #cpuUsedMs: () => number;
  readonly #last: number[] = [];

  /** @param cpuUsedMs CPU that the process has used so far, ms. */
  constructor(cpuUsedMs: () => number = processCpuMs) {
    this.#cpuUsedMs = cpuUsedMs;
  }

  /** Begins a tick; to be called when it has ended. */
  begin(): () => void {
    const atMs = this.#cpuUsedMs();
    return () => {
      this.#last.push(this.#cpuUsedMs() - atMs);
      if (this.#last.length > COMPARED) this.#last.shift();
    };
  }

  /** CPU ms of a tick: the least of the last ones; 0 until there are some. */
  get cpuMs(): number {
    return this.#last.length < COMPARED ? 0 : Math.min(...this.#last);
  }
}

function processCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
