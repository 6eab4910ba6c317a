import { resolveNoisyNeighbour } from './noisy-neighbour-resolve.js';
import {
  flood,
  isRestored,
  isTrouble,
  measureNormal,
  NOISY_NEIGHBOUR_TRUTH,
  type NoisyStage,
  startShared,
  waitsInWords,
} from './noisy-neighbour-world.js';
import { inMegabytes, MB, maxmemoryOf, usedBytes } from './own-redis.js';
import type { Drill, DrillIncident } from './scenario.js';
import { waitFor } from './wait-for.js';

const RISEN_WITHIN_MS = 20_000;

/** incidents.md, 3: an endless resync takes the workers that others need too. */
export const noisyNeighbour: Drill = {
  name: 'noisy-neighbour',
  about: 'an endless resync of one customer takes event loops, Redis and a service that the probes need too',
  maxmemoryBytes: 64 * MB,
  tenantField: NOISY_NEIGHBOUR_TRUTH.tenantField,
  hasRoles: true,
  alerts: {
    expected: [
      {
        rule: 'noisy-neighbour',
        queue: NOISY_NEIGHBOUR_TRUTH.source,
        from: 'the resync begins',
        noticedWithinSeconds: 30,
        until: 'the cap',
        overWithinSeconds: 15,
      },
    ],
    allowed: [{ rule: 'redis-filling', because: 'jobs of 16 KB are added sooner than they run' }],
  },
  guide: [
    'After a quarter of a minute the probes of both queues wait much longer, though nothing about them has changed.',
    'Look at the findings: which queue is the source, and who is held up by it?',
    `Cap or pause ${NOISY_NEIGHBOUR_TRUTH.source} alone, on its row, and look at the probes.`,
  ],
  start: async (world, activity) => {
    await startShared(world);
    activity.note(
      'two processes work on three queues',
      `maxmemory ${inMegabytes(await maxmemoryOf(world.redis))}`,
    );
    return incidentOf({ world, activity, normalMs: new Map(), floodedAtMs: 0 });
  },
};

function incidentOf(stage: NoisyStage): DrillIncident {
  const { activity, world } = stage;
  return {
    async develop() {
      await measureNormal(stage);
      stage.floodedAtMs = await flood(stage);
      await activity.checkWithin(
        'the probes of both queues wait ten times as long, or longer',
        RISEN_WITHIN_MS,
        () => isTrouble(stage),
        async () =>
          `${((Date.now() - stage.floodedAtMs) / 1000).toFixed(1)} s after it began; ${waitsInWords(stage)}; ${inMegabytes(await usedBytes(world.redis))} used`,
      );
    },
    async follow() {
      for (;;) {
        await waitFor(() => isRestored(stage), Number.POSITIVE_INFINITY);
        activity.note('the probes wait as they always do again', waitsInWords(stage));
        await waitFor(() => isTrouble(stage), Number.POSITIVE_INFINITY);
        activity.note('the probes wait ten times as long again', waitsInWords(stage));
      }
    },
    resolve: (api, alerts) => resolveNoisyNeighbour(stage, api, alerts),
  };
}
