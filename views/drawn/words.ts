import { formatUtcTime } from '../../server/model/format.js';
import { isTime } from './geometry.js';

/** The words that the small drawings share. Pure. */

/** "03:04"; empty: there is no such time. */
export function clockTime(atMs: number): string {
  return isTime(atMs) ? formatUtcTime(atMs).replace(' UTC', '') : '';
}

/** "03:12 to 03:15"; one time where both are of one minute. */
export function clockRange(fromMs: number, toMs: number): string {
  const [from, to] = [clockTime(fromMs), clockTime(toMs)];
  return from === to ? from : `${from} to ${to}`;
}

const MAX_LISTED = 5;

/** "a, b and 3 more" */
export function listed(words: readonly string[], most = MAX_LISTED): string {
  if (words.length <= most) return words.join(', ');
  return `${words.slice(0, most).join(', ')} and ${words.length - most} more`;
}

/** A text alternative: what is known, as one sentence. */
export function described(title: string, facts: readonly (string | false | null)[]): string {
  const known = facts.filter((fact) => fact !== false && fact !== null && fact !== '');
  return known.length === 0 ? `${title}.` : `${title}: ${known.join('; ')}.`;
}
