import type { AlertWatch } from './alert-watch.js';
import { type Api, type ApiWorker, checkForecast } from './api.js';
import { replayThroughLoss } from './overloaded-layer-replay.js';
import { breakSome, FORWARD, type LayerStage, LEFT, RIGHT, startLayer } from './overloaded-layer-world.js';
import { MB, waitingIn } from './own-redis.js';
import { checkNothingLost, type Drill } from './run.js';
import { sleep, WAIT_FACTOR } from './wait-for.js';

const REPLAYED_JOBS = 50_000;
const HEARD_WITHIN_MS = 15_000;
const STEADY_MS = 20_000;
const OF_THE_MACHINE: readonly string[] = ['console.starved', 'host.starved'];
/** From the fact on. */
const NAMED_WITHIN_MS = 5_000;
/**
 * When each is a fact. A job of 100 ms hangs when it takes longer than 5 s; of an outlier medians of the last seconds have
 * to turn, with 20 slow runs at the least.
 */
const FACT_AFTER_MS = { crashed: 0, stuck: 5_000, outlier: 25_000 };
const MEASURED_MS = 3_000;
/** Of the slots that are left: what waits by then is gone in a quarter of a minute. */
const TIMES_SLOTS = 6;
const REASON = 'drill overloaded-layer';

/** incidents.md, 2: a blip crashes some processes of a layer, and the survivors are overloaded. */
export const overloadedLayer: Drill = {
  name: 'overloaded-layer',
  about:
    'eight workers on two queues: some crash, one hangs, one drags the rest, the survivors are overloaded; later half of them are lost during a replay',
  maxmemoryBytes: 512 * MB,
  alerts: {
    expected: [
      // Both in one finding, so in one alert.
      ...['left-1', 'left-2'].map((naming) => ({
        ...{ rule: 'workers', queue: LEFT, naming },
        ...{ from: 'it breaks', noticedWithinSeconds: 6, isOpenEnded: true },
      })),
      {
        ...{ rule: 'workers', queue: LEFT, naming: 'left-3' },
        ...{ from: 'it breaks', noticedWithinSeconds: 12, isOpenEnded: true },
      },
      {
        ...{ rule: 'workers', queue: RIGHT, naming: 'right-1' },
        ...{ from: 'it breaks', noticedWithinSeconds: 30, until: 'right-1 is out', overWithinSeconds: 30 },
      },
      {
        ...{ rule: 'queue-overloaded', or: 'queue-growing', queue: LEFT },
        ...{ from: 'it breaks', noticedWithinSeconds: 20 },
        ...{ until: 'the backlog is gone', overWithinSeconds: 20 },
      },
      {
        // The alert of left-1 and left-2 goes on and names those that are lost after them; a new one, where it was over.
        ...{ rule: 'workers', queue: LEFT, naming: 'left-4' },
        ...{ from: 'left-3 ends', orSince: 'it breaks', noticedWithinSeconds: 40, isOpenEnded: true },
      },
      {
        ...{ rule: 'type-failing', queue: LEFT, type: FORWARD },
        ...{ from: 'the next hop is away', noticedWithinSeconds: 20 },
        ...{ until: 'all is replayed', overWithinSeconds: 20 },
      },
    ],
    allowed: [
      { rule: 'redis-filling', because: 'fifty thousand jobs are added that fail and stay' },
      { rule: 'type-failing', queue: RIGHT, type: FORWARD, because: 'there they fail for a moment only' },
      { rule: 'workers', queue: RIGHT, naming: 'right-1', because: 'it is killed to be replaced' },
      ...['queue-overloaded', 'queue-growing'].flatMap((rule) => [
        { rule, queue: LEFT, because: 'half of its workers are lost during a replay' },
        { rule, queue: RIGHT, because: 'a third of its slots is ten times slower' },
      ]),
    ],
  },
  guide: [
    'Look at Workers: each of the eight has a verdict with its reason.',
    'Raise the capacity of both queues at once: Act on a group, or PATCH /workers?match=layer-*.',
    'Take the one that drags the rest out of the pool and look at the waiting time.',
  ],
  async start(parts, { jobs }) {
    const stage = await startLayer(parts, jobs ?? REPLAYED_JOBS);
    return {
      async follow() {
        await sleep(15_000);
        await breakSome(stage);
      },
      resolve: (api, alerts) => resolve(stage, api, alerts),
    };
  },
};

/** What the person at the console would do, through the JSON API alone, with checks before and after. */
async function resolve(stage: LayerStage, api: Api, alerts: AlertWatch): Promise<void> {
  await checkSteady(stage, api);
  await breakSome(stage);
  await checkNamed(stage, api);
  await checkOverloaded(stage, api);
  await alerts.untilNotified('it breaks');
  await raiseCapacity(stage, api);
  await takeOutlierOut(stage, api);
  await replayThroughLoss(stage, api, alerts);
  // What crashed workers had in hand has come back as stalled and was done by others.
  await checkNothingLost(stage, [LEFT, RIGHT]);
}

