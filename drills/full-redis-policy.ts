import type { AlertWatch } from './alert-watch.js';
import type { Api, ApiParking } from './api.js';
import { PATIENCE } from './drill-times.js';
import {
  ANALYTICS,
  API,
  analyticsProducer,
  apiProducer,
  backlogs,
  startWorker,
} from './full-redis-players.js';
import { inMegabytes, MB, maxmemoryOf, usedBytes } from './own-redis.js';
import type { Drill, Stage } from './scenario.js';
import { waitFor } from './wait-for.js';
import type { Player } from './world.js';

/** Until the console knows both types of jobs and what they weigh. */
const CALM_MS = 4_000;
/** Small: what fills this Redis is what waits, however long the drill takes. */
const RESULT_LETTERS = 100;
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
        rule: 'redis-filling',
        from: 'the surge begins',
        noticedWithinSeconds: 30,
        until: 'the surge is over',
        overWithinSeconds: 30,
      },
    ],
  },
  guide: [
    'At 70% of memory analytics jobs are parked until it is at 50%: look at the page of the queue, and at the timeline.',
    'The API adds its jobs all the time.',
    'Raise the concurrency of the analytics workers: they catch up, and what is parked comes back by itself.',
  ],
  start: async (world, activity) => {
    activity.moment('the surge begins');
    const { port } = world.redis;
    const maxBytes = await maxmemoryOf(world.redis);
    await startWorker(world, RESULT_LETTERS);
    const surgeJobs = Math.round((maxBytes / MB) * SURGE_JOBS_PER_MB);
    const surge = { ...analyticsProducer(port, maxBytes), calmMs: CALM_MS, surgeJobs };
    const stage: PolicyStage = {
      world,
      activity,
      limitBytes: maxBytes,
      surgeJobs,
      analytics: await world.play('producer', 'analytics producer', surge),
      // What its workers can do, so that all its memory is of use.
      api: await world.play('producer', 'API server', { ...apiProducer(port), surgeJobs: 0 }),
    };
    activity.note('producers and workers run', `maxmemory ${inMegabytes(maxBytes)}`);
    return {
      develop: async () => undefined,
      follow: async () => {
        await waitFor(() => false, Number.POSITIVE_INFINITY);
      },
      resolve: (api, alerts) => resolveByPolicy(stage, api, alerts),
    };
  },
};

interface PolicyStage extends Stage {
  readonly limitBytes: number;
  readonly surgeJobs: number;
  readonly analytics: Player;
  readonly api: Player;
}

/** Slots that fill the analytics client's batches. */
const SLOTS = 1_000;
const SURGE_WITHIN_MS = 45_000;
const DRAINED_WITHIN_MS = 60_000;
const REASON = 'drill full-redis-policy: fill the batches';

/** The surge comes and goes while nobody does anything; then one order to the workers, and all that was parked runs. */
async function resolveByPolicy(stage: PolicyStage, api: Api, alerts: AlertWatch): Promise<void> {
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
  await api.patch(`/instances/default/queues/bull%3A${ANALYTICS}/workers`, {
    concurrency: SLOTS,
    reason: REASON,
  });
  let parkings: readonly ApiParking[] = [];
  await activity.checkWithin(
    'all that was parked comes back by itself, and the backlog drains',
    DRAINED_WITHIN_MS,
    async () => {
      parkings = await api.parkings();
      return (
        total(parkings, 'remaining') === 0 &&
        total(parkings, 'restored') === total(parkings, 'parked') &&
        ledger.completed(ANALYTICS) >= ledger.accepted(ANALYTICS)
      );
    },
    async () =>
      `${total(parkings, 'parked')} parked = ${total(parkings, 'restored')} restored + ${total(parkings, 'existed')} existed + ${total(parkings, 'fellBack')} fell back + ${total(parkings, 'remaining')} remaining; ${await backlogs(world)}`,
  );
  await server.stop();
  await waitFor(() => ledger.completed(API) >= ledger.accepted(API), DRAINED_WITHIN_MS * PATIENCE);
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
    'the timeline tells what was parked and what was brought back',
    entries.some((text) => text.startsWith('Parks')) && entries.some((text) => text.startsWith('Brings')),
    `${entries.length} entries; ${entries.at(-1) ?? 'none'}`,
  );
}

async function checkEachOnce(
  { world, activity }: PolicyStage,
  parkedIds: ReadonlySet<string>,
): Promise<void> {
  await world.stopPlayers();
  const { ledger } = world;
  const completed = ledger.reported('completed', ANALYTICS);
  const wrong = (ids: Iterable<string>): readonly string[] =>
    [...ids].filter((id) => completed.get(id) !== 1);
  const wrongParked = wrong(parkedIds);
  activity.check(
    'every parked job has run exactly once, by id',
    parkedIds.size > 0 && wrongParked.length === 0,
    `${parkedIds.size} ids were seen on disk; wrong: ${inWords(wrongParked, completed)}`,
  );
  for (const queue of [ANALYTICS, API]) {
    const ran = ledger.reported('completed', queue);
    const accepted = [...ledger.reported('accepted', queue).keys()];
    const wrongIds = accepted.filter((id) => ran.get(id) !== 1);
    activity.check(
      `every job of ${queue} has run exactly once, by id`,
      wrongIds.length === 0 && accepted.length > 0,
      `${accepted.length} accepted; wrong: ${inWords(wrongIds, ran)}`,
    );
  }
}

function inWords(ids: readonly string[], completed: ReadonlyMap<string, number>): string {
  if (ids.length === 0) return 'none';
  const named = ids.slice(0, 5).map((id) => `${id} ${completed.get(id) ?? 0} times`);
  return `${ids.length}: ${named.join(', ')}`;
}

function total(
  parkings: readonly ApiParking[],
  field: 'parked' | 'restored' | 'existed' | 'fellBack' | 'remaining' | 'freedBytes',
): number {
  return parkings.reduce((sum, parking) => sum + parking[field], 0);
}
