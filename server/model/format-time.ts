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
