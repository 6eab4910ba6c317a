import { problemsByQueue, troubleOf } from '../findings/trouble.js';
import type { Score } from '../forecast/score.js';
import type { CurrentFinding } from '../model/finding.js';
import { compareTypes, type TypeOfQueue, typesOfQueue } from '../model/job-type-order.js';
import { freshnessOf } from '../model/sight.js';
import type { QueueState, Snapshot } from '../model/snapshot.js';
import { firstOf } from '../model/words.js';
import { scoreFamilies } from '../signals/console-signals.js';
import { SIGNALS } from '../signals/index.js';
import type { MetricFamily, QueueSignal, Sample, Signal } from '../signals/signal.js';

export interface MetricsOptions {
  readonly nowMs: number;
  /** Queues an instance may have in labels of their own; the rest comes under queue="other". */
  readonly maxQueues: number;
  /** Job types an instance may have series of, those with most work; the others have none. Default: 100. */
  readonly maxJobTypes?: number;
  /** Counted by code and severity where given. */
  readonly findings?: readonly CurrentFinding[];
  /** How good forecasts have been, by instance, where given. */
  readonly scores?: ReadonlyMap<string, Score>;
}

/** Label of the queues that are counted as one. No queue is called so: an id holds a colon. */
const OTHER_QUEUES = 'other';
const PREFIX = 'spillway_';

/**
 * The signals of all instances as Prometheus metrics, one after the other: with ten thousand queues each takes its time.
 * Pure. The label of an instance is `redis`, because Prometheus
 * gives `instance` itself. What a blind console last saw is not exposed: a gap is the truth, `spillway_redis_up` is 0.
 */
export function* collectMetrics(
  snapshots: readonly Snapshot[],
  options: MetricsOptions,
): Generator<MetricFamily, void> {
  const views = snapshots.map((snapshot) => viewOf(snapshot, options));
  for (const signal of SIGNALS)
    yield {
      name: PREFIX + signal.name,
      help: signal.help,
      kind: signal.kind,
      labelNames: LABELS[signal.scope],
      samples: views.flatMap((view) => samplesOf(signal, view, options.nowMs)),
    };
  yield foldedFamily(views);
  yield unnamedFamily(views);
  if (options.findings) yield findingsFamily(options.findings);
  yield* scoreFamilies(options.scores ?? new Map());
}

const LABELS = {
  instance: ['redis'],
  node: ['redis', 'node'],
  queue: ['redis', 'queue'],
  'job-type': ['redis', 'queue', 'type'],
} as const;
/** Each is nine series. */
const MAX_JOB_TYPES = 100;

interface View {
  readonly snapshot: Snapshot;
  readonly isLive: boolean;
  readonly named: readonly QueueState[];
  readonly folded: readonly QueueState[];
  readonly types: readonly TypeOfQueue[];
  readonly unnamedTypes: number;
}

function viewOf(snapshot: Snapshot, options: MetricsOptions): View {
  const { isLive } = freshnessOf(snapshot, options.nowMs);
  const ranked = isLive ? byTrouble(snapshot, options) : [];
  const most = Math.max(0, Math.floor(options.maxQueues));
  const types = isLive ? snapshot.queues.flatMap(typesOfQueue) : [];
  const mostTypes = Math.max(0, Math.floor(options.maxJobTypes ?? MAX_JOB_TYPES));
  return {
    snapshot,
    isLive,
    named: ranked.slice(0, most),
    folded: ranked.slice(most),
    types: firstOf(types, mostTypes, compareTypes('work')),
    unnamedTypes: Math.max(0, types.length - mostTypes),
  };
}

/** Most trouble first, then the most memory; equal ones by id, so that labels stay put. */
function byTrouble(snapshot: Snapshot, options: MetricsOptions): readonly QueueState[] {
  if (snapshot.queues.length <= options.maxQueues) return snapshot.queues;
  const problemOf = problemsByQueue(options.findings ?? []);
  const keyed = snapshot.queues.map((queue) => ({
    queue,
    trouble: troubleOf(queue, problemOf(snapshot.instance, queue.id)),
  }));
  keyed.sort(
    (a, b) =>
      b.trouble - a.trouble ||
      (b.queue.memory?.totalBytes ?? 0) - (a.queue.memory?.totalBytes ?? 0) ||
      (a.queue.id < b.queue.id ? -1 : 1),
  );
  return keyed.map(({ queue }) => queue);
}

function samplesOf(signal: Signal, view: View, nowMs: number): readonly Sample[] {
  const { snapshot, isLive } = view;
  const redis = snapshot.instance;
  if (signal.scope === 'instance') return sample({ redis }, signal.read(snapshot, nowMs));
  if (!isLive) return [];
  if (signal.scope === 'node') {
    return snapshot.nodes.flatMap((node) =>
      sample({ redis, node: node.address }, signal.read(node, snapshot, nowMs)),
    );
  }
  if (signal.scope === 'job-type') {
    return view.types.flatMap(({ queue, type }) =>
      sample({ redis, queue: queue.id, type: type.name }, signal.read(type, queue, snapshot)),
    );
  }
  const single = view.named.flatMap((queue) =>
    sample({ redis, queue: queue.id }, signal.read(queue, snapshot, nowMs)),
  );
  return [...single, ...sample({ redis, queue: OTHER_QUEUES }, foldQueues(signal, view, nowMs))];
}

function sample(labels: Sample['labels'], value: number | null): readonly Sample[] {
  return value === null || Number.isNaN(value) ? [] : [{ labels, value }];
}

/** null where nothing is folded, no queue knows the value, or a sum means nothing. */
function foldQueues(signal: QueueSignal, { folded, snapshot }: View, nowMs: number): number | null {
  if (signal.fold === 'none') return null;
  let result: number | null = null;
  for (const queue of folded) {
    const value = signal.read(queue, snapshot, nowMs);
    if (value === null || Number.isNaN(value)) continue;
    if (result === null) result = value;
    else result = signal.fold === 'sum' ? result + value : Math.max(result, value);
  }
  return result;
}

function foldedFamily(views: readonly View[]): MetricFamily {
  return {
    name: `${PREFIX}queues_folded`,
    help: `Queues without labels of their own: they are summed under queue="${OTHER_QUEUES}".`,
    kind: 'gauge',
    labelNames: LABELS.instance,
    samples: views
      .filter((view) => view.isLive)
      .map((view) => ({ labels: { redis: view.snapshot.instance }, value: view.folded.length })),
  };
}

function unnamedFamily(views: readonly View[]): MetricFamily {
  return {
    name: `${PREFIX}job_types_untold`,
    help: 'Job types without series of their own: those with least work.',
    kind: 'gauge',
    labelNames: LABELS.instance,
    samples: views
      .filter((view) => view.isLive)
      .map((view) => ({ labels: { redis: view.snapshot.instance }, value: view.unnamedTypes })),
  };
}

function findingsFamily(findings: readonly CurrentFinding[]): MetricFamily {
  const counts = new Map<string, { labels: Sample['labels']; value: number }>();
  for (const { instance, code, severity } of findings) {
    const key = JSON.stringify([instance, code, severity]);
    const entry = counts.get(key) ?? { labels: { redis: instance, code, severity }, value: 0 };
    entry.value += 1;
    counts.set(key, entry);
  }
  return {
    name: `${PREFIX}findings`,
    help: 'Findings at present by code and severity; one that stands for many queues counts once.',
    kind: 'gauge',
    labelNames: ['redis', 'code', 'severity'],
    samples: [...counts.values()],
  };
}
