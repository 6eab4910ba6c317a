import { once } from 'node:events';
import type { Redis } from 'ioredis';

/** After a connection was cut it is back within this, else what is asked next fails. */
const BACK_WITHIN_MS = 1_000;

/**
 * Runs `ask` and cuts its connection as soon as more than `maxBytes` have come: how long a job's id or a client's name is
 * Redis does not tell before it sends them, ioredis keeps an answer until it is whole, and anybody may write names of
 * megabytes. The connection is open again at the end, where Redis takes it.
 * @returns null: more came, and nothing was taken.
 */
export async function withinBytes<T>(
  client: Redis,
  maxBytes: number,
  ask: () => Promise<T>,
): Promise<T | null> {
  const { stream } = client;
  let bytes = 0;
  let cut = (_: null): void => undefined;
  // A pipeline whose connection is gone may never end.
  const isCut = new Promise<null>((resolve) => {
    cut = resolve;
  });
  const count = (chunk: Buffer): void => {
    bytes += chunk.length;
    if (bytes <= maxBytes || stream.destroyed) return;
    stream.destroy();
    cut(null);
  };
  stream?.on('data', count);
  let answer: T | null;
  try {
    answer = await Promise.race([ask(), isCut]);
  } finally {
    stream?.off('data', count);
  }
  if (bytes <= maxBytes) return answer;
  await once(client, 'ready', { signal: AbortSignal.timeout(BACK_WITHIN_MS) }).catch(() => undefined);
  return null;
}
