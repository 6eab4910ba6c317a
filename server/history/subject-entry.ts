import type { QueueState } from '../model/snapshot.js';
import type { Subject } from '../signals/reading.js';
import type { Signal } from '../signals/signal.js';
import type { TickWindow } from './tick-window.js';

/** What is kept of one subject while the console runs. */
export interface SubjectEntry {
  readonly id: number;
  readonly subject: Subject;
  readonly scope: Signal['scope'];
  /** It has its row in the store. */
  isSaved: boolean;
  /** Up to when its ticks are folded into each tier; of the ticks themselves 0. */
  readonly untilMs: [number, number, number];
  /** Of its last tick. */
  lastSecond: number;
  /** Ticks that are not written yet. */
  window: TickWindow | null;
  /** Of a queue: as it was when its values were last taken. */
  seen: QueueState | null;
}

export function scopeOf({ node, queue, type }: Subject): Signal['scope'] {
  if (type !== null) return 'job-type';
  if (queue !== null) return 'queue';
  return node === null ? 'instance' : 'node';
}
