import { sightOf } from '../model/sight.js';
import type { Snapshot } from '../watch/snapshot.js';
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
 * Calls `visit` with each value that signals have in a Snapshot, in the order of the signals; null: not known now. Of an
 * instance that the console can't see only the signals of scope instance are read: what it last saw is not a reading.
 */
export function eachReading(
  signals: readonly Signal[],
  snapshot: Snapshot,
  nowMs: number,
  visit: (signal: Signal, subject: Subject, value: number | null) => void,
): void {
  const { instance } = snapshot;
  const isSeen = sightOf(snapshot, nowMs).isLive;
  for (const signal of signals) {
    if (signal.scope === 'instance')
      visit(signal, { instance, node: null, queue: null, type: null }, signal.read(snapshot, nowMs));
    else if (!isSeen) continue;
    else if (signal.scope === 'node')
      for (const node of snapshot.nodes)
        visit(
          signal,
          { instance, node: node.address, queue: null, type: null },
          signal.read(node, snapshot, nowMs),
        );
    else if (signal.scope === 'queue')
      for (const queue of snapshot.queues)
        visit(
          signal,
          { instance, node: null, queue: queue.id, type: null },
          signal.read(queue, snapshot, nowMs),
        );
    else
      for (const queue of snapshot.queues)
        for (const type of queue.types)
          visit(
            signal,
            { instance, node: null, queue: queue.id, type: type.name },
            signal.read(type, queue, snapshot),
          );
  }
}
