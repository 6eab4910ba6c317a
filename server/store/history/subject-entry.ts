import type { Subject } from '../../signals/reading.js';
import type { Signal } from '../../signals/signal.js';

/** Ticks of one subject that are not written yet. */
export interface Window {
  /** Second of the first column; -1: nothing is held. */
  startSecond: number;
  /** From this second on it is closed. */
  endSecond: number;
  /** For each signal of the subject's scope WINDOW_SECONDS values; NaN: not known. */
  readonly values: Float32Array;
}

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
  window: Window | null;
}

export function scopeOf({ node, queue, type }: Subject): Signal['scope'] {
  if (type !== null) return 'job-type';
  if (queue !== null) return 'queue';
  return node === null ? 'instance' : 'node';
}
