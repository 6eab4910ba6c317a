import { createHash } from 'node:crypto';
import { coarseSeconds, formatCount, formatDuration } from '../server/model/format.js';
import type { Moment } from './time.js';

/** Shown where a number is not known: never a zero that was not measured. */
export const UNKNOWN = '–';

/** An age in words, as it may change on a page (`coarseSeconds`). */
export function coarseAge(seconds: number, firstStep = 1): string {
  return formatDuration(coarseSeconds(seconds, firstStep));
}

/** A moment in UTC: the time alone where it is of the last 18 hours, else with its date. */
export function moment(atMs: number, nowMs: number): Moment {
  const iso = Number.isFinite(atMs) && Math.abs(atMs) < 8.6e15 ? new Date(atMs).toISOString() : '';
  if (iso === '') return { iso: '', text: UNKNOWN };
  const isRecent = Math.abs(nowMs - atMs) < 18 * 3_600_000;
  const text = isRecent ? iso.slice(11, 19) : `${iso.slice(0, 10)} ${iso.slice(11, 19)}`;
  return { iso, text: `${text} UTC` };
}

/** A moment as pages say it, where the text is one as JSON has it; else null. */
export function readableTime(text: string, nowMs: number): string | null {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(text) ? moment(Date.parse(text), nowMs).text : null;
}

/** A rate with one decimal, without its unit (the column has it). */
export function rateNumber(perSecond: number | null | undefined): string {
  if (perSecond === null || perSecond === undefined || !Number.isFinite(perSecond)) return UNKNOWN;
  return perSecond < 99.95 && perSecond > 0 ? perSecond.toFixed(1) : formatCount(perSecond);
}

/** An id for an element, from any text: characters and digits only, so that no name can break out of a selector. */
export function elementId(kind: string, text: string): string {
  return `${kind}-${hashOf(text)}`;
}

const hashes = new Map<string, string>();
const MAX_HASHES = 20_000;

function hashOf(text: string): string {
  const known = hashes.get(text);
  if (known !== undefined) return known;
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 12);
  if (hashes.size >= MAX_HASHES) hashes.clear();
  hashes.set(text, hash);
  return hash;
}
