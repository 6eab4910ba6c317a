import { freshnessOf } from '../model/sight.js';
import type { QueueState, Snapshot } from '../model/snapshot.js';
import type { Signal } from './signal.js';

/** Whom one series of a signal is about: history keeps it, rules judge it, charts draw it. */
export interface Subject {
  readonly instance: string;
  /** Address of a Redis process; null: not about one. */
  readonly node: string | null;
  /** Queue id; null: not about one. */
  readonly queue: string | null;
  /** Name of a job type of `queue`; null: not about one. */
  readonly type: string | null;
}

/** One series: a signal of one subject. */
export interface SeriesRef extends Subject {
  /** Name in the registry of signals, e.g. `redis_used_ratio`. */
  readonly signal: string;
}

/**
 * Calls `visit` with each value that signals have in a Snapshot, subject by subject: all values of one come one after
 * another, with the same object; null: not known now. Of an instance that the console can't see only the signals of
 * scope instance are read: what it last saw is not a reading.
 * @param wants which queues are read, with their job types; all where left out.
 */
export function eachReading(
  signals: readonly Signal[],
  snapshot: Snapshot,
  nowMs: number,
  visit: (signal: Signal, subject: Subject, value: number | null) => void,
  wants: (queue: QueueState) => boolean = () => true,
): void {
  const self: Subject = { instance: snapshot.instance, node: null, queue: null, type: null };
  for (const signal of signals)
    if (signal.scope === 'instance') visit(signal, self, signal.read(snapshot, nowMs));
  if (!freshnessOf(snapshot, nowMs).isLive) return;
  const ofNode = signals.filter((signal) => signal.scope === 'node');
  for (const node of snapshot.nodes) {
    const subject = { ...self, node: node.address };
    for (const signal of ofNode) visit(signal, subject, signal.read(node, snapshot, nowMs));
  }
  const ofQueue = signals.filter((signal) => signal.scope === 'queue');
  const ofType = signals.filter((signal) => signal.scope === 'job-type');
  for (const queue of snapshot.queues) {
    if (!wants(queue)) continue;
    const subject = { ...self, queue: queue.id };
    for (const signal of ofQueue) visit(signal, subject, signal.read(queue, snapshot, nowMs));
    for (const type of queue.types) {
      const typed = { ...subject, type: type.name };
      for (const signal of ofType) visit(signal, typed, signal.read(type, queue, snapshot));
    }
  }
}