async function checkSteady({ activity }: LayerStage, api: Api): Promise<void> {
  await activity.checkWithin(
    'the console hears all eight workers',
    HEARD_WITHIN_MS,
    async () => (await api.workers()).summary.withAgent === 8,
  );
  const wrong = new Set<string>();
  const latestMs = Date.now() + STEADY_MS * (1 + WAIT_FACTOR);
  let untilMs = Date.now() + STEADY_MS;
  while (Date.now() < untilMs) {
    for (const worker of (await api.workers()).workers)
      if (worker.verdict !== 'healthy' || worker.outlier) wrong.add(`${worker.label} ${verdictOf(worker)}`);
    const codes = (await api.findings()).map(({ code }) => code);
    for (const code of codes) if (code.startsWith('worker.')) wrong.add(code);
    // A machine without CPU to spare overloads its workers in truth: the load is steady from its end on.
    if (codes.some((code) => OF_THE_MACHINE.includes(code)) && Date.now() + STEADY_MS < latestMs) {
      wrong.clear();
      untilMs = Date.now() + STEADY_MS;
    }
    await sleep(250);
  }
  activity.check(
    `no false verdict in ${STEADY_MS / 1000} s of steady load`,
    wrong.size === 0,
    [...wrong].join(', '),
  );
}

async function checkNamed({ activity, made }: LayerStage, api: Api): Promise<void> {
  for (const { name, verdict, atMs } of made)
    await activity.checkWithin(
      `${name} is named ${verdict}`,
      atMs + FACT_AFTER_MS[verdict] + NAMED_WITHIN_MS - Date.now(),
      async () => {
        const worker = await api.worker(name);
        const said = worker ? `${verdictOf(worker)}: ${worker.sentence}` : 'not listed';
        return [
          verdict === 'outlier' ? (worker?.outlier ?? null) !== null : worker?.verdict === verdict,
          `${((Date.now() - atMs) / 1000).toFixed(1)} s after it was made so; ${said.slice(0, 110)}`,
        ];
      },
    );
}

async function checkOverloaded({ activity, made }: LayerStage, api: Api): Promise<void> {
  await activity.checkWithin('the survivors of the left queue are named overloaded', 20_000, async () => {
    const survivors = await Promise.all(['left-4', 'left-5'].map((name) => api.worker(name)));
    const said = survivors.map((worker) => `${worker?.name} ${worker?.verdict}`).join(', ');
    return [survivors.every((worker) => worker?.verdict === 'overloaded'), said];
  });
  const troubled = new Set(made.map(({ name }) => name));
  const wrong = (await api.workers()).workers.filter(
    (worker) =>
      !troubled.has(worker.name ?? '') &&
      (worker.outlier !== null || !['healthy', 'overloaded'].includes(worker.verdict)),
  );
  activity.check(
    'and nobody is named wrongly',
    wrong.length === 0,
    wrong.map((worker) => `${worker.label} ${verdictOf(worker)}`).join(', '),
  );
  const codes = new Set((await api.findings()).map((finding) => finding.code));
  const wanted = ['worker.crashed', 'worker.stuck', 'worker.outlier', 'queue.overloaded'];
  activity.check(
    'findings name crash, hang, outlier and overload',
    wanted.every((code) => codes.has(code)),
    [...codes].join(', '),
  );
}

/** Both queues of the layer in one action. */
async function raiseCapacity({ world, activity }: LayerStage, api: Api): Promise<void> {
  const waiting = (): Promise<number> => waitingIn(world.redis, LEFT);
  const before = await waiting();
  // Those that take jobs get so many times their slots.
  const { present } = await api.plan(`bull:${LEFT}`, '');
  const plan = await api.plan(`bull:${LEFT}`, `concurrency=${present.slots * TIMES_SLOTS}`);
  const askedAtMs = Date.now();
  const { applied, outcomes } = await api.patch('/instances/default/workers?match=layer-*', {
    factor: TIMES_SLOTS,
    reason: REASON,
  });
  const summaries = outcomes.map(({ summary }) => summary).join(' | ');
  activity.check(
    'one action raises the capacity of both queues',
    applied + outcomes.filter(({ status }) => status === 'unverified').length === 2,
    summaries.slice(0, 200),
  );
  const isDownTo = (ratio: number) => async () => {
    const left = await waiting();
    return [left <= before * ratio, `${before} → ${left} waiting`] as const;
  };
  await activity.checkWithin('and the backlog falls', 30_000, isDownTo(0.5));
  await activity.checkWithin('to nothing', 60_000, isDownTo(0.01));
  activity.moment('the backlog is gone');
  checkForecast(activity, LEFT, plan, (Date.now() - askedAtMs) / 1000);
}

async function takeOutlierOut({ world, activity }: LayerStage, api: Api): Promise<void> {
  const outlier = await api.worker('right-1');
  if (!outlier) return activity.check('the outlier is listed', false);
  const latency = async (): Promise<number> => {
    const fromMs = Date.now();
    await sleep(MEASURED_MS);
    return world.ledger.latencyMs(RIGHT, fromMs, 0.9) ?? Number.POSITIVE_INFINITY;
  };
  const before = await latency();
  const { applied, outcomes } = await api.patch(`/instances/default/workers/${outlier.id}`, {
    paused: true,
    reason: REASON,
  });
  activity.check('the outlier is taken out of the pool', applied === 1, outcomes[0]?.summary);
  activity.moment('right-1 is out');
  // What it had in hand ends first.
  await sleep(2_000);
  const after = await latency();
  activity.check(
    'which brings down the time from adding a job to its end',
    after < before / 2,
    `9 of 10 within ${before.toFixed(0)} ms before, ${after.toFixed(0)} ms after`,
  );
}

function verdictOf({ outlier, verdict }: ApiWorker): string {
  return outlier ? 'outlier' : verdict;
}
