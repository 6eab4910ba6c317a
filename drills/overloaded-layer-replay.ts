import type { AlertWatch } from './alert-watch.js';
import type { Api, ApiReplay } from './api.js';
import { accountInWords, replayOf } from './api.js';
import type { WorkerHears } from './children/worker.js';
import { FORWARD, JOB_MS, jobs, join, type LayerStage, LEFT, RIGHT } from './overloaded-layer-world.js';
import { waitingIn } from './own-redis.js';
import { sleep, WAIT_FACTOR, waitFor } from './wait-for.js';

/** Live jobs of the left queue a second, whatever else happens. */
const LIVE_PER_SECOND = 60;
/** Live and replayed jobs together take this share of what the whole layer can do: too much for half of it. */
const TAKEN_RATIO = 0.75;
/** Slots of each worker: in the small form a replay that lasts long enough is one of a smaller layer. */
const SLOTS = { large: 16, small: 5 };
const LARGE_JOBS = 20_000;
const WORKERS = ['left-4', 'left-5', 'left-6', 'left-7'];
const LOST = ['left-4', 'left-6'];
const NORMAL_MS = 3_000;
const BACKS_OFF_WITHIN_MS = 15_000;
/** How long the half that is left is watched. */
const WATCHED_MS = 10_000;
const STANDS_MS = 2_000;
/** What waits up to this is nobody's trouble, however short the normal wait is: the guard's own floor. */
const FLOOR_MS = 1_000;
const REASON = 'drill overloaded-layer: what could not be passed on';

/**
 * Part two: what failed while the next hop was away is replayed when half of the workers are lost. The guard has to put
 * live jobs first, and a person stops and goes on with all replays in one action.
 */
export async function replayThroughLoss(stage: LayerStage, api: Api, alerts: AlertWatch): Promise<void> {
  const perSecond = await makeWhole(stage, api);
  await failToForward(stage);
  const normalMs = await measureNormal(stage);
  const begun = await begin(stage, api, perSecond);
  const lostAtMs = await loseHalf(stage, api);
  await checkBacksOff(stage, api, perSecond, lostAtMs);
  await checkLiveWait(stage, normalMs, lostAtMs);
  await checkOnePause(stage, api, begun);
  await join(stage, LEFT, 'left-8');
  await join(stage, LEFT, 'left-9');
  stage.activity.note('two workers take the places of those that were lost');
  await finish(stage, api, begun, perSecond);
  stage.activity.moment('all is replayed');
  await alerts.conclude();
  await checkEachOnce(stage);
}

/** Workers that were lost in part one are replaced. @returns jobs of a replay a second that the layer has room for. */
async function makeWhole(stage: LayerStage, api: Api): Promise<number> {
  await stage.surge?.stop();
  // Workers that join later follow the order too.
  const slots = stage.replayedJobs >= LARGE_JOBS ? SLOTS.large : SLOTS.small;
  const { failed, outcomes } = await api.patch('/instances/default/workers?match=layer-*', {
    concurrency: slots,
    reason: REASON,
  });
  stage.activity.check(
    `part two: ${slots} slots for each worker of the layer`,
    failed === 0,
    outcomes.map(({ summary }) => summary).join(' | '),
  );
  // One hangs and the other drags the rest: both end, and what they had in hand comes back as stalled.
  stage.activity.moment('left-3 ends');
  for (const name of ['left-3', 'right-1']) stage.workers.get(name)?.signal('SIGKILL');
  await Promise.all([
    join(stage, LEFT, 'left-6'),
    join(stage, LEFT, 'left-7'),
    join(stage, RIGHT, 'right-4'),
  ]);
  const perSecond = (WORKERS.length * slots * 1000) / JOB_MS;
  return Math.floor(perSecond * TAKEN_RATIO - LIVE_PER_SECOND);
}

