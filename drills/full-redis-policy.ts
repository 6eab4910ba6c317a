import type { AlertWatch } from './alert-watch.js';
import type { Api, ApiParking } from './api.js';
import {
  ANALYTICS,
  API,
  API_PRODUCER,
  analyticsProducer,
  backlogs,
  startWorker,
} from './full-redis-players.js';
import { inMegabytes, MB, maxmemoryOf, usedBytes } from './own-redis.js';
import type { Drill, DrillStage } from './run.js';
import { waitFor } from './wait-for.js';
import type { Player } from './world.js';

/** Until the console knows both types of jobs and what they weigh. */
const CALM_MS = 4_000;
/** Small: what fills this Redis is what waits, however long the drill takes. */
const RESULT_CHARS = 100;
/** A good megabyte of jobs for each of maxmemory: without the policy it would be full. */
const SURGE_JOBS_PER_MB = 1_000;

/** incidents.md, 1, with the least important jobs parked before memory runs out. */
export const fullRedisPolicy: Drill = {
  name: 'full-redis-policy',
  about:
    'the same surge with the spillway policy on: analytics jobs are parked and come back, the API never notices',
  maxmemoryBytes: 64 * MB,
  spillway: {
    mode: 'on',
    highRatio: 0.7,
    lowRatio: 0.5,
    restorePerSecond: 2_000,
    rules: [{ queue: ANALYTICS, jobType: '*', priority: 1 }],
  },
  alerts: {
    expected: [
      {
        ...{ rule: 'redis-filling', from: 'the surge begins', noticedWithinSeconds: 30 },
        // Each parking makes room for a while, and the surge fills it again.
        ...{ until: 'the surge is over', overWithinSeconds: 30, atMost: 3 },
      },
    ],
  },
  guide: [
    'At 70% of memory analytics jobs are parked until it is at 50%: look at the page of the queue, and at the timeline.',
    'The API adds its jobs all the time.',
    'Raise the concurrency of the analytics workers: they catch up, and what is parked comes back by itself.',
  ],
  async start({ world, activity }) {
    activity.moment('the surge begins');
    const limitBytes = await maxmemoryOf(world.redis);
    await startWorker(world, RESULT_CHARS);
    const surgeJobs = Math.round((limitBytes / MB) * SURGE_JOBS_PER_MB);
    const surge = analyticsProducer(limitBytes, CALM_MS, surgeJobs);
    // What its workers can do, so that all its memory is of use.
    const { surge: _, ...steady } = API_PRODUCER;
    const stage: PolicyStage = {
      ...{ world, activity, limitBytes, surgeJobs },
      analytics: await world.produce('analytics producer', surge),
      api: await world.produce('API server', steady),
    };
    activity.note('producers and workers run', `maxmemory ${inMegabytes(limitBytes)}`);
    return { resolve: (api, alerts) => resolve(stage, api, alerts) };
  },
};

interface PolicyStage extends DrillStage {
  readonly limitBytes: number;
  readonly surgeJobs: number;
  readonly analytics: Player<never>;
  readonly api: Player<never>;
}

/** Slots that fill the analytics client's batches. */
const SLOTS = 1_000;
const SURGE_WITHIN_MS = 45_000;
const DRAINED_WITHIN_MS = 60_000;
const REASON = 'drill full-redis-policy: fill the batches';

/** The surge comes and goes while nobody does anything; then one order to the workers, and all that was parked runs. */
async function resolve(stage: PolicyStage, api: Api, alerts: AlertWatch): Promise<void> {
  const parkedIds = await outliveSurge(stage, api);
  stage.activity.moment('the surge is over');
  await catchUp(stage, api);
  await alerts.conclude();
  await checkTimeline(stage, api);
  await checkEachOnce(stage, parkedIds);
}

