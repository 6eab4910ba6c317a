import { type BlockColumn, decodeBlock, encodeBlock } from './block.js';
import type { HistoryFile, Mark, NewBlock, StoredBlock } from './history-file.js';
import { pack, unpack } from './pack.js';
import { foldInto, noPoints } from './points.js';
import type { SubjectEntry } from './subject-entry.js';
import { blockStart, type Tiers } from './tiers.js';

/** A window may be open for half a minute, and wait a little until it is written. */
const SETTLED_AFTER_MS = 45_000;

export interface Folded {
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
    const body = pack(encodeBlock(columns, tier.stepMs / tiers[0].stepMs), true);
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
    for (const { signal, precision, points } of decodeOrNothing(body, at)) {
      const column = columns.get(signal) ?? { signal, precision, points: noPoints(startMs, stepMs, length) };
      columns.set(signal, column);
      foldInto(column.points, points);
    }
  return [...columns.values()].filter(({ points }) => points.count.some((count) => count > 0));
}

/** One row that can't be read is a gap, and takes nothing else with it. */
export function decodeOrNothing(body: Uint8Array, startMs: number, signal?: number): readonly BlockColumn[] {
  try {
    return decodeBlock(unpack(body), startMs, signal);
  } catch {
    return [];
  }
}
