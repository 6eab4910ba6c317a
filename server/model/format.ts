import type { Bytes } from './memory.js';

/** Moments in UTC as people read them. Pure. */

/** "2026-01-31 03:04 UTC". */
export function formatUtc(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** "03:04 UTC". */
export function formatUtcTime(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(11, 16)} UTC`;
}

/** "2026-01-31 03:04:05". */
export function formatUtcSeconds(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 19).replace('T', ' ');
}

/** How numbers read, in sentences and on the page alike. Pure; never prints NaN, Infinity or undefined. */

const GROUPED = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const UNKNOWN = 'unknown';

/** 1234.4 → "1,234". */
export function formatCount(value: number): string {
  return Number.isFinite(value) ? grouped(value) : UNKNOWN;
}

/** Thousands of these are made a tick: below a million the Intl formatter, ten times as slow, has nothing to add. */
function grouped(value: number): string {
  const whole = Math.round(value);
  if (!(whole >= 0 && whole < 1_000_000)) return GROUPED.format(value);
  if (whole < 1000) return String(whole);
  return `${Math.floor(whole / 1000)},${String(whole % 1000).padStart(3, '0')}`;
}

/** 1 → "1 job", 1234 → "1,234 jobs". @param plural of a noun that does not take an s. */
export function formatThings(value: number, noun: string, plural = `${noun}s`): string {
  return `${formatCount(value)} ${Math.round(value) === 1 ? noun : plural}`;
}

/** 1 → "1 job", 1234 → "1,234 jobs". */
export function formatJobs(value: number): string {
  return formatThings(value, 'job');
}

const BYTE_UNITS = ['bytes', 'KB', 'MB', 'GB', 'TB', 'PB'] as const;

/**
 * 98566144 → "94 MB". Steps of 1024 under the names that redis.conf uses (`maxmemory 100mb` is 104,857,600 bytes and
 * reads "100 MB" here), so that what is shown is what was configured. One decimal below 10.
 */
export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes)) return UNKNOWN;
  const sign = bytes < 0 ? '-' : '';
  let value = Math.abs(bytes);
  let unit = 0;
  // From 999.5 on the next unit is taken, so that nothing reads "1,000 MB" or "1,023.9 KB".
  while (value >= 999.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit > 0 && value < 9.95 ? value.toFixed(1) : grouped(value);
  return `${digits === '0' || digits === '0.0' ? '' : sign}${digits} ${BYTE_UNITS[unit]}`;
}

/** "94 MB ± 3.1 MB"; what was counted exactly, or as well as that, has no ±. */
export function formatEstimate({ bytes, errorBytes }: Bytes): string {
  const value = formatBytes(bytes);
  return errorBytes >= Math.abs(bytes) / 1000 && errorBytes >= 1
    ? `${value} ± ${formatBytes(errorBytes)}`
    : value;
}

/** 2097152 → "2.0 MB/s". */
export function formatBytesPerSecond(bytesPerSecond: number): string {
  return Number.isFinite(bytesPerSecond) ? `${formatBytes(bytesPerSecond)}/s` : UNKNOWN;
}

/** 12.345 → "12.3/s", 0.0412 → "0.04/s", 1234.5 → "1,235/s", 0 → "0/s". */
export function formatRate(perSecond: number): string {
  return Number.isFinite(perSecond) ? `${decimals(perSecond)}/s` : UNKNOWN;
}

/** A number to read at a glance: three digits that matter, no more than two decimals. */
export function formatNumber(value: number): string {
  return Number.isFinite(value) ? decimals(value) : UNKNOWN;
}

function decimals(value: number): string {
  const size = Math.abs(value);
  if (size >= 99.95 || size < 0.005) return size < 0.005 && size > 0 ? 'under 0.01' : grouped(value);
  const rounded = Number(value.toFixed(size >= 0.995 ? 1 : 2));
  return String(rounded);
}

/** 0.834 → "83%", 0.0042 → "0.4%", 1.1 → "110%". */
export function formatRatio(ratio: number): string {
  const percent = ratio * 100;
  if (!Number.isFinite(percent)) return UNKNOWN;
  return `${Math.abs(percent) >= 9.95 ? grouped(percent) : Number(percent.toFixed(1))}%`;
}

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

/**
 * Seconds as a person says them, two units at most: "0.4 s", "45 s", "3 min 10 s", "2 h 5 min", "3 d 4 h".
 * Infinity reads "never" (a drain that does not end).
 */
export function formatDuration(seconds: number): string {
  if (Number.isNaN(seconds) || seconds === Number.NEGATIVE_INFINITY) return UNKNOWN;
  if (seconds === Number.POSITIVE_INFINITY) return 'never';
  const positive = Math.max(0, seconds);
  if (positive === 0) return '0 s';
  if (positive < 0.05) return 'under 0.1 s';
  if (positive < 0.95) return `${positive.toFixed(1)} s`;
  const whole = Math.round(positive);
  if (whole < MINUTE) return `${whole} s`;
  if (whole < HOUR) return two(Math.floor(whole / MINUTE), 'min', whole % MINUTE, 's');
  const minutes = Math.round(positive / MINUTE);
  if (minutes < DAY / MINUTE) return two(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
  const hours = Math.round(positive / HOUR);
  return two(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

/**
 * Seconds of an age as it is shown where it is looked at: by `firstStep` at first, then in ever larger steps. Every change
 * is sent to every viewer.
 */
export function coarseSeconds(seconds: number, firstStep = 1): number {
  if (!Number.isFinite(seconds)) return seconds;
  const step = seconds < 60 ? firstStep : seconds < 600 ? 10 : seconds < 3600 ? 60 : 600;
  return Math.floor(Math.max(0, seconds) / step) * step;
}

/** Seconds of a row, and of what is said beside it: fifty rows change together, by the second they would be most of what is sent. */
export function rowSeconds(seconds: number): number {
  return coarseSeconds(seconds, 5);
}

function two(large: number, largeUnit: string, small: number, smallUnit: string): string {
  const head = `${grouped(large)} ${largeUnit}`;
  return small === 0 ? head : `${head} ${small} ${smallUnit}`;
}

/** A rate limit as it is set: "10 per second", "2 per 4 s". */
export function formatRateLimit(max: number, durationMs: number): string {
  return durationMs === 1000
    ? `${formatCount(max)} per second`
    : `${formatCount(max)} per ${formatDuration(durationMs / 1000)}`;
}

/** Units of evidence and signals. */
export type FormatUnit =
  | 'bytes'
  | 'bytes/s'
  | 'seconds'
  | 'jobs'
  | 'jobs/s'
  | 'ratio'
  | 'count'
  | 'count/s'
  | 'bool';

/** How numbers of each unit are written; of others, and of none, as plain numbers. */
export type ValueFormats = Readonly<Partial<Record<FormatUnit, (value: number) => string>>>;

export const VALUE_FORMATS: ValueFormats = {
  bytes: formatBytes,
  'bytes/s': formatBytesPerSecond,
  seconds: formatDuration,
  jobs: formatJobs,
  'jobs/s': formatRate,
  'count/s': formatRate,
  ratio: formatRatio,
  bool: (value) => (value === 0 ? 'no' : 'yes'),
};

/** Any value with its unit, for tables of evidence. Text stays as it is. */
export function formatValue(
  value: number | string,
  unit?: FormatUnit,
  { formats = VALUE_FORMATS, otherwise = formatNumber } = {},
): string {
  if (typeof value === 'string') return value;
  return ((unit === undefined ? null : formats[unit]) ?? otherwise)(value);
}

/**
 * A run time as people compare it: 0.4 → "under 1 ms", 23.4 → "23 ms", 1234 → "1.2 s", 10,100 → "10.1 s",
 * 95,000 → "1 min 35 s". Pure; never prints NaN.
 */
export function formatRunTime(ms: number): string {
  if (!Number.isFinite(ms)) return formatDuration(ms);
  if (ms <= 0) return '0 ms';
  if (ms < 1) return 'under 1 ms';
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${Number((ms / 1000).toFixed(1))} s`;
  return formatDuration(ms / 1000);
}

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
