import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { runAction } from '../../server/actions/run.js';
import { planBasisOf } from '../../server/forecast/plan-basis.js';
import { predict } from '../../server/forecast/predict.js';
import { PredictionKeeper } from '../../server/forecast/prediction-keeper.js';
import type { Prediction } from '../../server/forecast/score.js';
import { predictionOf } from '../../server/forecast/score.js';
import type { PlanChange } from '../../server/model/plan.js';
import type { Snapshot } from '../../server/model/snapshot.js';
import type { Store } from '../../server/open-store.js';
import type { TickListener } from '../../server/watch/watch.js';
import { aWorker } from '../support/fleet.js';
import { aType, runsOf } from '../support/job-types.js';
import { aQueue, aSnapshot, NOW_MS, type QueueOver, someRates } from '../support/snapshot.js';
import { storesOfEachTest } from '../support/stores.js';
import { until } from '../support/until.js';
import { startWorkerScene } from '../support/worker-scene.js';

const stores = storesOfEachTest();
let store: Store;
beforeEach(async () => {
  store = await stores.open();
});

/** A thousand jobs of 400 ms wait for 20 slots; the clock and the reads are turned by hand. */
function byHand() {
  const clock = { nowMs: NOW_MS };
  let snapshot = at(0);
  const listeners = new Set<TickListener>();
  const warned: string[] = [];
  const keeperOf = () =>
    new PredictionKeeper({
      watch: {
        snapshot: () => snapshot,
        onTick: (listener) => {
          listeners.add(listener);
          return () => listeners.delete(listener);
        },
        refreshSoon: () => undefined,
      },
      log: store.predictions,
      isLeader: () => true,
      now: () => clock.nowMs,
      newId: randomUUID,
      warn: (message) => void warned.push(message),
    });
  function at(seconds: number, over: QueueOver = {}, slots = 20): Snapshot {
    const readAtMs = NOW_MS + seconds * 1000;
    const queue = aQueue({
      counts: { waiting: 1000, active: 10 },
      rates: someRates({ departuresPerSecond: 25 }),
      types: [aType({ waits: 1000, run: runsOf(400) })],
      ...over,
      readAtMs,
    });
    const worker = aWorker({
      lastSeenAtMs: readAtMs,
      agent: { lastBeatAtMs: readAtMs, concurrency: { deployed: 10, now: slots } },
    });
    return aSnapshot({ atMs: readAtMs, queues: [queue], workers: [worker] });
  }
  return {
    keeperOf,
    warned,
    at,
    turn(next: Snapshot): void {
      snapshot = next;
      clock.nowMs = next.atMs;
      for (const listener of listeners) listener('default', clock.nowMs);
    },
    /** What an action forecasts of the first Snapshot: 20 slots drain it in 20 s. */
    forecast(change: PlanChange = { concurrency: 20 }): Prediction {
      const basis = planBasisOf(at(0, {}, 10), 'bull:emails');
      const made = basis && predictionOf('default', basis, change, predict(basis.input, change), NOW_MS);
      if (!made) throw new Error('nothing is forecast');
      return made;
    },
  };
}

/** A keeper that has just been given a forecast. */
async function forecastByHand() {
  const hand = byHand();
  const keeper = hand.keeperOf();
  await keeper.start();
  await keeper.add(hand.forecast());
  return { hand, keeper };
}

const verdicts = async () => (await store.predictions.list({ limit: 100 })).map(({ verdict }) => verdict);
const untilStatus = (status: string) =>
  until(`a forecast is ${status}`, async () => (await verdicts()).some((one) => one.status === status));

