import { Queue } from 'bullmq';
import { type Api, type ApiReplay, accountInWords } from './api.js';
import { type DeployStage, deployFix, FAILED_DEPLOY_TRUTH } from './failed-deploy-world.js';
import { waitFor } from './wait-for.js';
import type { World } from './world.js';

const { queue, failing, healthy } = FAILED_DEPLOY_TRUTH;
/** Jobs that fail for a reason of their own: of another type in the time range, and of the type after it. */
const ORPHANS = 5;
const REMOVED = 3;
const FAIL_AGAIN = 2;
const FAILED_WITHIN_MS = 10_000;
const DONE_WITHIN_MS = 30_000;
const REPORTED_WITHIN_MS = 2_000;
const SLOW_PER_SECOND = 5;
const FAST_PER_SECOND = 200;
const REASON = 'drill failed-deploy: runs of match-event that 2.7.0 failed at';

/** What a replay should have done, by job id, whatever it says itself. */
interface Expected {
  readonly inRange: readonly string[];
  readonly failAgain: readonly string[];
}

/**
 * Part two: the fix is out, and what failed of one type since the deploy is run again. Beside it lie jobs that failed
 * and must not be touched; of those in range some are removed by hand meanwhile, and some fail again.
 */
export async function replayWhatFailed(stage: DeployStage, api: Api): Promise<void> {
  await failOrphans(stage, healthy[1]);
  const failAgain = failedIds(stage.world, failing).slice(-FAIL_AGAIN);
  await deployFix(stage, api, failAgain);
  const toMs = Date.now();
  const inRange = failedIds(stage.world, failing);
  await failOrphans(stage, failing);
  const id = await begin(stage, api, toMs);
  await removeSome(stage, api, inRange, failAgain);
  const replay = await finish(api, id);
  checkAccount(stage, replay, inRange);
  await checkById(stage, { inRange, failAgain });
}

async function failOrphans({ world, producers, activity }: DeployStage, jobName: string): Promise<void> {
  const orphans = (): number => orphanIds(world, jobName).length;
  producers.get(jobName)?.send({ orphans: ORPHANS });
  await waitFor(() => orphans() === ORPHANS, FAILED_WITHIN_MS);
  activity.note(`${orphans()} jobs of ${jobName} fail for a reason of their own`);
}

/** From the deploy until the fix, one type; slow enough to be stopped on its way. */
async function begin({ deployedAtMs, activity }: DeployStage, api: Api, toMs: number): Promise<string> {
  const { id, spec } = await api.replay({
    queues: [`bull:${queue}`],
    filter: { jobTypes: [failing], fromMs: deployedAtMs, toMs },
    ratePerSecond: SLOW_PER_SECOND,
    reason: REASON,
  });
  activity.note('what failed is replayed', JSON.stringify(spec.filter));
  return id;
}

/** The newest go by hand while the replay stands: their turn has not come. */
async function removeSome(
  stage: DeployStage,
  api: Api,
  inRange: readonly string[],
  failAgain: readonly string[],
): Promise<void> {
  const { world, activity } = stage;
  await waitFor(async () => (await api.replays())[0]?.account.moved !== 0, DONE_WITHIN_MS);
  const [stands] = await api.orderReplays({ state: 'paused', reason: REASON });
  activity.check(
    'under way the account adds up, and says that the range is not covered yet',
    stands !== undefined &&
      stands.state === 'paused' &&
      addsUp(stands) &&
      stands.account.matched === inRange.length &&
      stands.account.remaining > 0 &&
      !stands.isRangeCovered,
    stands && accountInWords(stands),
  );
  const left = await world.redis.client.zrange(`bull:${queue}:failed`, '0', '-1');
  stage.removed = left.filter((id) => inRange.includes(id) && !failAgain.includes(id)).slice(-REMOVED);
  await remove(world, stage.removed);
  activity.note(`somebody removes ${stage.removed.length} of the failed jobs meanwhile`);
  await api.orderReplays({ state: 'running', ratePerSecond: FAST_PER_SECOND, reason: REASON });
}

