import { inMegabytes, MB } from './full-redis-players.js';
import { resolveNoisyNeighbour } from './noisy-neighbour-resolve.js';
import {
  flood,
  measureNormal,
  type NoisyStage,
  startShared,
  TRUTH,
  untilRestored,
  untilTrouble,
  waitsInWords,
} from './noisy-neighbour-world.js';
import type { Drill, Incident } from './scenario.js';
import { waitFor } from './wait-for.js';

/** incidents.md, 3: an endless resync takes the workers that others need too. */
export const noisyNeighbour: Drill = {
  name: 'noisy-neighbour',
  about: 'an endless resync of one customer takes event loops, Redis and a service that the probes need too',
  maxmemoryBytes: 64 * MB,
  tenantField: TRUTH.tenantField,
  hasRoles: true,
  alerts: {
    expected: [
      {
        rule: 'noisy-neighbour',
        queue: TRUTH.source,
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
    `Cap or pause ${TRUTH.source} alone, on its row, and look at the probes.`,
  ],
  start: async (world, account) => {
    await startShared(world);
    account.note('two processes work on three queues', `maxmemory ${await inMegabytes(world, 'maxmemory')}`);
    return incidentOf({ world, account, normalMs: new Map(), floodedAtMs: 0 });
  },
};

function incidentOf(stage: NoisyStage): Incident {
  const { account, world } = stage;
  return {
    async develop() {
      await measureNormal(stage);
      stage.floodedAtMs = await flood(stage);
      const isTrouble = await untilTrouble(stage);
      account.check(
        'the probes of both queues wait ten times as long, or longer',
        isTrouble,
        `${((Date.now() - stage.floodedAtMs) / 1000).toFixed(1)} s after it began; ${waitsInWords(stage)}; ${await inMegabytes(world, 'used_memory')} used`,
      );
    },
    async follow() {
      for (;;) {
        await untilRestored(stage, Number.POSITIVE_INFINITY);
        account.note('the probes wait as they always do again', waitsInWords(stage));
        await waitFor(() => untilTrouble(stage), Number.POSITIVE_INFINITY);
        account.note('the probes wait ten times as long again', waitsInWords(stage));
      }
    },
    resolve: (api, alerts) => resolveNoisyNeighbour(stage, api, alerts),
  };
}
