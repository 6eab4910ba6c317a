import type { Activity } from './account.js';
import { PATIENCE } from './alert-patience.js';
import type { AlertWatch } from './alert-watch.js';
import type { Api, ApiFinding, ApiOutcomes } from './api.js';
import { drainBacklog } from './full-redis-backlog.js';
import {
  ANALYTICS,
  API,
  API_KEEPS,
  backlogs,
  inMegabytes,
  MB,
  stockPause,
  takesWrites,
} from './full-redis-players.js';
import { pause, waitFor } from './wait-for.js';
import type { World } from './world.js';

const WATCHED_FOR_MS = 4_000;
const SEEN_WITHIN_MS = 15_000;
const RECOVERED_WITHIN_MS = 75_000;
/** The drill itself restarts the workers and looks at what they do, before the page is read. */
const RESTARTED_AND_WATCHED_MS = 12_000;
const LOOK_EVERY_MS = 1_500;
/** The API's own jobs wait no longer, and of the others so few that they are gone in no time. */
const FEW = 500;
const BATCH_SIZE = 20;
const REASON = 'drill full-redis: make room so that the API can add jobs again';

/** What the person at the console would do, through the JSON API alone, with checks before and after. */
export async function resolveFullRedis(
  world: World,
  account: Activity,
  api: Api,
  {
    alerts,
    refusedAtMs,
    backlogJobs,
  }: { readonly alerts: AlertWatch; readonly refusedAtMs: number; readonly backlogJobs: number },
): Promise<void> {
  await checkBefore(world, account);
  await findCause(account, api, refusedAtMs);
  await alerts.untilTold('Redis refuses writes');
  await followRemedies(world, account, api);
  account.moment('there is room');
  await checkAfter(world, account, api);
  await untilNothingGrows(world, account);
  await alerts.conclude();
  await drainBacklog(world, account, api, backlogJobs);
  await checkNothingLost(world, account);
}

async function checkBefore(world: World, account: Activity): Promise<void> {
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

/** The worst finding is to say it all: the type, its share, the wall that its runs wait at, and what to set. */
async function findCause(account: Activity, api: Api, refusedAtMs: number): Promise<void> {
  let top: ApiFinding | undefined;
  const isTold = await waitFor(async () => {
    [top] = await api.findings();
    return top !== undefined && tellsCause(top);
  }, SEEN_WITHIN_MS * PATIENCE);
  account.check(
    `the top finding names the job type, its share, the 10 s wall and the concurrency to set, within ${SEEN_WITHIN_MS / 1000} s`,
    isTold && Date.now() - refusedAtMs <= SEEN_WITHIN_MS * PATIENCE + RESTARTED_AND_WATCHED_MS,
    `${((Date.now() - refusedAtMs) / 1000).toFixed(1)} s after the first refusal: ${top?.code ?? 'no finding'}: ${top?.sentence.slice(-330) ?? ''}`,
  );
  account.note(`it offers: ${top?.remedies.map((remedy) => remedy.label).join('; ') ?? 'nothing'}`);
}

function tellsCause({ code, sentence, evidence }: ApiFinding): boolean {
  const value = (name: string): number =>
    Number(evidence.find((piece) => piece.name === name)?.value ?? Number.NaN);
  return (
    code === 'redis.full' &&
    sentence.includes('track') &&
    value('type-share') > 0.3 &&
    Math.abs(value('batch-wait') - 10) < 0.6 &&
    value('suggested-concurrency') >= BATCH_SIZE
  );
}

/** The first remedy of the worst finding, again and again: what somebody does who trusts the page. */
async function followRemedies(world: World, account: Activity, api: Api): Promise<void> {
  const tried = new Set<string>();
  const fromMs = Date.now();
  const isOver = async (): Promise<boolean> =>
    (await takesWrites(world)) && (await waitingIn(world, ANALYTICS)) < FEW;
  while (!(await isOver()) && Date.now() - fromMs < RECOVERED_WITHIN_MS) {
    const next = nextRemedy(await api.findings(), tried);
    if (!next) {
      await pause(LOOK_EVERY_MS);
      continue;
    }
    tried.add(next.call);
    const outcomes = await pull(api, next);
    account.check(
      `top remedy of ${next.finding.code} takes effect: ${next.remedy.label}`,
      outcomes.failed === 0 && outcomes.applied > 0,
      told(outcomes),
    );
    await pause(LOOK_EVERY_MS);
  }
  account.check(
    'following the top remedies alone, in order, resolves it',
    await isOver(),
    `${tried.size} remedies, ${((Date.now() - fromMs) / 1000).toFixed(1)} s; ${await backlogs(world)}`,
  );
}

interface Next {
  readonly finding: ApiFinding;
  readonly remedy: ApiFinding['remedies'][number];
  readonly call: string;
}

function nextRemedy(findings: readonly ApiFinding[], tried: ReadonlySet<string>): Next | null {
  for (const finding of findings) {
    if (finding.severity === 'info') continue;
    for (const remedy of finding.remedies) {
      const call = JSON.stringify([remedy.action, remedy.queues, remedy.args]);
      if (!tried.has(call)) return { finding, remedy, call };
    }
  }
  return null;
}

function pull(api: Api, { finding, remedy }: Next): Promise<ApiOutcomes> {
  return remedy.action === 'redis.raise-maxmemory'
    ? api.post(`/instances/${finding.instance}/relief`, {
        action: 'raise-maxmemory',
        ...remedy.args,
        reason: REASON,
      })
    : api.post(`/actions/${remedy.action}`, {
        instance: finding.instance,
        queues: remedy.queues,
        ...(remedy.workers === undefined ? {} : { workers: remedy.workers }),
        args: remedy.args,
        reason: REASON,
      });
}

function waitingIn(world: World, queue: string): Promise<number> {
  return world.redis.client.llen(`bull:${queue}:wait`);
}

function told(outcomes: ApiOutcomes): string {
  const tookMs = outcomes.outcomes.reduce((sum, outcome) => sum + outcome.durationMs, 0);
  const megabytes = (bytes: number): string => `${(bytes / MB).toFixed(1)} MB`;
  return [
    outcomes.freedBytes === null ? '' : `freed ${megabytes(outcomes.freedBytes)}`,
    outcomes.predictedFreedBytes === null ? '' : `forecast ${megabytes(outcomes.predictedFreedBytes)}`,
    `${tookMs.toFixed(0)} ms`,
    ...outcomes.outcomes.filter((outcome) => outcome.status !== 'applied').map((outcome) => outcome.summary),
  ]
    .filter((text) => text !== '')
    .join(', ');
}

async function checkAfter(world: World, account: Activity, api: Api): Promise<void> {
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

/** With room for writes the API catches up, and Redis fills on in truth until it keeps as many jobs and events as it may. */
async function untilNothingGrows(world: World, account: Activity): Promise<void> {
  const { client } = world.redis;
  const keepsAll = await waitFor(
    async () =>
      (await client.zcard(`bull:${API}:completed`)) >= API_KEEPS.jobs &&
      (await client.xlen(`bull:${API}:events`)) >= API_KEEPS.events,
    RECOVERED_WITHIN_MS * PATIENCE,
  );
  account.check('after: the API keeps no more than it may', keepsAll, await backlogs(world));
  account.moment('Redis grows no more');
}

/** Stops everybody, then holds every id that was told against what Redis holds. */
async function checkNothingLost(world: World, account: Activity): Promise<void> {
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
