import type { Role } from '../server/model/role.js';
import { dominantTenant } from '../server/model/tenant-text.js';
import type { AlertWatch } from './alert-watch.js';
import { type Api, type ApiFinding, codesOf, textOf, untilFound } from './api.js';
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
import { inMegabytes, MB, maxmemoryOf, usedBytes, waitingIn } from './own-redis.js';
import { checkNothingLost, type Drill } from './run.js';
import { sleep, waitFor } from './wait-for.js';

const { source, tenant, tenantField, victims } = NOISY_NEIGHBOUR_TRUTH;
const RISEN_WITHIN_MS = 20_000;
const NAMED_WITHIN_MS = 15_000;
const RESTORED_WITHIN_MS = 20_000;
const GOES_ON_MS = 4_000;
/** So slow that nobody feels it: each takes 8 ms of one event loop and 20 ms downstream. */
const CAP = { max: 2, durationMs: 1000 };
const REASON = 'drill noisy-neighbour: the resync must not hold up the probes';
const ACTIONS_THAT_HOLD_BACK = ['queue.pause', 'queue.concurrency', 'queue.rate-limit'];

/** incidents.md, 3: an endless resync takes the workers that others need too. */
export const noisyNeighbour: Drill = {
  name: 'noisy-neighbour',
  about: 'an endless resync of one customer takes event loops, Redis and a service that the probes need too',
  maxmemoryBytes: 64 * MB,
  tenantField,
  hasRoles: true,
  alerts: {
    expected: [
      {
        ...{ rule: 'noisy-neighbour', queue: source },
        ...{ from: 'the resync begins', noticedWithinSeconds: 30, until: 'the cap', overWithinSeconds: 15 },
      },
    ],
    allowed: [{ rule: 'redis-filling', because: 'jobs of 16 KB are added sooner than they run' }],
  },
  guide: [
    'After a quarter of a minute the probes of both queues wait much longer, though nothing about them has changed.',
    'Look at the findings: which queue is the source, and who is held up by it?',
    `Cap or pause ${source} alone, on its row, and look at the probes.`,
  ],
  async start({ world, activity }) {
    await startShared(world);
    const limit = inMegabytes(await maxmemoryOf(world.redis));
    activity.note('two processes work on three queues', `maxmemory ${limit}`);
    const stage: NoisyStage = { world, activity, normalMs: new Map(), floodedAtMs: 0 };
    return {
      async develop() {
        await measureNormal(stage);
        await flood(stage);
        await activity.checkWithin(
          'the probes of both queues wait ten times as long, or longer',
          RISEN_WITHIN_MS,
          async () => [
            isTrouble(stage),
            `${sinceFlood(stage)}; ${waitsInWords(stage)}; ${inMegabytes(await usedBytes(world.redis))} used`,
          ],
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
      resolve: (api, alerts) => resolve(stage, api, alerts),
    };
  },
};

/** What the person at the console would do, through the JSON API alone, with checks before and after. */
async function resolve(stage: NoisyStage, api: Api, alerts: AlertWatch): Promise<void> {
  const found = await findSource(stage, api);
  await checkTenant(stage, api);
  await alerts.untilNotified('the resync begins');
  await capSource(stage, api, found);
  await checkRestored(stage, api);
  await alerts.conclude();
  await checkNothingLost(stage, [...victims, source]);
}

/** Names a source of other queues' trouble. */
const isNoisy = ({ code }: ApiFinding): boolean => code === 'queue.noisy-neighbour';

/** @returns the id of the queue to hold back: the one that is named, else the one that it is. */
async function findSource(stage: NoisyStage, api: Api): Promise<string> {
  const { activity } = stage;
  const truth = `bull:${source}`;
  const { finding, findings } = await untilFound(api, isNoisy, NAMED_WITHIN_MS);
  activity.check(
    'the source is named by a finding, and it is the right one',
    finding?.queue === truth,
    finding ? `${sinceFlood(stage)}: ${finding.headline}: ${finding.cause}` : codesOf(findings),
  );
  const text = finding ? textOf(finding) + finding.queues.join() : '';
  activity.check(
    'its evidence names both queues that are held up',
    victims.every((victim) => text.includes(victim)),
    text.slice(0, 200),
  );
  activity.check(
    'no probe queue is named as a source',
    findings.filter(isNoisy).every(({ queue }) => !victims.some((name) => queue === `bull:${name}`)),
  );
  const remedies = finding?.remedies ?? [];
  activity.check(
    'it offers to hold back the source, and the source alone',
    remedies.some(
      ({ action, queues }) =>
        ACTIONS_THAT_HOLD_BACK.includes(action) && queues.length === 1 && queues[0] === truth,
    ),
    remedies.map(({ label }) => label).join('; '),
  );
  // What the actions do is measured whether or not the source was found.
  return finding?.queue ?? truth;
}

/** Whose jobs they are is in job data: for those who may see these, and for nobody else. */
async function checkTenant({ activity }: NoisyStage, api: Api): Promise<void> {
  const seenBy = (role: Role) => api.as(role).tenants(source);
  await waitFor(async () => dominantTenant(await seenBy('operator')) !== null, NAMED_WITHIN_MS);
  const tenants = await seenBy('operator');
  const found = dominantTenant(tenants);
  activity.check(
    'the tenant that holds most of the source is named to an operator, and it is the right one',
    found?.tenant === tenant,
    found
      ? `${found.tenant}: ${(100 * found.shareRatio).toFixed(0)}% ± ${(100 * found.error).toFixed(0)}%`
      : `none in ${JSON.stringify(tenants)}`,
  );
  activity.check('and not to a viewer, who may not see job data', (await seenBy('viewer')) === null);
}

async function capSource(stage: NoisyStage, api: Api, found: string): Promise<void> {
  const { activity, world } = stage;
  const used = inMegabytes(await usedBytes(world.redis));
  activity.note('before the cap', `${waitsInWords(stage)}; ${used} used`);
  activity.moment('the cap');
  const { applied, failed, outcomes } = await api.patch(
    `/instances/default/queues/${encodeURIComponent(found)}`,
    { rateLimit: CAP, reason: REASON },
  );
  activity.check(
    'the source alone is capped',
    applied === 1 && failed === 0 && outcomes[0]?.queue === found,
    `${outcomes[0]?.summary ?? ''} ${await waitingIn(world.redis, source)} wait`,
  );
}

async function checkRestored(stage: NoisyStage, api: Api): Promise<void> {
  const { activity, world } = stage;
  const cappedAtMs = Date.now();
  await activity.checkWithin(
    `probes wait at most twice as long as normally within ${RESTORED_WITHIN_MS / 1000} s`,
    RESTORED_WITHIN_MS,
    () => [
      isRestored(stage),
      `${((Date.now() - cappedAtMs) / 1000).toFixed(1)} s after the cap; ${waitsInWords(stage)}`,
    ],
  );
  const done = world.ledger.completed(source);
  const fromMs = Date.now();
  await sleep(GOES_ON_MS);
  const perSecond = ((world.ledger.completed(source) - done) * 1000) / (Date.now() - fromMs);
  activity.check(
    'and the resync goes on at its cap',
    perSecond > 0 && perSecond <= (1.5 * CAP.max * 1000) / CAP.durationMs,
    `${perSecond.toFixed(1)}/s; ${waitsInWords(stage)}`,
  );
  const after = (await api.findings()).find(isNoisy);
  activity.note('what the console says now', after ? `${after.queue} is still named` : 'no noisy neighbour');
}

function sinceFlood({ floodedAtMs }: NoisyStage): string {
  return `${((Date.now() - floodedAtMs) / 1000).toFixed(1)} s after it began`;
}
