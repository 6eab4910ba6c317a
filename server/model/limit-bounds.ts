/** Larger than these is a slip of the finger; what is proposed stays below them too. */
export const MAX_CONCURRENCY = 1_000_000;
/** Jobs in a window of a rate limit. */
export const MAX_RATE = 10_000_000;
/** A day. */
export const LONGEST_WINDOW_MS = 86_400_000;
