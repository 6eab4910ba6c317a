import type { Account } from './account.js';
import type { Api, ApiFinding, ApiOutcomes } from './api.js';
import { drainBacklog } from './full-redis-backlog.js';
import { ANALYTICS, API, backlogs, inMegabytes, MB, stockPause, takesWrites } from './full-redis-look.js';
import { pause, waitFor } from './wait-for.js';
import type { World } from './world.js';

const WATCHED_FOR_MS = 4_000;
const SEEN_WITHIN_MS = 15_000;
const RECOVERED_WITHIN_MS = 75_000;
/** Enough room for what is under way, and the results that it leaves, not to fill Redis again within the minute. */
const ENOUGH_RATIO = 0.6;
const REASON = 'drill full-redis: make room so that the API can add jobs again';

/** What the person at the console would do, through the JSON API alone, with checks before and after. */
export async function resolveFullRedis(world: World, account: Account, api: Api): Promise<void> {
  await checkBefore(world, account);
  const finding = await findFull(account, api);
  if (!finding) return;
  await makeRoom(world, account, api, finding);
  await checkAfter(world, account, api);
  await drainBacklog(world, account, api);
  await checkNothingLost(world, account);
}

async function checkBefore(world: World, account: Account): Promise<void> {
  const refusal = await stockPause(world);
  account.check(
    'before: stock queue.pause() is refused',
    /OOM/.test(refusal ?? ''),
    refusal?.slice(0, 60) ?? 'it went through',
  );
  const { ledger } = world;
  const completedThen = ledger.completed(ANALYTICS) + ledger.completed(API);
  const errorsThen = ledger.workerErrors();
  await pause(WATCHED_FOR_MS);
  const completed = ledger.completed(ANALYTICS) + ledger.completed(API) - completedThen;
  const errors = Math.round((ledger.workerErrors() - errorsThen) / (WATCHED_FOR_MS / 1000));
  account.check(
    'before: restarted workers complete nothing, with jobs waiting',
    completed === 0 && (await world.redis.client.llen(`bull:${API}:wait`)) > 0,
    `${completed} completed in ${WATCHED_FOR_MS / 1000} s, ${errors} worker errors/s`,
  );
}

async function findFull(account: Account, api: Api): Promise<ApiFinding | null> {
  let found: ApiFinding | undefined;
  await waitFor(async () => {
    found = (await api.findings()).find((finding) => finding.code === 'redis.full');
    return found !== undefined;
  }, SEEN_WITHIN_MS);
  account.check('the console says redis.full', found !== undefined, found?.title ?? '');
  if (found) account.note(`it offers: ${found.remedies.map((remedy) => remedy.label).join('; ')}`);
  return found ?? null;
}

/** The finding's own remedies in their order, until there is room; never one that stops a queue. */
async function makeRoom(world: World, account: Account, api: Api, finding: ApiFinding): Promise<void> {
  for (const remedy of finding.remedies) {
    if (remedy.lever === 'queue.halt') continue;
    if ((await takesWrites(world)) && (await usedRatio(world)) < ENOUGH_RATIO) return;
    const outcomes =
      remedy.lever === 'redis.raise-maxmemory'
        ? await api.post(`/instances/${finding.instance}/relief`, {
            action: 'raise-maxmemory',
            ...remedy.args,
            reason: REASON,
          })
        : await api.post(`/levers/${remedy.lever}`, {
            instance: finding.instance,
            queues: remedy.queues,
            args: remedy.args,
            reason: REASON,
          });
    account.check(
      `lever ${remedy.lever} takes effect`,
      outcomes.failed === 0 && outcomes.applied > 0,
      told(outcomes),
    );
  }
}

function told(outcomes: ApiOutcomes): string {
  const tookMs = outcomes.outcomes.reduce((sum, outcome) => sum + outcome.durationMs, 0);
  const megabytes = (bytes: number): string => `${(bytes / MB).toFixed(1)} MB`;
  return [
    outcomes.freedBytes === null ? '' : `freed ${megabytes(outcomes.freedBytes)}`,
    outcomes.predictedFreedBytes === null ? '' : `foretold ${megabytes(outcomes.predictedFreedBytes)}`,
    `${tookMs.toFixed(0)} ms`,
    ...outcomes.outcomes.filter((outcome) => outcome.status !== 'applied').map((outcome) => outcome.summary),
  ]
    .filter((text) => text !== '')
    .join(', ');
}

async function checkAfter(world: World, account: Account, api: Api): Promise<void> {
  const { ledger } = world;
  const then = {
    accepted: ledger.accepted(API),
    analytics: ledger.completed(ANALYTICS),
    api: ledger.completed(API),
  };
  const isTaken = await waitFor(
    async () => (await takesWrites(world)) && ledger.accepted(API) > then.accepted,
    RECOVERED_WITHIN_MS,
  );
  account.check(
    'after: writes succeed, the API adds jobs again',
    isTaken,
    await inMegabytes(world, 'maxmemory'),
  );
  // One job of each in hand at most: the producers go on.
  const isDrained = await waitFor(
    async () =>
      (await world.redis.client.llen(`bull:${API}:wait`)) <= 5 &&
      ledger.completed(ANALYTICS) >= then.analytics + 5,
    RECOVERED_WITHIN_MS,
  );
  account.check(
    'after: workers drain both queues',
    isDrained,
    `completed since: ${ledger.completed(API) - then.api} API, ${ledger.completed(ANALYTICS) - then.analytics} analytics`,
  );
  const isQuiet = await waitFor(
    async () => !(await api.findings()).some((finding) => finding.code === 'redis.full'),
    SEEN_WITHIN_MS,
  );
  account.check('after: the console no longer says redis.full', isQuiet, await backlogs(world));
}

/** Stops everybody, then holds every id that was told against what Redis holds. */
async function checkNothingLost(world: World, account: Account): Promise<void> {
  await world.stopPlayers();
  for (const queue of [ANALYTICS, API]) {
    const balance = await world.ledger.balance(world.redis.client, queue);
    account.check(
      `no job lost in ${queue}: completed + in Redis = accepted`,
      balance.lost.length === 0 && balance.completed + balance.inRedis === balance.accepted,
      `${balance.completed} + ${balance.inRedis} = ${balance.accepted}; lost ${balance.lost.length}; refused adds ${balance.refused}, of them kept by Redis ${balance.refusedButKept}`,
    );
  }
}

async function usedRatio(world: World): Promise<number> {
  const info = await world.redis.client.info('memory');
  const field = (name: string): number => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1]);
  return field('used_memory') / field('maxmemory');
}
