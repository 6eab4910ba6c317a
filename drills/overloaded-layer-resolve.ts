import type { AlertWatch } from './alert-watch.js';
import type { Api, ApiPlan, ApiWorker } from './api.js';
import { checkForecast } from './api.js';
import { checkNothingLost } from './check-nothing-lost.js';
import { PATIENCE } from './drill-times.js';
import { replayThroughLoss } from './overloaded-layer-replay.js';
import { breakSome, type LayerStage, LEFT, RIGHT } from './overloaded-layer-stage.js';
import { waitingIn } from './own-redis.js';
import { sleep } from './wait-for.js';

const HEARD_WITHIN_MS = 15_000;
const STEADY_MS = 20_000;
const OF_THE_MACHINE: readonly string[] = ['console.starved', 'host.starved'];
/** From the fact on. */
const NAMED_WITHIN_MS = 5_000;
/** A job of 100 ms hangs when it takes longer than 5 s; that is the fact. */
const HANGS_AFTER_MS = 5_000;
/** Medians of the last seconds have to turn, with 20 slow runs at the least. */
const OUTLIER_AFTER_MS = 25_000;
const MEASURED_MS = 3_000;
/** Of the slots that are left: what waits by then is gone in a quarter of a minute. */
const TIMES_SLOTS = 6;
const REASON = 'drill overloaded-layer';

/** What the person at the console would do, through the JSON API alone, with checks before and after. */
export async function resolveOverloadedLayer(stage: LayerStage, api: Api, alerts: AlertWatch): Promise<void> {
  await checkSteady(stage, api);
  breakSome(stage);
  await stage.surge();
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
  const latestMs = Date.now() + STEADY_MS * (1 + PATIENCE);
  let untilMs = Date.now() + STEADY_MS;
  while (Date.now() < untilMs) {
    for (const worker of (await api.workers()).workers)
      if (worker.verdict !== 'healthy' || worker.outlier)
        wrong.add(`${worker.label} ${worker.outlier ? 'outlier' : worker.verdict}`);
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
  for (const { name, verdict, atMs } of made) {
    const factMs =
      atMs + (verdict === 'stuck' ? HANGS_AFTER_MS : verdict === 'outlier' ? OUTLIER_AFTER_MS : 0);
    let said = '';
    await activity.checkWithin(
      `${name} is named ${verdict}`,
      factMs + NAMED_WITHIN_MS - Date.now(),
      async () => {
        const worker = find((await api.workers()).workers, name);
        said = worker
          ? `${worker.verdict}${worker.outlier ? ', outlier' : ''}: ${worker.sentence}`
          : 'not listed';
        return verdict === 'outlier' ? (worker?.outlier ?? null) !== null : worker?.verdict === verdict;
      },
      () => `${((Date.now() - atMs) / 1000).toFixed(1)} s after it was made so; ${said.slice(0, 110)}`,
    );
  }
}

async function checkOverloaded({ activity, made }: LayerStage, api: Api): Promise<void> {
  const survivors = ['left-4', 'left-5'];
  let said = '';
  await activity.checkWithin(
    'the survivors of the left queue are named overloaded',
    20_000,
    async () => {
      const { workers } = await api.workers();
      said = survivors.map((name) => `${name} ${find(workers, name)?.verdict}`).join(', ');
      return survivors.every((name) => find(workers, name)?.verdict === 'overloaded');
    },
    () => said,
  );
  const { workers } = await api.workers();
  const troubled = new Set(made.map(({ name }) => name));
  const wrong = workers.filter(
    (worker) =>
      !troubled.has(worker.name ?? '') &&
      (worker.outlier !== null || !['healthy', 'overloaded'].includes(worker.verdict)),
  );
  activity.check(
    'and nobody is named wrongly',
    wrong.length === 0,
    wrong.map((worker) => `${worker.label} ${worker.verdict}`).join(', '),
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
  const plan = await plannedFor(api, TIMES_SLOTS);
  const askedAtMs = Date.now();
  const outcomes = await api.patch('/instances/default/workers?match=layer-*', {
    factor: TIMES_SLOTS,
    reason: REASON,
  });
  activity.check(
    'one action raises the capacity of both queues',
    outcomes.applied + outcomes.outcomes.filter(({ status }) => status === 'unverified').length === 2,
    outcomes.outcomes
      .map(({ summary }) => summary)
      .join(' | ')
      .slice(0, 200),
  );
  const isDownTo = (ratio: number) => async () => (await waiting()) <= before * ratio;
  const figures = async (): Promise<string> => `${before} → ${await waiting()} waiting`;
  await activity.checkWithin('and the backlog falls', 30_000, isDownTo(0.5), figures);
  await activity.checkWithin('to nothing', 60_000, isDownTo(0.01), figures);
  activity.moment('the backlog is gone');
  checkForecast(activity, LEFT, plan, (Date.now() - askedAtMs) / 1000);
}

/** What the console forecasts when those that take jobs get so many times their slots. */
async function plannedFor(api: Api, times: number): Promise<ApiPlan> {
  const { present } = await api.plan(`bull:${LEFT}`, '');
  return api.plan(`bull:${LEFT}`, `concurrency=${present.slots * times}`);
}

async function takeOutlierOut({ world, activity }: LayerStage, api: Api): Promise<void> {
  const outlier = find((await api.workers()).workers, 'right-1');
  if (!outlier) return activity.check('the outlier is listed', false);
  const latency = async (): Promise<number> => {
    const fromMs = Date.now();
    await sleep(MEASURED_MS);
    return world.ledger.latencyMs(RIGHT, fromMs, 0.9) ?? Number.POSITIVE_INFINITY;
  };
  const before = await latency();
  const outcomes = await api.patch(`/instances/default/workers/${outlier.id}`, {
    paused: true,
    reason: REASON,
  });
  activity.check(
    'the outlier is taken out of the pool',
    outcomes.applied === 1,
    outcomes.outcomes[0]?.summary ?? '',
  );
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

function find(workers: readonly ApiWorker[], name: string): ApiWorker | null {
  return workers.find((worker) => worker.name === name) ?? null;
}
