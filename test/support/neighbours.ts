import type { JobTypeState } from '../../server/model/job-type.js';
import type { QueueState, Snapshot } from '../../server/model/snapshot.js';
import type { WorkerState } from '../../server/model/worker.js';
import { aWorker } from './fleet.js';
import { aJobType } from './job-types.js';
import { aQueue, aSnapshot, NOW_MS, type QueueOver, someRates } from './snapshot.js';

export interface NeighboursOver {
  readonly source?: QueueOver;
  readonly victim?: QueueOver;
  /** Of the victim. */
  readonly type?: Partial<JobTypeState>;
  readonly sourceRunning?: number;
  readonly victimRunning?: number;
  readonly loopDelayP99Ms?: number;
  /** Each worker in a process of its own. */
  readonly areApart?: boolean;
}

/**
 * Two processes in which the resync keeps all of its 12 slots busy, with 800 more behind it, while probes wait 2 s instead
 * of 3 ms: their event loops are late by 180 ms.
 */
export function neighbours(over: NeighboursOver = {}): Snapshot {
  const { sourceRunning = 12, victimRunning = 1, loopDelayP99Ms = 180, areApart = false } = over;
  const source = aQueue({
    name: 'resync',
    counts: { waiting: 800, active: 24 },
    lastDepartureAtMs: NOW_MS,
    drainSeconds: Number.POSITIVE_INFINITY,
    rates: someRates({ arrivalsPerSecond: 110, departuresPerSecond: 100, growthPerSecond: 10 }),
    types: [aJobType({ name: 'resync' })],
    ...over.source,
  });
  const probes: QueueState[] = ['probes-a', 'probes-b'].map((name) =>
    aQueue({
      name,
      counts: { waiting: 4, active: 2 },
      lastDepartureAtMs: NOW_MS,
      types: [
        aJobType({
          name: 'probe',
          waitTrend: [3, 3, 4, 3, 2_000],
          runTrend: [6, 6, 7, 6, 190],
          ...over.type,
        }),
      ],
      ...over.victim,
    }),
  );
  const workers: WorkerState[] = ['layer-1', 'layer-2'].flatMap((process) =>
    [source, ...probes].map((queue) =>
      aWorker({
        id: `${process}-${queue.id}`,
        queueId: queue.id,
        label: `${process}-${queue.name}`,
        agent: {
          agentId: areApart ? `${process}-${queue.id}` : process,
          concurrency: queue === source ? { deployed: 12, now: 12 } : { deployed: 2, now: 2 },
          running: queue === source ? sourceRunning : victimRunning,
          loopDelayP99Ms,
        },
      }),
    ),
  );
  return aSnapshot({ queues: [source, ...probes], workers });
}