async function finish(api: Api, id: string): Promise<ApiReplay> {
  let replay: ApiReplay | undefined;
  await waitFor(async () => {
    replay = (await api.replays()).find((one) => one.id === id);
    return replay?.state === 'done' && replay.account.toRun === 0;
  }, DONE_WITHIN_MS);
  if (!replay) throw new Error('the console does not list the replay that was begun');
  return replay;
}

function checkAccount({ activity, removed }: DeployStage, replay: ApiReplay, inRange: readonly string[]) {
  const { matched, moved, skipped, remaining, skippedBecause, failedAgain } = replay.account;
  activity.check(
    'the account adds up: matched = replayed + skipped + remaining',
    addsUp(replay) && matched === inRange.length && skipped === removed.length && remaining === 0,
    `${matched} = ${moved} + ${skipped} + ${remaining}; ${inRange.length} failed, as the workers reported`,
  );
  activity.check(
    'and replayed = succeeded + failed again + open',
    addsUp(replay) && failedAgain === FAIL_AGAIN && replay.account.toRun === 0 && replay.account.gone === 0,
    accountInWords(replay),
  );
  activity.check(
    'the time range is covered, and what is missing is named',
    replay.state === 'done' &&
      replay.isRangeCovered &&
      JSON.stringify(skippedBecause) === JSON.stringify({ 'no-longer-there': removed.length }),
    `${replay.paceReason} ${JSON.stringify(skippedBecause)}`,
  );
}

/** By what the workers reported of each id. */
async function checkById({ world, activity, removed }: DeployStage, { inRange, failAgain }: Expected) {
  const { ledger } = world;
  const completed = ledger.reported('completed', queue);
  const failed = ledger.reported('failed', queue);
  const ranAs = (id: string, completions: number, failures: number): boolean =>
    (completed.get(id) ?? 0) === completions && (failed.get(id) ?? 0) === failures;
  const bystanders = [...orphanIds(world, failing), ...orphanIds(world, healthy[1])];
  const wrong = (): readonly string[] => [
    ...inRange.filter((id) => {
      if (removed.includes(id)) return !ranAs(id, 0, 1);
      return failAgain.includes(id) ? !ranAs(id, 0, 2) : !ranAs(id, 1, 1);
    }),
    ...bystanders.filter((id) => !ranAs(id, 0, 1)),
    ...[...failed.keys()].filter((id) => !inRange.includes(id) && !bystanders.includes(id)),
  ];
  // Workers report a moment after the console has seen it.
  await waitFor(() => wrong().length === 0, REPORTED_WITHIN_MS);
  activity.check(
    'what failed of the one type, in the time range, and nothing else was replayed, by id',
    wrong().length === 0 && bystanders.length === 2 * ORPHANS,
    `${inRange.length} in range, of them ${removed.length} removed by hand and ${failAgain.length} failed again; ${bystanders.length} others failed and were left alone; wrong: ${wrong().slice(0, 10).join(', ') || 'none'}`,
  );
}

function addsUp({ account: of }: ApiReplay): boolean {
  return (
    of.matched === of.moved + of.skipped + of.remaining &&
    of.moved === of.succeeded + of.failedAgain + of.gone + of.toRun
  );
}

/** Failed jobs of a type, those that fail for a reason of their own left out, in the order in which they were reported. */
function failedIds(world: World, jobName: string): readonly string[] {
  const orphans = orphanIds(world, jobName);
  const ids = [...world.ledger.reported('failed', queue).keys()];
  return ids.filter((id) => id.startsWith(`${jobName}-`) && !orphans.includes(id));
}

function orphanIds({ ledger }: World, jobName: string): readonly string[] {
  return [...ledger.reported('failed', queue).keys()].filter((id) => id.startsWith(`${jobName}-orphan`));
}

async function remove(world: World, ids: readonly string[]): Promise<void> {
  const connection = { host: '127.0.0.1', port: world.redis.port };
  const stock = new Queue(queue, { connection, skipMetasUpdate: true });
  try {
    for (const id of ids) await stock.remove(id);
  } finally {
    await stock.close();
  }
}
