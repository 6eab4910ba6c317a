import type { Activity } from './activity.js';
import type { Api } from './api.js';
import type { MonitorWorkerPlan } from './children/monitor-worker.js';
import type { SchedulerHears, SchedulerPlan } from './children/scheduler.js';
import type { Stage } from './scenario.js';
import { sleep } from './wait-for.js';
import type { Player, World } from './world.js';

/** What is so, whatever the console says: all that its findings are held against. */
export const FAILED_DEPLOY_TRUTH = {
  queue: 'monitors',
  failing: 'match-event',
  error: /cache entry for monitor .+ has the wrong type/,
  absent: 'cache-flush',
  healthy: ['http-check', 'threshold-check'],
  fix: 'monitors 2.7.1: match-event reads the cache of both',
  marker: 'monitors 2.7.0: match-event reads the cache',
} as const;

const PER_SECOND: Readonly<Record<string, number>> = {
  'http-check': 10,
  'threshold-check': 6,
  'match-event': 5,
  'cache-flush': 2,
};
const WORKERS = ['monitor-1', 'monitor-2'];
/** Each type completes often enough to be a habit: two dozen times the rarest. */
const STEADY_MS = 12_000;
/** Enough to know nine of ten from the half. */
const ENOUGH_FAILURES = 20;
const FAILING_WITHIN_MS = 15_000;

export interface DeployStage extends Stage {
  readonly scheduler: Player;
  workers: readonly Player[];
  deployedAtMs: number;
  /** Ids of failed jobs that somebody removed by hand. */
  removed: readonly string[];
}

export async function startMonitors(world: World, activity: Activity): Promise<DeployStage> {
  const workers = await startWorkers(world, '2.6.3');
  const scheduler = await world.play('scheduler', 'scheduler', {
    redisPort: world.redis.port,
    queue: FAILED_DEPLOY_TRUTH.queue,
    types: Object.entries(PER_SECOND).map(([jobName, perSecond]) => ({ jobName, perSecond })),
  } satisfies SchedulerPlan);
  activity.note('two workers of release 2.6.3 run four types of jobs');
  return { world, activity, scheduler, workers, deployedAtMs: 0, removed: [] };
}

/** All four types finish, and none fails. */
export async function keepSteady({ world, activity }: DeployStage): Promise<void> {
  await sleep(STEADY_MS);
  const failed = Object.keys(PER_SECOND).filter(
    (name) => world.ledger.failed(FAILED_DEPLOY_TRUTH.queue, name) > 0,
  );
  activity.check(
    'before: jobs of all four types complete, and none fails',
    failed.length === 0 &&
      Object.keys(PER_SECOND).every((name) => world.ledger.completed(FAILED_DEPLOY_TRUTH.queue, name) > 0),
    typesInWords(world),
  );
}

/** A pipeline marks its deploy; the new workers fail at one type, and another is not scheduled any more. */
export async function deploy(stage: DeployStage, api: Api): Promise<void> {
  const { world, activity, scheduler } = stage;
  stage.deployedAtMs = Date.now();
  activity.moment('the deploy');
  await api.mark({ text: FAILED_DEPLOY_TRUTH.marker, queue: FAILED_DEPLOY_TRUTH.queue });
  scheduler.send({ do: 'drop', jobName: FAILED_DEPLOY_TRUTH.absent } satisfies SchedulerHears);
  const before = stage.workers;
  stage.workers = await startWorkers(world, '2.7.0', { failingType: FAILED_DEPLOY_TRUTH.failing });
  await Promise.all(before.map((player) => player.stop()));
  activity.note('release 2.7.0 is deployed, with a marker', FAILED_DEPLOY_TRUTH.marker);
}

/** The next release fails at jobs of some ids alone. Resolves when nobody of the release before is at work any more. */
export async function deployFix(
  stage: DeployStage,
  api: Api,
  stillFailing: readonly string[],
): Promise<void> {
  await api.mark({ text: FAILED_DEPLOY_TRUTH.fix, queue: FAILED_DEPLOY_TRUTH.queue });
  const before = stage.workers;
  stage.workers = await startWorkers(stage.world, '2.7.1', { stillFailing });
  await Promise.all(before.map((player) => player.stop()));
  stage.activity.moment('the fix');
  stage.activity.note('release 2.7.1 is deployed, with a marker', FAILED_DEPLOY_TRUTH.fix);
}

/** Waits until enough has failed, and checks that it is that type, nine of ten of it, and no other. */
export async function checkFailing({ world, activity }: DeployStage): Promise<void> {
  const { ledger } = world;
  const completed = ledger.completed(FAILED_DEPLOY_TRUTH.queue, FAILED_DEPLOY_TRUTH.failing);
  const failures = () => ledger.failed(FAILED_DEPLOY_TRUTH.queue, FAILED_DEPLOY_TRUTH.failing);
  const successes = () =>
    ledger.completed(FAILED_DEPLOY_TRUTH.queue, FAILED_DEPLOY_TRUTH.failing) - completed;
  await activity.checkWithin(
    `after: about nine of ten ${FAILED_DEPLOY_TRUTH.failing} fail, and are kept`,
    FAILING_WITHIN_MS,
    () => failures() >= ENOUGH_FAILURES && failures() / (failures() + successes()) >= 0.75,
    async () =>
      `${failures()} failed, ${successes()} completed; Redis keeps ${await world.redis.client.zcard(`bull:${FAILED_DEPLOY_TRUTH.queue}:failed`)}`,
  );
  activity.check(
    'after: no other type fails',
    [...FAILED_DEPLOY_TRUTH.healthy, FAILED_DEPLOY_TRUTH.absent].every(
      (name) => ledger.failed(FAILED_DEPLOY_TRUTH.queue, name) === 0,
    ),
    typesInWords(world),
  );
}

function typesInWords({ ledger }: World): string {
  return Object.keys(PER_SECOND)
    .map(
      (name) =>
        `${name} ${ledger.completed(FAILED_DEPLOY_TRUTH.queue, name)} completed, ${ledger.failed(FAILED_DEPLOY_TRUTH.queue, name)} failed`,
    )
    .join('; ');
}

async function startWorkers(
  world: World,
  release: string,
  fails: Pick<MonitorWorkerPlan, 'failingType' | 'stillFailing'> = {},
): Promise<readonly Player[]> {
  return Promise.all(
    WORKERS.map((name) =>
      world.play('monitor-worker', `${name} of ${release}`, {
        redisPort: world.redis.port,
        queue: FAILED_DEPLOY_TRUTH.queue,
        name,
        release,
        concurrency: 5,
        jobMs: 50,
        ...fails,
      } satisfies MonitorWorkerPlan),
    ),
  );
}