/** Jobs fail at once while the next hop does not answer, and stay as failed ones. */
async function failToForward(stage: LayerStage): Promise<void> {
  const { world, activity } = stage;
  activity.moment('the next hop is away');
  sendAll(stage, { do: 'lose-next-hop' });
  const fromMs = Date.now();
  for (const [queue, atOnce] of forwarded(stage))
    await world.fill(`backlog of ${queue}`, { ...jobs(queue, FORWARD, 0), atOnce });
  await activity.checkWithin('all jobs that were to be passed on have failed', 120_000, () => {
    const failed = forwarded(stage).map(([queue]) => world.ledger.failed(queue, FORWARD));
    return [
      forwarded(stage).every(([, count], i) => failed[i] === count),
      `${failed.join(' and ')} in ${seconds(Date.now() - fromMs)} s`,
    ];
  });
  sendAll(stage, { do: 'find-next-hop' });
}

/** By the workers' own records: how old a live job is when it is taken. Nine of ten are not older. */
async function measureNormal({ world, activity }: LayerStage): Promise<number> {
  await waitFor(async () => (await waitingIn(world.redis, LEFT)) < LIVE_PER_SECOND / 10, 30_000);
  const fromMs = Date.now();
  await sleep(NORMAL_MS);
  const normalMs = world.ledger.waitMs(LEFT, fromMs, 0.9) ?? 0;
  activity.note('normal live wait, before the replay', `9 of 10 within ${normalMs} ms`);
  return normalMs;
}

/** A replay for each queue. @returns their ids, that of the left queue first. */
async function begin(stage: LayerStage, api: Api, perSecond: number): Promise<readonly string[]> {
  const ids: string[] = [];
  for (const [queue, jobs] of forwarded(stage)) {
    // The right one is slower, so that both are under way when all are paused.
    const ratePerSecond = queue === LEFT ? perSecond : (perSecond * jobs) / stage.replayedJobs / 2;
    const request = { queues: [`bull:${queue}`], filter: { jobTypes: [FORWARD] }, ratePerSecond };
    ids.push((await api.replay({ ...request, reason: REASON })).id);
  }
  stage.activity.note(
    `${stage.replayedJobs} jobs are replayed`,
    `${perSecond}/s, and a tenth of them on the right`,
  );
  return ids;
}

async function loseHalf(stage: LayerStage, api: Api): Promise<number> {
  const moved = async (): Promise<number> => (await replayOf(api, LEFT)).account.moved;
  await waitFor(async () => (await moved()) >= stage.replayedJobs / 8, 60_000);
  stage.activity.moment('half is lost');
  for (const name of LOST) stage.workers.get(name)?.signal('SIGKILL');
  stage.activity.note('half of the workers of the left queue are lost', `${await moved()} moved by then`);
  return Date.now();
}

async function checkBacksOff({ activity }: LayerStage, api: Api, perSecond: number, lostAtMs: number) {
  await activity.checkWithin(
    'auto-throttle slows the replay to half or less by itself, and names the live wait',
    BACKS_OFF_WITHIN_MS,
    async () => {
      const { pacePerSecond, paceReason } = await replayOf(api, LEFT);
      const pace = `${perSecond}/s → ${Math.round(pacePerSecond)}/s: ${paceReason}`;
      return [
        pacePerSecond <= perSecond / 2 && paceReason.includes('would wait'),
        `${seconds(Date.now() - lostAtMs)} s after the loss: ${pace}`,
      ];
    },
  );
}

async function checkLiveWait({ world, activity }: LayerStage, normalMs: number, lostAtMs: number) {
  await sleep(Math.max(0, lostAtMs + WATCHED_MS - Date.now()));
  const waitMs = world.ledger.waitMs(LEFT, lostAtMs, 0.9) ?? Number.POSITIVE_INFINITY;
  const mostMs = 2 * Math.max(normalMs, FLOOR_MS * WAIT_FACTOR);
  activity.check(
    'live jobs wait at most twice as long as normally, with half of the workers and the replay going on',
    waitMs <= mostMs,
    `9 of 10 within ${waitMs} ms, normally ${normalMs} ms; up to ${FLOOR_MS} ms count as normal; half within ${world.ledger.waitMs(LEFT, lostAtMs, 0.5)} ms`,
  );
}

