import { type ClientReading, mergeClientReadings, readClientList } from '../redis/clients.js';

/** CLIENT LIST costs about 2 µs a client: each tick up to this many clients, every fifth tick beyond. */
const MANY_CLIENTS = 500;

/** Where the list is too large to be taken, it is asked for again after so many ticks. */
const TOO_LARGE_TICKS = 60;

/** Who is connected to the masters of one Redis, as CLIENT LIST last told of each. */
export class SeenClients {
  readonly #ofMaster = new Map<string, ClientReading>();
  #merged: ClientReading | null = null;
  #dueTick = 0;
  #isLost = false;

  /** @param isUrgent somebody waits for it; not so where the last list was too large. */
  isDue(tick: number, isUrgent = false): boolean {
    return tick >= this.#dueTick || (isUrgent && !this.#isLost);
  }

  /** Takes the answer of one master. @returns what all of them hold together. */
  take(masterId: string, text: string, tick: number): ClientReading {
    this.#ofMaster.set(masterId, readClientList(text));
    const merged = mergeClientReadings([...this.#ofMaster.values()]);
    this.#merged = merged;
    this.#isLost = false;
    this.#dueTick = tick + (merged.clients > MANY_CLIENTS ? 5 : 1);
    return merged;
  }

  /** The list of one master is larger than may be: who is connected is not known from now on. */
  lose(masterId: string, tick: number): void {
    this.#ofMaster.delete(masterId);
    this.#merged = null;
    this.#isLost = true;
    this.#dueTick = tick + TOO_LARGE_TICKS;
  }

  /** Workers of a queue; null: not known. */
  workersOf(queueId: string): number | null {
    return this.#merged === null ? null : (this.#merged.workersByQueue.get(queueId) ?? 0);
  }

  /** Answers that wait to be sent to clients; null: not known. */
  outputBytesOf(masterId: string): number | null {
    return this.#ofMaster.get(masterId)?.outputBytes ?? null;
  }

  forgetAllBut(masterIds: ReadonlySet<string>): void {
    for (const id of this.#ofMaster.keys()) if (!masterIds.has(id)) this.#ofMaster.delete(id);
  }
}
