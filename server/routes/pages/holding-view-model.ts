import type { HoldingPart, HoldingRow, Tone } from '../../../views/holding.js';
import { UNKNOWN } from '../../../views/words.js';
import { formatBytes, formatEstimate, formatRatio } from '../../model/format.js';
import type { Bytes, MemoryKind } from '../../model/memory.js';

const TONES: readonly Tone[] = ['a', 'b', 'c', 'd', 'e', 'f'];

/** The tone of the n-th of a list; those beyond share one. */
export function toneOf(index: number): Tone {
  return TONES[index] ?? 'rest';
}

export interface Piece {
  readonly label: string;
  readonly bytes: number;
  readonly tone: Tone;
}

/** Pieces side by side on a scale of `totalBytes`; what is too thin to be seen is left to the table. */
export function partsOf(
  pieces: readonly Piece[],
  totalBytes: number,
  startBytes = 0,
): readonly HoldingPart[] {
  const parts: HoldingPart[] = [];
  let atBytes = startBytes;
  for (const { label, bytes, tone } of pieces) {
    const widthPercent = percent(Math.max(0, bytes), totalBytes);
    const last = parts.at(-1);
    const startPercent = percent(atBytes, totalBytes);
    const title = `${label}: ${formatBytes(bytes)}`;
    if (widthPercent >= 0.2)
      parts.push({
        startPercent,
        widthPercent,
        tone,
        isOdd: tone === last?.tone && !last.isOdd,
        label,
        title,
      });
    atBytes += Math.max(0, bytes);
  }
  return parts;
}

/** Steps of a tenth: what is sent live changes only when it can be seen. */
export function percent(bytes: number, totalBytes: number): number {
  return totalBytes > 0 ? Math.round((Math.min(bytes, totalBytes) / totalBytes) * 1000) / 10 : 0;
}

/** One line of a table of holders. */
export function rowOf(
  name: string,
  held: Bytes,
  ofBytes: number,
  more: Partial<Pick<HoldingRow, 'tone' | 'isPart' | 'href' | 'note'>> = {},
): HoldingRow {
  return {
    tone: null,
    isPart: false,
    href: null,
    note: '',
    ...more,
    name,
    held: formatBytes(held.bytes),
    error: errorInWords(held),
    share: ofBytes >= 1 && held.bytes >= 0 ? formatRatio(held.bytes / ofBytes) : UNKNOWN,
  };
}

/** "± 2.0 MB"; empty where it is exact, or as good as that. */
function errorInWords(held: Bytes): string {
  return formatEstimate(held).slice(formatBytes(held.bytes).length).trim();
}

/** What each kind of data is called, as BullMQ calls it where it has a name. */
export const KIND_WORDS: Readonly<Record<MemoryKind, string>> = {
  payload: 'Payload (data)',
  options: 'Options of jobs',
  'stack-traces': 'Stack traces',
  'return-values': 'Return values',
  logs: 'Job logs',
  'job-overhead': 'Other fields of jobs',
  structure: 'Lists of job ids',
  events: 'Events',
  schedulers: 'Job schedulers',
  locks: 'Locks of running jobs',
  settings: 'Settings and metrics',
};

export const STATE_WORDS: Readonly<Record<string, string>> = {
  waiting: 'Waiting',
  prioritized: 'Prioritized',
  active: 'Active',
  delayed: 'Delayed',
  'waiting-children': 'Waiting for children',
  completed: 'Completed',
  failed: 'Failed',
};
