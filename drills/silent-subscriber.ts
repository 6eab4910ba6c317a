import { hostname } from 'node:os';
import { Redis } from 'ioredis';
import type { AlertWatch } from './alert-watch.js';
import type { Api } from './api.js';
import type { ProducerPlan } from './children/producer.js';
import { type HalfOpenWay, startHalfOpenWay } from './half-open-way.js';
import { SHORT_LOCKS } from './overloaded-layer-world.js';
import { MB } from './own-redis.js';
import type { Drill, DrillStage } from './run.js';
import { sleep } from './wait-for.js';

const QUEUE = 'alerts';
const DEAF = 'deaf-one';
const QUIET_QUEUE = 'reports';
const HEARING = ['worker-1', 'worker-2', 'worker-3'];
const HEARD_WITHIN_MS = 5_000;
const FIRST_HEARD_WITHIN_MS = 15_000;
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
        ...{ rule: 'workers', queue: QUIET_QUEUE, naming: [DEAF, 'not consuming'] },
        ...{ from: 'it hears of no jobs', noticedWithinSeconds: 9 },
        ...{ until: 'it is reconnected', overWithinSeconds: 10 },
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
  async start(stage) {
    const { world, activity } = stage;
    const { sentinelPort, masterName } = sentinelOf(stage);
    const sentinel = { port: sentinelPort, master: masterName };
    await Promise.all(
      HEARING.map((name) =>
        world.work(name, {
          sentinel,
          labels: { layer: QUEUE, host: hostname() },
          works: [workOf(QUEUE, name)],
        }),
      ),
    );
    await world.produce('producer', producer(QUEUE));
    activity.note('three workers and a producer run, with Sentinel');
    return {
      async follow() {
        await sleep(10_000);
        await failOver(stage);
        await sleep(20_000);
        await deafen(stage);
      },
      resolve: (api, alerts) => resolve(stage, api, alerts),
    };
  },
};

async function resolve(stage: DrillStage, api: Api, alerts: AlertWatch): Promise<void> {
  await checkAgentMessages(stage, api, null, 'at first');
  const failedOverAtMs = await failOver(stage);
  await checkAgentMessages(stage, api, failedOverAtMs, 'after the failover');
  await stage.activity.checkWithin('the failover is on the timeline', HEARD_WITHIN_MS, async () => {
    const kinds = new Set((await api.timeline()).map(({ kind }) => kind));
    return [kinds.has('redis.failover'), [...kinds].join(', ')];
  });
  const way = await deafen(stage);
  await checkDeafIsNamed(stage, api);
  await alerts.untilNotified('it hears of no jobs');
  await reconnect(stage, api);
  await alerts.conclude();
  await way.close();
}

/** @returns when the replica had become the master. */
async function failOver(stage: DrillStage): Promise<number> {
  const { master, replica } = sentinelOf(stage);
  await master.kill();
  // A client of its own: Sentinel cuts every connection to the replica that it promotes.
  const probe = new Redis(replica.port, '127.0.0.1', { maxRetriesPerRequest: null });
  probe.on('error', () => undefined);
  await stage.activity.checkWithin(
    'the master is killed and Sentinel promotes its replica',
    FAILED_OVER_WITHIN_MS,
    async () => (await probe.role().catch(() => []))[0] === 'master',
  );
  probe.disconnect();
  return Date.now();
}

/** The console hears, and has a beat from each worker that is younger than the moment; null: from any time. */
async function checkAgentMessages(
  { activity }: DrillStage,
  api: Api,
  sinceMs: number | null,
  when: string,
): Promise<void> {
  const fromMs = sinceMs ?? Date.now();
  const withinMs = sinceMs === null ? FIRST_HEARD_WITHIN_MS : HEARD_WITHIN_MS;
  await activity.checkWithin(`everything is heard ${when}`, withinMs, async () => {
    const { hearing, workers } = await api.workers();
    const heard = workers.filter(
      ({ name, agent, lastSeen }) =>
        HEARING.includes(name ?? '') && agent !== null && Date.parse(lastSeen) > (sinceMs ?? 0),
    );
    return [
      hearing === 'hearing' && heard.length === HEARING.length,
      `${hearing}, ${heard.length} of ${HEARING.length} workers, after ${((Date.now() - fromMs) / 1000).toFixed(1)} s`,
    ];
  });
}

/** A worker of its own queue whose connections swallow everything, with its agent on another way. */
async function deafen(stage: DrillStage): Promise<HalfOpenWay> {
  const { world, activity } = stage;
  const redisPort = sentinelOf(stage).replica.port;
  const way = await startHalfOpenWay(redisPort);
  await world.work(DEAF, {
    ...{ redisPort, throughPort: way.port },
    ...{ labels: { layer: QUIET_QUEUE, host: hostname() }, works: [workOf(QUIET_QUEUE, DEAF)] },
  });
  await sleep(6_000);
  way.swallow();
  activity.note(`${DEAF} is deaf: its sockets are open and nothing arrives`);
  await world.produce('late producer', { ...producer(QUIET_QUEUE), redisPort });
  activity.moment('it hears of no jobs');
  return way;
}

async function checkDeafIsNamed({ activity }: DrillStage, api: Api): Promise<void> {
  const fromMs = Date.now();
  await activity.checkWithin(
    'the deaf worker is named silent',
    // Jobs have to have waited 4 s before it is a fact.
    4_000 + HEARD_WITHIN_MS,
    async () => {
      const worker = await api.worker(DEAF);
      const said = worker ? `${worker.verdict}: ${worker.sentence}` : 'not listed';
      const after = ((Date.now() - fromMs) / 1000).toFixed(1);
      return [worker?.verdict === 'silent', `${after} s after jobs came; ${said.slice(0, 120)}`];
    },
  );
  const findings = await api.findings();
  const silent = findings.filter(({ code }) => code === 'worker.silent');
  activity.check(
    'and found, and no other worker is',
    silent.length === 1 && (silent[0]?.headline.includes(DEAF) ?? false),
    findings.map(({ code }) => code).join(', '),
  );
}

/** The remedy of the finding, which ends the incident. */
async function reconnect({ activity }: DrillStage, api: Api): Promise<void> {
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

/** @throws Error where the world was built without */
function sentinelOf({ world }: DrillStage) {
  if (!world.sentinel) throw new Error('this drill needs Sentinel');
  return world.sentinel;
}

function workOf(queue: string, name: string) {
  return { queue, name, concurrency: 2, runMs: 50, options: SHORT_LOCKS };
}

function producer(queue: string): ProducerPlan {
  const options = { removeOnComplete: true };
  return { queue, jobName: 'check', dataChars: 50, options, perSecond: 10, isOneByOne: true };
}
