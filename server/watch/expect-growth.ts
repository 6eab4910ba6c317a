/** What a Redis is expected to grow by, with what it takes to know that after the next read. */
export interface ExpectedGrowth {
  /** null: not known. */
  readonly bytesPerSecond: number | null;
  /** When it last refused writes; null: it has not. */
  readonly fullAtMs: number | null;
}

/** So long after a Redis was full its trend is still the flat one of before, or that of what was just freed. */
const UNCLEAR_MS = 20_000;

/**
 * Growth to reckon with once Redis takes writes. One that is full does not grow, as it refuses what would make it grow: then
 * what it grew by before is kept, at most what was seen since, until the trend is one of writes that are taken again.
 * @param before null: it was not read before.
 * @param growth by the trend of now, bytes/s; null: no trend is known yet.
 */
export function expectGrowth(
  before: ExpectedGrowth | null,
  {
    isFull,
    growth,
    atMs,
  }: { readonly isFull: boolean; readonly growth: number | null; readonly atMs: number },
): ExpectedGrowth {
  const fullAtMs = isFull ? atMs : (before?.fullAtMs ?? null);
  const seen = growth === null ? null : Math.max(0, growth);
  const known = before?.bytesPerSecond ?? null;
  const isUnclear = fullAtMs !== null && atMs - fullAtMs < UNCLEAR_MS;
  if (!isUnclear) return { bytesPerSecond: seen ?? known, fullAtMs };
  // That a Redis which was always full does not grow says nothing.
  if (known === null) return { bytesPerSecond: seen !== null && seen > 0 ? seen : null, fullAtMs };
  return { bytesPerSecond: Math.max(known, seen ?? 0), fullAtMs };
}
