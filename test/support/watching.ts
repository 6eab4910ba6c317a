import { randomUUID } from 'node:crypto';
import { createWatch } from '../../server/create-watch.js';
import { FINDING_RULES } from '../../server/findings/index.js';
import type { FindingRule } from '../../server/model/finding.js';
import { DEFAULT_THRESHOLDS } from '../../server/model/finding.js';
import type { Endpoint, InstanceConfig } from '../../server/model/instance-config.js';
import type { QueueState, Snapshot } from '../../server/model/snapshot.js';
import type { TimelineEntry } from '../../server/model/timeline-entry.js';
import type { Watch } from '../../server/watch/watch.js';
import { until } from './until.js';

/** An instance as a configuration would have it; a string is a redis:// URL. */
export function anInstance(
  endpoint: Endpoint | string,
  change: Partial<InstanceConfig> = {},
): InstanceConfig {
  return {
    name: 'default',
    endpoint: typeof endpoint === 'string' ? { kind: 'single', url: endpoint } : endpoint,
    queues: [],
    pollIntervalMs: 250,
    cpuBudgetRatio: 0.5,
    agentSecret: null,
    tenantField: null,
    ...change,
  };
}

/** A real watcher of these instances; what it logs is kept in `lines`, what it enters in the timeline in `events`. */
export function watching(...instances: readonly InstanceConfig[]) {
  return watchingBy(FINDING_RULES, ...instances);
}

/** The same by these rules. */
export function watchingBy(
  rules: readonly FindingRule[],
  ...instances: readonly InstanceConfig[]
): {
  readonly watch: Watch;
  readonly lines: string[];
  readonly events: readonly Omit<TimelineEntry, 'id'>[];
} {
  const lines: string[] = [];
  const log = {
    info: (line: string) => void lines.push(line),
    warn: (line: string) => void lines.push(line),
  };
  const events: Omit<TimelineEntry, 'id'>[] = [];
  const watch = createWatch({
    instances,
    thresholds: DEFAULT_THRESHOLDS,
    rules,
    now: Date.now,
    log,
    random: Math.random,
    slowThresholdMs: () => null,
    newId: randomUUID,
    recordEvent: (event) => void events.push(event),
  });
  return { watch, lines, events };
}

/** What is in this process costs nothing to look at, and some tests hold it to seconds. */
const LOOK_EVERY_MS = 25;

/** Waits until the snapshot of an instance is as described. */
export async function untilSnapshot(
  watch: Watch,
  what: string,
  is: (snapshot: Snapshot) => boolean,
  { withinMs = 40_000, instance = 'default' }: { withinMs?: number; instance?: string } = {},
): Promise<Snapshot> {
  return until(
    what,
    () => {
      const snapshot = watch.snapshot(instance);
      if (snapshot && is(snapshot)) return snapshot;
      return null;
    },
    { withinMs, everyMs: LOOK_EVERY_MS },
  );
}

/** Waits until a queue is seen and is as described. */
export async function untilQueue(
  watch: Watch,
  id: string,
  is: (queue: QueueState) => boolean = () => true,
  withinMs = 40_000,
): Promise<QueueState> {
  return until(
    `queue ${id} as wanted`,
    () => watch.snapshot('default')?.queues.find((queue) => queue.id === id && is(queue)) ?? null,
    { withinMs, everyMs: LOOK_EVERY_MS },
  );
}
