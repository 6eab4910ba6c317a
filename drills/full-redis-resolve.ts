import type { AlertWatch } from './alert-watch.js';
import { type Api, type ApiFinding, type ApiOutcomes, evidenceNamed } from './api.js';
import {
  ANALYTICS,
  API,
  API_KEEPS,
  BATCH_SIZE,
  BATCH_WAIT_SECONDS,
  backlogs,
  stockPause,
  takesWrites,
} from './full-redis-players.js';
import { inMegabytes, maxmemoryOf, waitingIn } from './own-redis.js';
import type { DrillStage } from './run.js';
import { sleep, WAIT_FACTOR, waitFor } from './wait-for.js';

const WATCHED_FOR_MS = 4_000;
const SEEN_WITHIN_MS = 15_000;
const RECOVERED_WITHIN_MS = 75_000;
/** The drill itself restarts the workers and looks at what they do, before the page is read. */
const RESTARTED_AND_WATCHED_MS = 12_000;
const LOOK_EVERY_MS = 1_500;
/** The API's own jobs wait no longer, and of the others so few that they are gone in no time. */
const FEW = 500;
const REASON = 'drill full-redis: make room so that the API can add jobs again';

/** What the person at the console would do, through the JSON API alone, with checks before and after. */
export async function resolveFullRedis(
  stage: DrillStage,
  api: Api,
  alerts: AlertWatch,
  refusedAtMs: number,
): Promise<void> {
  await checkBefore(stage);
  await findCause(stage, api, refusedAtMs);
  await alerts.untilNotified('Redis refuses writes');
  await followRemedies(stage, api);
  stage.activity.moment('there is room');
  await checkAfter(stage, api);
  await untilNothingGrows(stage);
  await alerts.conclude();
}

async function checkBefore({ world, activity }: DrillStage): Promise<void> {
  const refusal = await stockPause(world);
  activity.check(
    'before: stock queue.pause() is refused',
    /OOM/.test(refusal ?? ''),
    refusal?.slice(0, 60) ?? 'it went through',
  );
  const { ledger } = world;
  const completedThen = ledger.completed(ANALYTICS) + ledger.completed(API);
  const errorsThen = ledger.workerErrors();
  await sleep(WATCHED_FOR_MS);
  const completed = ledger.completed(ANALYTICS) + ledger.completed(API) - completedThen;
  const errors = Math.round((ledger.workerErrors() - errorsThen) / (WATCHED_FOR_MS / 1000));
  activity.check(
    'before: restarted workers complete nothing, with jobs waiting',
    completed === 0 && (await waitingIn(world.redis, API)) > 0,
    `${completed} completed in ${WATCHED_FOR_MS / 1000} s, ${errors} worker errors/s`,
  );
}

/** The worst finding is to say it all: the type, its share, the flush timeout that its runs wait for, and what to set. */
async function findCause({ activity }: DrillStage, api: Api, refusedAtMs: number): Promise<void> {
  let top: ApiFinding | undefined;
  const isNamed = await waitFor(async () => {
    [top] = await api.findings();
    return top !== undefined && namesCause(top);
  }, SEEN_WITHIN_MS);
  activity.check(
    `the top finding names the job type, its share, the flush timeout of ${BATCH_WAIT_SECONDS} s and the concurrency to set, within ${SEEN_WITHIN_MS / 1000} s`,
    isNamed && Date.now() - refusedAtMs <= SEEN_WITHIN_MS * WAIT_FACTOR + RESTARTED_AND_WATCHED_MS,
    `${((Date.now() - refusedAtMs) / 1000).toFixed(1)} s after the first refusal: ${top?.code ?? 'no finding'}: ${top?.cause ?? ''}`,
  );
  activity.note(`it offers: ${top?.remedies.map((remedy) => remedy.label).join('; ') ?? 'nothing'}`);
}