describe('a forecast', () => {
  it('is held against the time at which the backlog was gone', async () => {
    const { hand, keeper } = await forecastByHand();
    for (let second = 1; second < 22; second++)
      hand.turn(hand.at(second, { counts: { waiting: Math.max(20, 1000 - 46 * second), active: 20 } }));
    expect((await verdicts())[0]?.status).toBe('open');
    hand.turn(hand.at(22, { counts: { waiting: 0 } }));
    await untilStatus('settled');
    const [verdict] = await verdicts();
    if (verdict?.status !== 'settled') throw new Error('it is settled');
    expect(verdict.actualSeconds).toBe(22);
    expect(verdict.errorRatio).toBeLessThan(0.25);
    expect((await store.predictions.score({ instance: 'default' })).count).toBe(1);
    keeper.stop();
  });

  it('says nothing of the planner once somebody changes the slots that it counted on', async () => {
    const { hand, keeper } = await forecastByHand();
    // Orders take a moment: other slots count only when they last.
    for (let second = 1; second <= 4; second++) hand.turn(hand.at(second, {}, 10));
    for (let second = 5; second <= 8; second++) hand.turn(hand.at(second));
    expect((await verdicts())[0]?.status).toBe('open');
    for (let second = 9; second <= 15; second++) hand.turn(hand.at(second, {}, 4));
    await untilStatus('void');
    expect((await verdicts())[0]).toEqual({ status: 'void', reason: 'settings-changed' });
    keeper.stop();
  });

  it('says nothing of the planner once far more arrives than it counted on', async () => {
    const { hand, keeper } = await forecastByHand();
    for (let second = 1; second <= 10; second++)
      hand.turn(hand.at(second, { addedTotal: 1000 + 80 * second }));
    await untilStatus('void');
    expect((await verdicts())[0]).toEqual({ status: 'void', reason: 'arrivals-changed' });
    keeper.stop();
  });

  it('is held against what happens by a console that was restarted meanwhile', async () => {
    const { hand, keeper: first } = await forecastByHand();
    hand.turn(hand.at(1));
    first.stop();
    const second = hand.keeperOf();
    await second.start();
    // The queue has not been found again yet.
    hand.turn(aSnapshot({ atMs: NOW_MS + 4_000 }));
    for (let at = 5; at < 20; at++) hand.turn(hand.at(at, { counts: { waiting: 400, active: 20 } }));
    hand.turn(hand.at(20, { counts: { waiting: 0 } }));
    await untilStatus('settled');
    second.stop();
  });

  it('is void where the console did not look when the backlog went', async () => {
    const { hand, keeper: first } = await forecastByHand();
    hand.turn(hand.at(1));
    first.stop();
    const second = hand.keeperOf();
    await second.start();
    hand.turn(hand.at(25, { counts: { waiting: 0 } }));
    await untilStatus('void');
    expect((await verdicts())[0]).toEqual({ status: 'void', reason: 'not-watched' });
    second.stop();
  });

  it('ends the one before it for the same queue, and no more than 200 are watched', async () => {
    const hand = byHand();
    const keeper = hand.keeperOf();
    await keeper.start();
    const made = hand.forecast();
    await keeper.add(made);
    await keeper.add(made);
    const statuses = (await verdicts()).map(({ status }) => status);
    expect(statuses.toSorted()).toEqual(['open', 'void']);
    for (let i = 0; i < 220; i++) await keeper.add({ ...made, queue: `bull:other-${i}` });
    expect(await store.predictions.list({ status: 'open', limit: 1000 })).toHaveLength(200);
    expect(hand.warned).toEqual([]);
    keeper.stop();
  });
});

it('an order to real workers is forecast, and what came of it is scored', async () => {
  const scene = await startWorkerScene();
  const { bench } = scene;
  const keeper = new PredictionKeeper({
    watch: bench.watch,
    log: store.predictions,
    isLeader: () => true,
    now: Date.now,
    newId: randomUUID,
    warn: (message) => {
      throw new Error(message);
    },
  });
  try {
    await keeper.start();
    // So few a second that their time is theirs, and not that of a processor which others use too.
    await scene.add(1_500);
    await scene.workers({ concurrency: 5, jobMs: 200 }, { concurrency: 5, jobMs: 200 });
    await until('what leaves at the present settings is measured', () => {
      const snapshot = bench.watch.snapshot('default');
      const basis = snapshot && planBasisOf(snapshot, 'bull:work');
      return basis?.assumed.length === 0 && basis.input.measured !== null;
    });
    const [outcome] = await runAction(
      { ...bench.deps, forecast: (prediction) => keeper.add(prediction) },
      { name: 'olga', role: 'admin', via: 'token' },
      {
        action: 'workers.concurrency',
        instance: 'default',
        queues: ['bull:work'],
        args: { value: 15 },
        reason: 'drill',
        dryRun: false,
      },
    );
    expect(outcome?.status).toBe('applied');
    const kept = await until(
      'it is settled',
      async () => {
        const [newest] = await store.predictions.list({ limit: 1 });
        return newest && newest.verdict.status !== 'open' ? newest : null;
      },
      { withinMs: 60_000 },
    );
    console.log(
      `forecast ${kept.drainSeconds?.toFixed(1)} s (${kept.drainRange}), ${JSON.stringify(kept.verdict)}`,
    );
    if (kept.verdict.status !== 'settled') throw new Error(`it is ${JSON.stringify(kept?.verdict)}`);
    const { errorRatio, isInsideRange } = kept.verdict;
    const actualSeconds = kept.verdict.actualSeconds ?? Number.NaN;
    const forecast = kept.drainSeconds ?? Number.NaN;
    const [low, high] = kept.drainRange ?? [];
    expect(errorRatio).toBeCloseTo(Math.abs(forecast - actualSeconds) / actualSeconds, 3);
    // A second of slack, as that is how often it is looked at.
    expect(isInsideRange).toBe(
      actualSeconds >= (low ?? 0) - 1 && actualSeconds <= (high ?? Number.POSITIVE_INFINITY) + 1,
    );
    // The machine is shared with whatever else is tested.
    expect(kept.verdict.errorRatio).toBeLessThan(0.5);
  } finally {
    keeper.stop();
    await scene.stop();
  }
});
