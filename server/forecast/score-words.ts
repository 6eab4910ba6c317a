import { formatCount, formatRatio } from '../model/format.js';
import type { Score } from './score.js';

/** "Of the last 12 forecasts half were within 9%, 11 of 12 within their range." null: none is settled. Pure. */
export function scoreWords({ count, medianErrorRatio, insideRangeRatio }: Score): string | null {
  if (count === 0 || medianErrorRatio === null || insideRangeRatio === null) return null;
  const off = formatRatio(medianErrorRatio);
  const inside = Math.round(insideRangeRatio * count);
  if (count === 1)
    return `The last forecast was off by ${off}, ${inside === 1 ? 'within' : 'outside'} its range.`;
  return `Of the last ${formatCount(count)} forecasts half were within ${off}, ${formatCount(inside)} of ${formatCount(count)} within their range.`;
}
