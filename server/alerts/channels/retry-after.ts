/** Nobody is left alone for longer than this, whatever they ask for. */
const MAX_MS = 3_600_000;

/**
 * How long a Retry-After header (RFC 9110, 10.2.3: seconds or an HTTP date) asks to wait, ms, at most an hour; null where
 * there is none that can be read.
 */
export function retryAfterMs(header: string | undefined, nowMs: number): number | null {
  if (header === undefined) return null;
  const text = header.trim();
  if (/^\d{1,9}$/.test(text)) return Math.min(MAX_MS, Number(text) * 1000);
  // Date.parse would also take a bare year for a date.
  const atMs = /[a-z]{3}/i.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isFinite(atMs) ? Math.min(MAX_MS, Math.max(0, atMs - nowMs)) : null;
}
