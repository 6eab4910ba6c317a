import { formatDuration } from './format.js';

/** Where the latest is more than this many times the earliest, one number between them says nothing. */
const MAX_TIMES = 10;
/** All ends of a range below this are "at once" to a person, whatever they are to each other. */
const AT_ONCE_SECONDS = 10;

/**
 * Is a forecast in seconds not known, for all that there is a number? The one rule for memory, drain times and plans.
 * @param range earliest and latest, 8 in 10 cases; null as the latest: never.
 */
export function isTooWide([earliest, latest]: readonly [number, number | null]): boolean {
  if (latest === null) return true;
  return latest > AT_ONCE_SECONDS && latest > MAX_TIMES * Math.max(earliest, 1);
}

/** "anything from 48 s to 2 h 54 min" */
export function tooWideInWords([earliest, latest]: readonly [number, number | null]): string {
  const until = latest === null ? 'never' : formatDuration(latest);
  return `anything from ${formatDuration(Math.max(0, earliest))} to ${until}`;
}