function namesCause(finding: ApiFinding): boolean {
  const value = (name: string): number => Number(evidenceNamed(finding, name) ?? Number.NaN);
  return (
    finding.code === 'redis.full' &&
    finding.cause.includes('track') &&
    value('type-share') > 0.3 &&
    Math.abs(value('batch-wait') - BATCH_WAIT_SECONDS) < 0.6 &&
    value('suggested-concurrency') >= BATCH_SIZE
  );
}

/** The first remedy of the worst finding, again and again: what somebody does who trusts the page. */
async function followRemedies({ world, activity }: DrillStage, api: Api): Promise<void> {
  const tried = new Set<string>();
  const fromMs = Date.now();
  const isOver = async (): Promise<boolean> =>
    (await takesWrites(world)) && (await waitingIn(world.redis, ANALYTICS)) < FEW;
  while (!(await isOver()) && Date.now() - fromMs < RECOVERED_WITHIN_MS) {
    const next = nextRemedy(await api.findings(), tried);
    if (!next) {
      await sleep(LOOK_EVERY_MS);
      continue;
    }
    tried.add(next.call);
    const outcomes = await apply(api, next);
    activity.check(
      `top remedy of ${next.finding.code} takes effect: ${next.remedy.label}`,
      outcomes.failed === 0 && outcomes.applied > 0,
      inWords(outcomes),
    );
    await sleep(LOOK_EVERY_MS);
  }
  activity.check(
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

function apply(api: Api, { finding, remedy }: Next): Promise<ApiOutcomes> {
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

function inWords(outcomes: ApiOutcomes): string {
  const tookMs = outcomes.outcomes.reduce((sum, outcome) => sum + outcome.durationMs, 0);
  return [
    outcomes.freedBytes === null ? '' : `freed ${inMegabytes(outcomes.freedBytes)}`,
    outcomes.predictedFreedBytes === null ? '' : `forecast ${inMegabytes(outcomes.predictedFreedBytes)}`,
    `${tookMs.toFixed(0)} ms`,
    ...outcomes.outcomes.filter((outcome) => outcome.status !== 'applied').map((outcome) => outcome.summary),
  ]
    .filter((text) => text !== '')
    .join(', ');
}

async function checkAfter({ world, activity }: DrillStage, api: Api): Promise<void> {
  const { ledger, redis } = world;
  const then = {
    accepted: ledger.accepted(API),
    analytics: ledger.completed(ANALYTICS),
    api: ledger.completed(API),
  };
  await activity.checkWithin(
    'after: writes succeed, the API adds jobs again',
    RECOVERED_WITHIN_MS,
    async () => [
      (await takesWrites(world)) && ledger.accepted(API) > then.accepted,
      inMegabytes(await maxmemoryOf(redis)),
    ],
  );
  await activity.checkWithin('after: workers drain both queues', RECOVERED_WITHIN_MS, async () => {
    const [ofApi, ofAnalytics] = [
      ledger.completed(API) - then.api,
      ledger.completed(ANALYTICS) - then.analytics,
    ];
    // One job of each in hand at most: the producers go on.
    const isDrained = (await waitingIn(redis, API)) <= 5 && ofAnalytics >= 5;
    return [isDrained, `completed since: ${ofApi} API, ${ofAnalytics} analytics`];
  });
  await activity.checkWithin('after: the console no longer says redis.full', SEEN_WITHIN_MS, async () => [
    !(await api.findings()).some((finding) => finding.code === 'redis.full'),
    await backlogs(world),
  ]);
}

/** With room for writes the API catches up, and Redis fills on in truth until it keeps as many jobs and events as it may. */
async function untilNothingGrows({ world, activity }: DrillStage): Promise<void> {
  const { client } = world.redis;
  await activity.checkWithin('after: the API keeps no more than it may', RECOVERED_WITHIN_MS, async () => [
    (await client.zcard(`bull:${API}:completed`)) >= API_KEEPS.jobs &&
      (await client.xlen(`bull:${API}:events`)) >= API_KEEPS.events,
    await backlogs(world),
  ]);
  activity.moment('Redis grows no more');
}
