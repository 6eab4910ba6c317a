import type { JobTypeState } from '../model/job-type.js';
import { freshnessOf } from '../model/sight.js';
import type { QueueState, RedisNode, Snapshot } from '../model/snapshot.js';

/** What can be seen. Charts, /metrics, alert rules and API fields derive from these entries. */
interface SignalBase {
  /** Prometheus-style base name without the `spillway_` prefix, e.g. `redis_used_bytes`. */
  readonly name: string;
  readonly help: string;
  readonly unit: 'bytes' | 'seconds' | 'jobs' | 'jobs/s' | 'bytes/s' | 'ratio' | 'count' | 'count/s' | 'bool';
  readonly kind: 'gauge' | 'counter';
}
export interface InstanceSignal extends SignalBase {
  readonly scope: 'instance';
  /** null: not known now (no sample is exposed). Signals of scope instance are read of blind Snapshots too. */
  readonly read: (snapshot: Snapshot, nowMs: number) => number | null;
}
export interface NodeSignal extends SignalBase {
  readonly scope: 'node';
  readonly read: (node: RedisNode, snapshot: Snapshot, nowMs: number) => number | null;
}
export interface QueueSignal extends SignalBase {
  readonly scope: 'queue';
  readonly read: (queue: QueueState, snapshot: Snapshot, nowMs: number) => number | null;
  /** What several queues come to when they are shown as one; `none` where that means nothing. */
  readonly fold: 'sum' | 'max' | 'none';
}
export interface JobTypeSignal extends SignalBase {
  readonly scope: 'job-type';
  readonly read: (type: JobTypeState, queue: QueueState, snapshot: Snapshot) => number | null;
}
export type Signal = InstanceSignal | NodeSignal | QueueSignal | JobTypeSignal;

/** A signal as its group lists it: a gauge of the group's scope, where it does not say that it is a counter. */
type Entry<S extends Signal> = Omit<S, 'scope' | 'kind'> & { readonly kind?: 'counter' };

export const instanceSignals = (entries: readonly Entry<InstanceSignal>[]): readonly InstanceSignal[] =>
  entries.map((entry) => ({ scope: 'instance', kind: 'gauge', ...entry }));
export const nodeSignals = (entries: readonly Entry<NodeSignal>[]): readonly NodeSignal[] =>
  entries.map((entry) => ({ scope: 'node', kind: 'gauge', ...entry }));
export const queueSignals = (entries: readonly Entry<QueueSignal>[]): readonly QueueSignal[] =>
  entries.map((entry) => ({ scope: 'queue', kind: 'gauge', ...entry }));
export const jobTypeSignals = (entries: readonly Entry<JobTypeSignal>[]): readonly JobTypeSignal[] =>
  entries.map((entry) => ({ scope: 'job-type', kind: 'gauge', ...entry }));

/** One metric with all its samples, of all instances: HELP and TYPE stand once. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly kind: 'gauge' | 'counter';
  readonly labelNames: readonly string[];
  readonly samples: readonly Sample[];
}

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  /** May be Infinity (a drain that never ends), never NaN. */
  readonly value: number;
}

/** Whom one series of a signal is about: history keeps it, rules judge it, charts draw it. */
export interface SignalSubject {
  readonly instance: string;
  /** Address of a Redis process; null: not about one. */
  readonly node: string | null;
  /** Queue id; null: not about one. */
  readonly queue: string | null;
  /** Name of a job type of `queue`; null: not about one. */
  readonly type: string | null;
}

/** One series: a signal of one subject. */
export interface SeriesRef extends SignalSubject {
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
  visit: (signal: Signal, subject: SignalSubject, value: number | null) => void,
  wants: (queue: QueueState) => boolean = () => true,
): void {
  const self: SignalSubject = { instance: snapshot.instance, node: null, queue: null, type: null };
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

type FaultListener = (signal: string, error: unknown) => void;
const listeners = new Set<FaultListener>();

/** Is called with signals that throw. Returns the unsubscribe. */
export function onSignalFault(listener: FaultListener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/**
 * A signal whose `read` never throws: odd data that it was not written for make its value unknown, wherever it is read,
 * and hide no other signal.
 */
export function contained(signal: Signal): Signal {
  const guarded = <Args extends readonly unknown[]>(read: (...args: Args) => number | null) => {
    return (...args: Args): number | null => {
      try {
        return read(...args);
      } catch (error) {
        for (const listener of listeners) listener(signal.name, error);
        return null;
      }
    };
  };
  switch (signal.scope) {
    case 'instance':
      return { ...signal, read: guarded(signal.read) };
    case 'node':
      return { ...signal, read: guarded(signal.read) };
    case 'queue':
      return { ...signal, read: guarded(signal.read) };
    case 'job-type':
      return { ...signal, read: guarded(signal.read) };
  }
}