/** @returns ids of jobs that were seen on disk while the surge went on. */
async function outliveSurge(stage: PolicyStage, api: Api): Promise<ReadonlySet<string>> {
  const { world, activity, limitBytes } = stage;
  const seen = new Set<string>();
  const looked = new Set<string>();
  let peakBytes = 0;
  const look = async (): Promise<void> => {
    peakBytes = Math.max(peakBytes, await usedBytes(world.redis));
    for (const { id, phase, state, remaining } of await api.parkings()) {
      const which = `${id} ${phase} ${state}`;
      if (remaining === 0 || looked.has(which)) continue;
      looked.add(which);
      for (const jobId of await api.parkedIds(id)) seen.add(jobId);
    }
  };
  await activity.checkWithin(
    'the surge comes and goes while nobody does anything',
    SURGE_WITHIN_MS,
    async () => {
      await look();
      return world.ledger.accepted(ANALYTICS) >= stage.surgeJobs;
    },
  );
  const parkings = await api.parkings();
  const freedBytes = total(parkings, 'freedBytes');
  activity.check(
    'analytics jobs are parked before memory runs out, and of no other queue',
    total(parkings, 'parked') > 0 &&
      parkings.every(({ queue, origin }) => queue === `bull:${ANALYTICS}` && origin === 'policy'),
    `${total(parkings, 'parked')} jobs in ${parkings.length} parkings; ${await backlogs(world)}`,
  );
  activity.check(
    'without it Redis would have been full',
    peakBytes < limitBytes && peakBytes + freedBytes > limitBytes,
    `${inMegabytes(peakBytes)} used at most and ${inMegabytes(freedBytes)} parked, of ${inMegabytes(limitBytes)}`,
  );
  return seen;
}

/** What somebody does who trusts the page: slots for the batches. What is parked comes back by itself. */
async function catchUp({ world, activity, analytics, api: server }: PolicyStage, api: Api): Promise<void> {
  const { ledger } = world;
  await analytics.stop();
  await api.changeWorkers(ANALYTICS, { concurrency: SLOTS, reason: REASON });
  await activity.checkWithin(
    'all that was parked comes back by itself, and the backlog drains',
    DRAINED_WITHIN_MS,
    async () => {
      const parkings = await api.parkings();
      const [parked, restored, remaining] = (['parked', 'restored', 'remaining'] as const).map((field) =>
        total(parkings, field),
      );
      return [
        remaining === 0 && restored === parked && ledger.completed(ANALYTICS) >= ledger.accepted(ANALYTICS),
        `${parked} parked = ${restored} restored + ${total(parkings, 'existed')} existed + ${total(parkings, 'fellBack')} fell back + ${remaining} remaining; ${await backlogs(world)}`,
      ];
    },
  );
  await server.stop();
  await waitFor(() => ledger.completed(API) >= ledger.accepted(API), DRAINED_WITHIN_MS);
  activity.check(
    'Redis has never refused a job of the API',
    ledger.refused(API) === 0 && ledger.accepted(API) > 0,
    `${ledger.accepted(API)} accepted, ${ledger.refused(API)} refused; of analytics ${ledger.accepted(ANALYTICS)} accepted, ${ledger.refused(ANALYTICS)} refused; ${ledger.workerErrors()} worker errors`,
  );
}

async function checkTimeline({ activity }: PolicyStage, api: Api): Promise<void> {
  const entries = (await api.timeline())
    .filter(({ kind }) => kind === 'policy.acted')
    .map(({ text }) => text);
  activity.check(
    'the timeline shows what was parked and what was brought back',
    entries.some((text) => text.startsWith('Parks')) && entries.some((text) => text.startsWith('Brings')),
    `${entries.length} entries; ${entries.at(-1) ?? 'none'}`,
  );
}

async function checkEachOnce(
  { world, activity }: PolicyStage,
  parkedIds: ReadonlySet<string>,
): Promise<void> {
  await world.stopPlayers();
  const check = (what: string, ids: readonly string[], queue: string, said: string): void => {
    const completed = world.ledger.reported('completed', queue);
    const wrong = ids.filter((id) => completed.get(id) !== 1);
    const named = wrong.slice(0, 5).map((id) => `${id} ${completed.get(id) ?? 0} times`);
    activity.check(
      `${what} has run exactly once, by id`,
      ids.length > 0 && wrong.length === 0,
      `${ids.length} ${said}; wrong: ${wrong.length === 0 ? 'none' : `${wrong.length}: ${named.join(', ')}`}`,
    );
  };
  check('every parked job', [...parkedIds], ANALYTICS, 'ids were seen on disk');
  for (const queue of [ANALYTICS, API])
    check(`every job of ${queue}`, [...world.ledger.reported('accepted', queue).keys()], queue, 'accepted');
}

function total(
  parkings: readonly ApiParking[],
  field: 'parked' | 'restored' | 'existed' | 'fellBack' | 'remaining' | 'freedBytes',
): number {
  return parkings.reduce((sum, parking) => sum + parking[field], 0);
}
