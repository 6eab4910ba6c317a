import { anInstance, watching } from '../test/support/watching.js';

/** The console's watch of one Redis in a process of its own, by IPC. Started by fork with the URL of Redis. */
export interface WatchSays {
  /** Since the watch was started. */
  readonly atMs: number;
  readonly queuesToSample: number | null;
  /** Id and bytes of each queue that was sampled. */
  readonly queues: readonly (readonly [string, number])[];
  /** What the console takes its own cost for, 0..1 of a core. */
  readonly ownCpuRatio: number;
}

const startedAtMs = Date.now();
const settings = { pollIntervalMs: 1_000, cpuBudgetRatio: 0.01 };
const { watch } = watching(anInstance(process.argv[2] ?? '', settings));
watch.onTick(() => {
  const snapshot = watch.snapshot('default');
  if (!snapshot) return;
  process.send?.({
    atMs: Date.now() - startedAtMs,
    queuesToSample: snapshot.nodes[0]?.memory?.queuesToSample ?? null,
    queues: snapshot.queues.flatMap(({ id, memory }) => (memory ? [[id, memory.totalBytes] as const] : [])),
    ownCpuRatio: snapshot.poll.ownCpuRatio,
  } satisfies WatchSays);
});
process.on('disconnect', () => process.exit(0));
