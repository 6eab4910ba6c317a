import { randomUUID } from 'node:crypto';
import { createWatch } from '../server/create-watch.js';
import { DEFAULT_THRESHOLDS } from '../server/findings/thresholds.js';

/** The console's watch of one Redis in a process of its own, by IPC. Started by fork with the URL of Redis. */
export interface WatchSays {
  /** Since the watch was started. */
  readonly atMs: number;
  readonly queuesToSample: number | null;
  /** Id, bytes and ± of each queue that was sampled. */
  readonly queues: readonly (readonly [string, number, number])[];
  /** What the console takes its own cost for, 0..1 of a core. */
  readonly ownCpuRatio: number;
  readonly intervalMs: number;
  /** Since the process began. */
  readonly cpuMs: number;
}

const BUDGET_RATIO = 0.01;
const INTERVAL_MS = 1_000;

const startedAtMs = Date.now();
const watch = createWatch({
  instances: [
    {
      name: 'default',
      endpoint: { kind: 'single', url: process.argv[2] ?? '' },
      queues: [],
      pollIntervalMs: INTERVAL_MS,
      cpuBudgetRatio: BUDGET_RATIO,
      agentSecret: null,
      tenantField: null,
    },
  ],
  thresholds: DEFAULT_THRESHOLDS,
  now: Date.now,
  log: { info: () => undefined, warn: (line) => console.error(line) },
  random: Math.random,
  slowThresholdMs: () => null,
  newId: randomUUID,
  tell: () => undefined,
});
watch.onTick(() => {
  const snapshot = watch.snapshot('default');
  if (!snapshot) return;
  const { user, system } = process.cpuUsage();
  process.send?.({
    atMs: Date.now() - startedAtMs,
    queuesToSample: snapshot.nodes[0]?.memory?.queuesToSample ?? null,
    queues: snapshot.queues.flatMap(({ id, memory }) =>
      memory ? [[id, memory.totalBytes, memory.errorBytes] as const] : [],
    ),
    ownCpuRatio: snapshot.poll.ownCpuRatio,
    intervalMs: snapshot.poll.intervalMs,
    cpuMs: (user + system) / 1000,
  } satisfies WatchSays);
});
process.on('disconnect', () => process.exit(0));
