import type { Turns } from '../process/turns.js';
import type { HistoryFile } from './history-file.js';
import type { Subjects } from './subjects.js';
import type { Tiers } from './tiers.js';

const LOOK_EVERY_MS = 10_000;
const FORGET_EVERY_MS = 3_600_000;
/** From here on the oldest goes, so that there is room for what comes. */
const FULL_RATIO = 0.88;
/** As many old blocks may go at a tick beside as many as came. */
const BLOCKS_BESIDE = 64;
const BLOCKS_FOR_ROOM = 400;

/** Keeps the file within its bounds: what is older than its tier goes, and when the file is full the oldest of all. */
export class Tending {
  readonly #file: HistoryFile;
  readonly #tiers: Tiers;
  readonly #subjects: Subjects;
  #written = 0;
  #lookAtMs = 0;
  #forgetAtMs = 0;
  #isFull = false;

  constructor(file: HistoryFile, tiers: Tiers, subjects: Subjects) {
    this.#file = file;
    this.#tiers = tiers;
    this.#subjects = subjects;
  }

  noteWritten(blocks: number): void {
    this.#written += blocks;
  }

  /**
   * A little of what is due.
   * @param isFolded nothing waits to be folded: what is old is not needed for that any more.
   */
  async tend(nowMs: number, isFolded: boolean, turns: Turns): Promise<void> {
    const most = 2 * this.#written + BLOCKS_BESIDE;
    this.#written = 0;
    if (isFolded)
      for (const { name, keptMs } of this.#tiers) {
        await this.#file.prune(name, nowMs - keptMs, most);
        await turns.next();
      }
    if (nowMs < this.#lookAtMs && !this.#isFull) return;
    this.#lookAtMs = nowMs + LOOK_EVERY_MS;
    this.#isFull = (await this.#file.usedBytes()) > this.#file.maxBytes * FULL_RATIO;
    if (this.#isFull) await this.makeRoom();
    else await this.#file.shrink();
    await this.#forget(nowMs);
  }

  /** Deletes the oldest blocks if the file is as large as it may be. @returns false: it is not, or there are none. */
  async makeRoom(): Promise<boolean> {
    if ((await this.#file.usedBytes()) < this.#file.maxBytes * FULL_RATIO) return false;
    for (const { name } of [...this.#tiers].reverse())
      if ((await this.#file.prune(name, Number.MAX_SAFE_INTEGER, BLOCKS_FOR_ROOM)) > 0) return true;
    return false;
  }

  /** Subjects of which nothing is left. */
  async #forget(nowMs: number): Promise<void> {
    if (nowMs < this.#forgetAtMs) return;
    this.#forgetAtMs = nowMs + FORGET_EVERY_MS;
    const keptMs = Math.max(...this.#tiers.map((tier) => tier.keptMs));
    const gone = this.#subjects.forget(({ lastSecond }) => lastSecond * 1000 < nowMs - keptMs);
    if (gone.length > 0) await this.#file.forget(gone.map(({ id }) => id));
  }
}
