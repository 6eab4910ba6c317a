import { Redis } from 'ioredis';
import type { Api } from './api.js';
import type { LayerWorkerPlan } from './children/layer-worker.js';
import type { ProducerPlan } from './children/producer.js';
import { type HalfOpenWay, startHalfOpenWay } from './half-open-way.js';
import { MB } from './own-redis.js';
import type { Drill, DrillIncident, Stage } from './scenario.js';
import { sleep, waitFor } from './wait-for.js';

const QUEUE = 'alerts';
const DEAF = 'deaf-one';
const QUIET_QUEUE = 'reports';
const HEARING = ['worker-1', 'worker-2', 'worker-3'];
const HEARD_WITHIN_MS = 5_000;
const FAILED_OVER_WITHIN_MS = 15_000;

/** incidents.md, 4: after a failover a subscriber is connected, healthy-looking and deaf. */
export const silentSubscriber: Drill = {
  name: 'silent-subscriber',
  about: 'Redis fails over under Sentinel; then one worker goes deaf with its sockets open',
  maxmemoryBytes: 256 * MB,
  withSentinel: true,
  alerts: {
    expected: [
      {
        rule: 'workers',
        queue: QUIET_QUEUE,
        naming: [DEAF, 'takes nothing'],
        from: 'it hears of no jobs',
        noticedWithinSeconds: 9,
        until: 'it is reconnected',
        overWithinSeconds: 10,
      },
    ],
    allowed: [
      { rule: 'redis-unreachable', because: 'its master is killed' },
      { rule: 'redis-read-only', because: 'a replica is not promoted yet' },
    ],
  },
  guide: [
    'The failover is on the timeline (Workers, below); the console says whether it hears agents.',
    `Half a minute later ${DEAF} goes deaf: connected, free, and taking nothing while jobs wait. Reconnect it.`,
  ],
  start: async (world, activity) => {
    const { sentinel } = world;
    if (!sentinel) throw new Error('this drill needs Sentinel');
    const plan: LayerWorkerPlan = {
      redisPort: world.redis.port,
      sentinel: { port: sentinel.sentinelPort, master: sentinel.masterName },
      queue: QUEUE,
      name: '',
      concurrency: 2,
      jobMs: 50,
    };
    await Promise.all(HEARING.map((name) => world.play('layer-worker', name, { ...plan, name })));
    await world.play('producer', 'producer', producer(world.redis.port, QUEUE));
    activity.note('three workers and a producer run, with Sentinel');
    return incidentOf({ world, activity }, plan);
  },
};

function incidentOf(stage: Stage, plan: LayerWorkerPlan): DrillIncident {
  return {
    develop: async () => undefined,
    async follow() {
      await sleep(10_000);
      await failOver(stage);
      await sleep(20_000);
      await deafen(stage, plan);
      await waitFor(() => false, Number.POSITIVE_INFINITY);
    },
    async resolve(api, alerts) {
      await checkAgentMessages(stage, api, 0, 'at first');
      const failedOverAtMs = await failOver(stage);
      await checkAgentMessages(stage, api, failedOverAtMs, 'after the failover');
      let kinds = new Set<string>();
      await stage.activity.checkWithin(
        'the failover is on the timeline',
        HEARD_WITHIN_MS,
        async () => {
          kinds = new Set((await api.timeline()).map(({ kind }) => kind));
          return kinds.has('redis.failover');
        },
        () => [...kinds].join(', '),
      );
      const way = await deafen(stage, plan);
      await checkDeafIsNamed(stage, api);
      await alerts.untilNotified('it hears of no jobs');
      await reconnect(stage, api);
      await alerts.conclude();
      await way.close();
    },
  };
}

/** @returns when the replica had become the master. */
async function failOver({ world, activity }: Stage): Promise<number> {
  const { sentinel } = world;
  if (!sentinel) return Date.now();
  await sentinel.master.kill();
  // A client of its own: Sentinel cuts every connection to the replica that it promotes.
  const probe = new Redis(sentinel.replica.port, '127.0.0.1', { maxRetriesPerRequest: null });
  probe.on('error', () => undefined);
  await activity.checkWithin(
    'the master is killed and Sentinel promotes its replica',
    FAILED_OVER_WITHIN_MS,
    async () => (await probe.role().catch(() => []))[0] === 'master',
  );
  probe.disconnect();
  return Date.now();
}

