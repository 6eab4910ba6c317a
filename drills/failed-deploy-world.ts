import { hostname } from 'node:os';
import type { Api } from './api.js';
import type { ProducerHears } from './children/producer.js';
import type { QueueWork } from './children/worker.js';
import type { DrillStage } from './run.js';
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
const { queue, failing, absent } = FAILED_DEPLOY_TRUTH;

const PER_SECOND = { 'http-check': 10, 'threshold-check': 6, 'match-event': 5, 'cache-flush': 2 };
const TYPES = Object.keys(PER_SECOND) as readonly (keyof typeof PER_SECOND)[];
/** Each type completes often enough to be a habit: two dozen times the rarest. */
const STEADY_MS = 12_000;
/** Enough to know nine of ten from the half. */
const ENOUGH_FAILURES = 20;
const FAILING_WITHIN_MS = 15_000;

export interface DeployStage extends DrillStage {
  /** By the type of the jobs that each adds. */
  readonly producers: ReadonlyMap<string, Player<ProducerHears>>;
  workers: readonly Player[];
  deployedAtMs: number;
  /** Ids of failed jobs that somebody removed by hand. */
  removed: readonly string[];
}

export async function startMonitors({ world, activity }: DrillStage): Promise<DeployStage> {
  const workers = await startRelease(world, '2.6.3');
  const producers = await Promise.all(
    TYPES.map(async (jobName) => {
      const plan = {
        ...{ queue, jobName, dataChars: 0, perSecond: PER_SECOND[jobName], subjects: 200 },
        options: { removeOnComplete: { count: 500 } },
      };
      return [jobName, await world.produce(`scheduler of ${jobName}`, plan)] as const;
    }),
  );
  activity.note('two workers of release 2.6.3 run four types of jobs');
  return { world, activity, producers: new Map(producers), workers, deployedAtMs: 0, removed: [] };
}

/** All four types finish, and none fails. */
export async function keepSteady({ world, activity }: DeployStage): Promise<void> {
  await sleep(STEADY_MS);
  activity.check(
    'before: jobs of all four types complete, and none fails',
    TYPES.every((name) => world.ledger.failed(queue, name) === 0 && world.ledger.completed(queue, name) > 0),
    typesInWords(world),
  );
}

/** A pipeline marks its deploy; the new workers fail at one type, and another is not scheduled any more. */
export async function deploy(stage: DeployStage, api: Api): Promise<void> {
  stage.deployedAtMs = Date.now();
  stage.activity.moment('the deploy');
  const stopped = stage.producers.get(absent)?.stop();
  await release(stage, api, '2.7.0', FAILED_DEPLOY_TRUTH.marker, { failingType: failing });
  await stopped;
}

/** The next release fails at jobs of some ids alone. Resolves when nobody of the release before is at work any more. */
export async function deployFix(
  stage: DeployStage,
  api: Api,
  stillFailing: readonly string[],
): Promise<void> {
  await release(stage, api, '2.7.1', FAILED_DEPLOY_TRUTH.fix, { stillFailing });
  stage.activity.moment('the fix');
}

async function release(stage: DeployStage, api: Api, version: string, marker: string, fails: Fails) {
  await api.mark({ text: marker, queue });
  const before = stage.workers;
  stage.workers = await startRelease(stage.world, version, fails);
  await Promise.all(before.map((player) => player.stop()));
  stage.activity.note(`release ${version} is deployed, with a marker`, marker);
}

/** Waits until enough has failed, and checks that it is that type, nine of ten of it, and no other. */
export async function checkFailing({ world, activity }: DeployStage): Promise<void> {
  const { ledger } = world;
  const completed = ledger.completed(queue, failing);
  await activity.checkWithin(
    `after: about nine of ten ${failing} fail, and are kept`,
    FAILING_WITHIN_MS,
    async () => {
      const failures = ledger.failed(queue, failing);
      const successes = ledger.completed(queue, failing) - completed;
      const kept = await world.redis.client.zcard(`bull:${queue}:failed`);
      return [
        failures >= ENOUGH_FAILURES && failures / (failures + successes) >= 0.75,
        `${failures} failed, ${successes} completed; Redis keeps ${kept}`,
      ];
    },
  );
  activity.check(
    'after: no other type fails',
    TYPES.every((name) => name === failing || ledger.failed(queue, name) === 0),
    typesInWords(world),
  );
}

function typesInWords({ ledger }: World): string {
  return TYPES.map(
    (name) => `${name} ${ledger.completed(queue, name)} completed, ${ledger.failed(queue, name)} failed`,
  ).join('; ');
}

type Fails = Pick<QueueWork, 'failingType' | 'stillFailing'>;

function startRelease(world: World, version: string, fails: Fails = {}): Promise<readonly Player[]> {
  return Promise.all(
    ['monitor-1', 'monitor-2'].map((name) =>
      world.work(`${name} of ${version}`, {
        labels: { release: version, host: hostname() },
        works: [{ queue, name, concurrency: 5, runMs: 50, ...fails }],
      }),
    ),
  );
}
