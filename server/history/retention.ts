import type { Yielder } from '../process/every.js';
import { type BlockColumn, decodeBlock, encodeBlock } from './block.js';
import type { HistoryFile, Mark, NewBlock, StoredBlock } from './history-file.js';
import { blockStart, foldInto, noPoints, type Tiers } from './points.js';
import type { SubjectEntry, Subjects } from './subjects.js';

const LOOK_EVERY_MS = 10_000;
const FORGET_EVERY_MS = 3_600_000;
/** From here on the oldest goes, so that there is room for what comes. */
const FULL_RATIO = 0.88;
/** As many old blocks may go at a tick beside as many as came. */
const BLOCKS_BESIDE = 64;
const BLOCKS_FOR_ROOM = 400;

/** Keeps the file within its bounds: what is older than its tier goes, and when the file is full the oldest of all. */
export class Retention {
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
  async work(nowMs: number, isFolded: boolean, yielder: Yielder): Promise<void> {
    const most = 2 * this.#written + BLOCKS_BESIDE;
    this.#written = 0;
    if (isFolded)
      for (const { name, keptMs } of this.#tiers) {
        await this.#file.prune(name, nowMs - keptMs, most);
        await yielder.yieldToEventLoop();
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

/** A window may be open for half a minute, and wait a little until it is written. */
const SETTLED_AFTER_MS = 45_000;

interface Folded {
  readonly block: NewBlock | null;
  readonly mark: Mark;
}

/** Whether a subject has a whole block of a tier that is not made yet. */
export function isDue(entry: SubjectEntry, to: 1 | 2, tiers: Tiers, nowMs: number): boolean {
  const markMs = entry.untilMs[to];
  const endMs = markMs + tiers[to].blockMs;
  const lastMs = entry.lastSecond * 1000;
  if (lastMs < markMs || nowMs - SETTLED_AFTER_MS < endMs) return false;
  // Of ten-second blocks all must be there, or no more to come.
  return to === 1 || entry.untilMs[1] >= endMs || entry.untilMs[1] > lastMs;
}

/** Makes the next block of a tier from those of the finer one, which stay. Where there are none, it goes on to the next that there is. */
export async function foldNext(
  file: HistoryFile,
  entry: SubjectEntry,
  to: 1 | 2,
  tiers: Tiers,
): Promise<Folded> {
  const [from, tier] = [tiers[to === 1 ? 0 : 1], tiers[to]];
  const startMs = entry.untilMs[to];
  const endMs = startMs + tier.blockMs;
  const blocks = await file.blocks(from, entry.id, startMs, endMs);
  const columns = foldBlocks(blocks, startMs, tier.stepMs, tier.blockMs / tier.stepMs);
  if (columns.length > 0) {
    const shape = { scope: entry.scope, stepMs: tier.stepMs, length: tier.blockMs / tier.stepMs };
    const body = encodeBlock(shape, columns);
    return {
      block: { entry, tier: tier.name, startMs, body },
      mark: { entry, tier: tier.name, untilMs: endMs },
    };
  }
  const nextMs = await file.nextBlockMs(from, entry.id, endMs);
  const untilMs = Math.max(endMs, blockStart(tier, nextMs ?? entry.lastSecond * 1000));
  return { block: null, mark: { entry, tier: tier.name, untilMs } };
}

function foldBlocks(
  blocks: readonly StoredBlock[],
  startMs: number,
  stepMs: number,
  length: number,
): readonly BlockColumn[] {
  const columns = new Map<number, BlockColumn>();
  for (const { startMs: at, body } of blocks)
    for (const { signal, points } of decodeOrNothing(body, at)) {
      const column = columns.get(signal) ?? { signal, points: noPoints(startMs, stepMs, length) };
      columns.set(signal, column);
      foldInto(column.points, points);
    }
  return [...columns.values()].filter(({ points }) => points.count.some((count) => count > 0));
}

/** One row that can't be read is a gap, and takes nothing else with it. */
export function decodeOrNothing(body: Uint8Array, startMs: number, signal?: number): readonly BlockColumn[] {
  try {
    return decodeBlock(body, startMs, signal);
  } catch {
    return [];
  }
}