/** The console hears, and has a beat from each worker that is younger than the moment. */
async function checkAgentMessages(
  { activity }: Stage,
  api: Api,
  sinceMs: number,
  when: string,
): Promise<void> {
  let said = '';
  const fromMs = sinceMs === 0 ? Date.now() : sinceMs;
  const seen = async (): Promise<boolean> => {
    const { hearing, workers } = await api.workers();
    const heard = HEARING.filter((name) =>
      workers.some((one) => one.name === name && one.agent !== null && Date.parse(one.lastSeen) > sinceMs),
    );
    said = `${hearing}, ${heard.length} of ${HEARING.length} workers`;
    return hearing === 'hearing' && heard.length === HEARING.length;
  };
  await activity.checkWithin(
    `everything is heard ${when}`,
    sinceMs === 0 ? 15_000 : HEARD_WITHIN_MS,
    seen,
    () => `${said}, after ${((Date.now() - fromMs) / 1000).toFixed(1)} s`,
  );
}

/** A worker of its own queue whose connections swallow everything, with its agent on another way. */
async function deafen({ world, activity }: Stage, plan: LayerWorkerPlan): Promise<HalfOpenWay> {
  const port = world.sentinel?.replica.port ?? world.redis.port;
  const way = await startHalfOpenWay(port);
  const { sentinel: _sentinel, ...plain } = plan;
  await world.play('layer-worker', DEAF, {
    ...plain,
    redisPort: port,
    throughPort: way.port,
    queue: QUIET_QUEUE,
    name: DEAF,
  });
  await sleep(6_000);
  way.swallow();
  activity.note(`${DEAF} is deaf: its sockets are open and nothing arrives`);
  await world.play('producer', 'late producer', producer(port, QUIET_QUEUE));
  activity.moment('it hears of no jobs');
  return way;
}

/** The remedy of the finding, which ends the incident. */
async function reconnect({ activity }: Stage, api: Api): Promise<void> {
  const remedy = (await api.findings())
    .find(({ code }) => code === 'worker.silent')
    ?.remedies.find(({ action }) => action === 'worker.reconnect');
  const answer = await api.post('/actions/worker.reconnect', {
    instance: 'default',
    workers: remedy?.workers ?? [],
    args: remedy?.args ?? {},
    reason: 'it takes nothing',
  });
  activity.moment('it is reconnected');
  const [outcome] = answer.outcomes;
  activity.check(
    'reconnected by the remedy of the finding, it takes jobs again without a restart',
    outcome?.status === 'applied',
    outcome?.summary ?? 'nothing came of it',
  );
}

async function checkDeafIsNamed({ activity }: Stage, api: Api): Promise<void> {
  const fromMs = Date.now();
  let said = '';
  await activity.checkWithin(
    'the deaf worker is named silent',
    // Jobs have to have waited 4 s before it is a fact.
    4_000 + HEARD_WITHIN_MS,
    async () => {
      const worker = (await api.workers()).workers.find((one) => one.name === DEAF);
      said = worker ? `${worker.verdict}: ${worker.sentence}` : 'not listed';
      return worker?.verdict === 'silent';
    },
    () => `${((Date.now() - fromMs) / 1000).toFixed(1)} s after jobs came; ${said.slice(0, 120)}`,
  );
  const findings = await api.findings();
  const silent = findings.filter(({ code }) => code === 'worker.silent');
  activity.check(
    'and found, and no other worker is',
    silent.length === 1 && (silent[0]?.sentence.includes(DEAF) ?? false),
    findings.map(({ code }) => code).join(', '),
  );
}

function producer(redisPort: number, queue: string): ProducerPlan {
  return {
    redisPort,
    queue,
    jobName: 'check',
    dataChars: 50,
    options: { removeOnComplete: true },
    calmMs: Number.MAX_SAFE_INTEGER,
    ordinaryPerSecond: 10,
    surgePerSecond: 10,
    isBulk: false,
  };
}
