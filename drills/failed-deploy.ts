import { resolveFailedDeploy } from './failed-deploy-resolve.js';
import { checkFailing, deploy, keepSteady, startMonitors, TRUTH } from './failed-deploy-world.js';
import { MB } from './full-redis-look.js';
import type { Drill } from './scenario.js';
import { waitFor } from './wait-for.js';

const FLUSH_MISSING = 'flush-missing';

/** incidents.md, 5: a deploy makes runs of one type fail, for what the release before left in a cache. */
export const failedDeploy: Drill = {
  name: 'failed-deploy',
  about:
    'a deploy, marked on the timeline, makes nine of ten jobs of one type fail; another type stops coming',
  maxmemoryBytes: 128 * MB,
  alerts: {
    // By itself the console does not wake anybody for a habit of a few minutes; who knows that it is one says so.
    rules: [
      {
        id: FLUSH_MISSING,
        name: 'Caches are not flushed',
        severity: 'warning',
        scope: { queue: `bull:${TRUTH.queue}`, type: TRUTH.absent },
        condition: { kind: 'finding', code: 'jobtype.absent', leastSeverity: 'info' },
        forSeconds: 3,
        keepFiringSeconds: 3,
      },
    ],
    expected: [
      {
        rule: 'type-failing',
        queue: TRUTH.queue,
        type: TRUTH.failing,
        from: 'the deploy',
        noticedWithinSeconds: 15,
        until: 'the fix',
        overWithinSeconds: 20,
      },
      {
        rule: FLUSH_MISSING,
        queue: TRUTH.queue,
        type: TRUTH.absent,
        from: 'the deploy',
        noticedWithinSeconds: 25,
      },
    ],
  },
  guide: [
    'After 12 s release 2.7.0 is deployed; its marker is on the timeline (Workers, below).',
    `Which type fails, since when, with what error, and what happened just before? (It is ${TRUTH.failing}.)`,
    'And which type that came regularly comes no more?',
  ],
  start: async (world, account) => {
    const stage = await startMonitors(world, account);
    return {
      async develop(api) {
        await keepSteady(stage);
        await deploy(stage, api);
      },
      async follow() {
        await checkFailing(stage);
        await waitFor(() => false, Number.POSITIVE_INFINITY);
      },
      resolve: (api, alerts) => resolveFailedDeploy(stage, api, alerts),
    };
  },
};
