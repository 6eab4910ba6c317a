import type { PauseRecord } from './snapshot.js';

/** Nobody's name is longer. */
const MAX_CHARS = 2_000;

/** The record that a pause leaves in the queue's meta hash; null where there is none or it can't be read. */
export function parsePauseRecord(text: string | null): PauseRecord | null {
  if (text === null || text.length > MAX_CHARS) return null;
  try {
    const record = JSON.parse(text) as Partial<PauseRecord> | null;
    if (typeof record !== 'object' || record === null) return null;
    return {
      formerConcurrency: typeof record.formerConcurrency === 'number' ? record.formerConcurrency : null,
      atMs: typeof record.atMs === 'number' ? record.atMs : 0,
      actor: typeof record.actor === 'string' ? record.actor : 'unknown',
    };
  } catch {
    // Not ours: someone else's field of that name must not stop the view of the queue.
    return null;
  }
}
