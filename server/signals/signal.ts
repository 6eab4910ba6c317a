import type { JobTypeState } from '../model/job-type.js';
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
  /** What several queues come to when they are told as one; `none` where that means nothing. */
  readonly fold: 'sum' | 'max' | 'none';
}
export interface JobTypeSignal extends SignalBase {
  readonly scope: 'job-type';
  readonly read: (type: JobTypeState, queue: QueueState, snapshot: Snapshot) => number | null;
}
export type Signal = InstanceSignal | NodeSignal | QueueSignal | JobTypeSignal;

/** One metric with all its samples, of all instances: HELP and TYPE are told once. */
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
