/** What a processor's rejection means: BullMQ's own ways to put a job back are no failures. */
const PUT_BACK = new Set(['DelayedError', 'WaitingError', 'WaitingChildrenError', 'RateLimitError']);

export function isPutBack(error: unknown): boolean {
  return error instanceof Error && (PUT_BACK.has(error.name) || error.message === 'bullmq:rateLimitExceeded');
}

export type ErrorKind = 'oom' | 'connection' | 'lock' | 'other';

/** What kind of `error` event it was, by the words of Redis, ioredis and BullMQ. */
export function errorKindOf(error: unknown): ErrorKind {
  const text = error instanceof Error ? `${error.name} ${error.message}` : String(error);
  if (/\bOOM\b/.test(text)) return 'oom';
  if (/\block\b/i.test(text)) return 'lock';
  if (/ECONN|ETIMEDOUT|EPIPE|ENOTFOUND|Connection is closed|READONLY|LOADING|CLUSTERDOWN/.test(text))
    return 'connection';
  return 'other';
}