async function checkOnePause({ world, activity }: LayerStage, api: Api, begun: readonly string[]) {
  const reached = await api.orderReplays({ state: 'paused', reason: REASON });
  const left = (): Promise<number[]> =>
    Promise.all([LEFT, RIGHT].map((queue) => world.redis.client.zcard(`bull:${queue}:failed`)));
  const then = await left();
  activity.check(
    'one action pauses all replays',
    begun.every((id) => reached.some((one) => one.id === id && one.state === 'paused')),
    reached.map(({ queues, state }) => `${queues.join(', ')} ${state}`).join('; '),
  );
  await sleep(STANDS_MS);
  const now = await left();
  activity.check(
    'and nothing is moved from its answer on',
    now.every((count, at) => count === then[at]),
    `${then.join(' and ')} failed jobs, ${now.join(' and ')} after ${STANDS_MS / 1000} s`,
  );
}

async function finish(stage: LayerStage, api: Api, begun: readonly string[], ratePerSecond: number) {
  const { activity, replayedJobs } = stage;
  const resumed = await api.orderReplays({ state: 'running', ratePerSecond, reason: REASON });
  activity.check(
    'one action lets them go on, at a rate for all',
    begun.every((id) => resumed.some((one) => one.id === id && one.state === 'running')) &&
      resumed.every((one) => one.ratePerSecond === ratePerSecond),
    `${ratePerSecond}/s each`,
  );
  let ended: readonly ApiReplay[] = [];
  const isDone = await waitFor(
    async () => {
      ended = (await api.replays()).filter(({ id }) => begun.includes(id));
      return ended.every(({ state, account: of }) => state === 'done' && of.toRun === 0);
    },
    60_000 + replayedJobs * 10,
    500,
  );
  activity.check(
    'they finish, every job of theirs replayed and succeeded',
    isDone &&
      ended.every(({ account: of }) => of.matched === of.moved && of.succeeded === of.moved) &&
      ended.reduce((sum, { account: of }) => sum + of.moved, 0) >= replayedJobs,
    ended.map((one) => `${one.state}: ${accountInWords(one)} (${one.paceReason})`).join(' | '),
  );
}

/** Every job that was replayed is reported as completed once: not lost, not doubled. */
async function checkEachOnce(stage: LayerStage): Promise<void> {
  const { world, activity } = stage;
  await world.stopPlayers();
  for (const [queue, count] of forwarded(stage)) {
    const accepted = [...world.ledger.reported('accepted', queue).keys()].filter((id) =>
      id.startsWith(`${FORWARD}-`),
    );
    const completed = world.ledger.reported('completed', queue);
    const unsaid = accepted.filter((id) => !completed.has(id));
    // A process that is killed can't report what it has just completed; Redis keeps it.
    const kept = await Promise.all(
      unsaid.map((id) => world.redis.client.zscore(`bull:${queue}:completed`, id)),
    );
    const lost = unsaid.filter((_, at) => kept[at] === null);
    const doubled = accepted.filter((id) => (completed.get(id) ?? 0) > 1);
    activity.check(
      `no replayed job lost and none doubled in ${queue}, by id`,
      accepted.length === count && lost.length === 0 && doubled.length === 0,
      `${accepted.length} of ${count}; lost ${lost.length}, doubled ${doubled.length}, completed by killed processes before they said so ${unsaid.length - lost.length}`,
    );
  }
}

function forwarded({ replayedJobs }: LayerStage): readonly (readonly [queue: string, jobs: number])[] {
  return [
    [LEFT, replayedJobs],
    [RIGHT, Math.ceil(replayedJobs / 10)],
  ];
}

function sendAll({ workers }: LayerStage, message: WorkerHears): void {
  for (const player of workers.values()) player.send(message);
}

function seconds(durationMs: number): string {
  return (durationMs / 1000).toFixed(1);
}
