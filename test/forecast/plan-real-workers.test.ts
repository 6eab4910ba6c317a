import { Queue } from 'bullmq';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { predict } from '../../server/forecast/predict.js';
import type { PlanInput } from '../../server/model/plan.js';
import { type AttachedProcess, startAttached } from '../support/attached-process.js';
import { planInput, typeLoad } from '../support/plan-input.js';
import { until } from '../support/until.js';

/**
 * What jobs of each type take, and how many of ten are of it: so long that their time is theirs, and not that of a
 * processor which others use too.
 */
const TYPES = [
  { name: 'mail', ms: 80, ofTen: 7 },
  { name: 'export', ms: 320, ofTen: 3 },
] as const;
const PROCESSES = 2;
const JOBS = 2_000;

let redis: OwnRedis;
let queue: Queue;
const processes: AttachedProcess[] = [];
beforeEach(async () => {
  redis = await startRedis();
  queue = new Queue('work', { connection: { port: redis.port, host: '127.0.0.1' } });
});
afterEach(async () => {
  for (const one of processes.splice(0)) await one.stop();
  await queue.close();
  await redis.stop();
});

async function addJobs(): Promise<void> {
  const kinds = TYPES.flatMap((type) => Array.from({ length: type.ofTen }, () => type));
  await queue.addBulk(
    Array.from({ length: JOBS }, (_, i) => {
      // 7 and 10 have no common divisor, so the types are well mixed.
      const type = kinds[(i * 7) % kinds.length] ?? TYPES[0];
      return { name: type.name, data: { ms: type.ms }, opts: { removeOnComplete: true } };
    }),
  );
}

/** Jobs that leave, in blocks of about a second; ends after `blocks` of them. */
async function departures(blocks: number): Promise<PlanInput['measured']> {
  const rates: number[] = [];
  let before = { atMs: Date.now(), left: await leftOf() };
  while (rates.length < blocks) {
    const since = before;
    await until('a second has passed', () => Date.now() - since.atMs >= 1000, { everyMs: 50 });
    const now = { atMs: Date.now(), left: await leftOf() };
    rates.push(((since.left - now.left) * 1000) / (now.atMs - since.atMs));
    before = now;
  }
  const sorted = [...rates].sort((a, b) => a - b);
  const departuresPerSecond = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
  return { departuresPerSecond, departuresRange: [sorted[0] ?? 0, sorted[sorted.length - 1] ?? 0] };
}

async function leftOf(): Promise<number> {
  const { waiting = 0, active = 0 } = await queue.getJobCounts('waiting', 'active');
  return waiting + active;
}

it('what is forecast of a live raise of concurrency comes true with real workers', async () => {
  await addJobs();
  const start = () =>
    startAttached({ port: redis.port, workers: [{ queue: 'work', concurrency: 4, attach: null }] });
  processes.push(...(await Promise.all(Array.from({ length: PROCESSES }, start))));
  const measured = await departures(5);
  const waiting = await queue.getWaitingCount();
  const input = planInput({
    types: TYPES.map(({ name, ms, ofTen }) =>
      typeLoad({ name, runMs: ms, waiting: (waiting * ofTen) / 10, arrivalsPerSecond: 0 }),
    ),
    processes: PROCESSES,
    slots: 4 * PROCESSES,
    measured,
  });
  const asItIs = predict(input, {});
  const raised = predict(input, { concurrency: 16 * PROCESSES });
  const startMs = Date.now();
  for (const one of processes) await one.tell('setConcurrency', { value: 16 });
  await until('nothing waits', async () => (await queue.getWaitingCount()) === 0, { withinMs: 60_000 });
  const tookSeconds = (Date.now() - startMs) / 1000;
  const [low, high] = raised.drainRange;
  console.log(
    `forecast ${raised.drainSeconds?.toFixed(1)} s (${low?.toFixed(1)} to ${high?.toFixed(1)}), took ${tookSeconds.toFixed(1)} s; as it was: ${asItIs.drainSeconds?.toFixed(1)} s`,
  );
  expect(Math.abs((raised.drainSeconds ?? 0) - tookSeconds) / tookSeconds).toBeLessThan(0.3);
  // The machine is shared with whatever else is tested, so the range is given some room.
  expect(tookSeconds).toBeGreaterThan((low ?? 0) * 0.9);
  expect(tookSeconds).toBeLessThan((high ?? 0) * 1.25);
  expect(tookSeconds).toBeLessThan((asItIs.drainSeconds ?? 0) / 2);
});
