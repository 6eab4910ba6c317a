import type { OwnRedis } from '../drills/own-redis.js';
import type { Row, Say } from './row.js';
import {
  copyQueues,
  cpuMsOf,
  firstByteMs,
  medianOf,
  pause,
  redisCost,
  residentBytes,
  type Served,
  seesQueues,
  startConsole,
  waitFor,
} from './world.js';

const MB = 2 ** 20;
/** The first looks into jobs and memory are over then, and what they took is given back. */
const SETTLE_MS = 60_000;
const WINDOWS = 6;
const WINDOW_MS = 8_000;

/** What a console takes once it has settled, by windows; of Redis, what Redis takes by itself is still in it. */
interface Steady {
  readonly consolePercent: readonly number[];
  readonly redisPercent: readonly number[];
  readonly residentMb: readonly number[];
}

/** What a console takes of a Redis with `few` queues and one with `many`, and how soon it has found those that are new. */
export async function manyQueueRows(
  redis: OwnRedis,
  few: number,
  many: number,
  isQuick: boolean,
  say: Say,
): Promise<readonly Row[]> {
  const share = isQuick ? 0.05 : 1;
  const aloneAtFew = await redisPercentOf(redis, WINDOW_MS * WINDOWS * share);
  const console_ = await startConsole(redis);
  try {
    await waitFor(() => seesQueues(console_, few), `the console sees ${few} queues`);
    say(`a console of ${few} queues, settled`);
    const atFew = await steadyOf(redis, console_, share);
    say(`${many - few} queues get their first jobs`);
    const startedAt = performance.now();
    await copyQueues(redis, few, many, 2);
    const seedSeconds = (performance.now() - startedAt) / 1000;
    const foundSeconds = await secondsUntilSeen(console_, many, startedAt);
    say(`found within ${foundSeconds.toFixed(1)} s; settled`);
    const atMany = await steadyOf(redis, console_, share);
    const pageMs: number[] = [];
    for (let i = 0; i < 5; i++) pageMs.push(await firstByteMs(`${console_.url}/`));
    await console_.stop();
    const aloneAtMany = await redisPercentOf(redis, WINDOW_MS * WINDOWS * share);
    return [
      ...steadyRows(few, atFew, aloneAtFew, { residentMb: 130, consolePercent: 4 }),
      ...steadyRows(many, atMany, aloneAtMany, { residentMb: 250, consolePercent: 12 }),
      {
        id: 'many-queues.found',
        what: `from the first job of ${many - few} new queues until the console knows all ${many}`,
        kind: 'time',
        unit: 's',
        value: foundSeconds,
        limit: 30,
        detail: `their first jobs came within ${seedSeconds.toFixed(1)} s`,
      },
      await foundAfterStart(redis, many),
      {
        id: 'many-queues.overview',
        what: `first byte of the overview at ${many} queues, median of 5`,
        kind: 'time',
        unit: 'ms',
        value: medianOf(pageMs),
      },
    ];
  } finally {
    await console_.stop();
  }
}

async function foundAfterStart(redis: OwnRedis, many: number): Promise<Row> {
  const startedAt = performance.now();
  const console_ = await startConsole(redis);
  try {
    const value = await secondsUntilSeen(console_, many, startedAt);
    const what = `from the start of a console until it knows all ${many} queues`;
    return { id: 'many-queues.found-at-start', what, kind: 'time', unit: 's', value };
  } finally {
    await console_.stop();
  }
}

async function secondsUntilSeen(console_: Served, queues: number, startedAt: number): Promise<number> {
  await waitFor(() => seesQueues(console_, queues), `the console sees ${queues} queues`, 600_000);
  return (performance.now() - startedAt) / 1000;
}

async function steadyOf(redis: OwnRedis, console_: Served, share: number): Promise<Steady> {
  await pause(SETTLE_MS * share);
  const [consolePercent, redisPercent, residentMb] = [[] as number[], [] as number[], [] as number[]];
  for (let i = 0; i < WINDOWS; i++) {
    const [cpuThen, thenMs] = [await cpuMsOf(console_.pid), performance.now()];
    redisPercent.push(await redisPercentOf(redis, WINDOW_MS * share));
    const passedMs = performance.now() - thenMs;
    consolePercent.push((((await cpuMsOf(console_.pid)) - cpuThen) / passedMs) * 100);
    residentMb.push((await residentBytes(console_.pid)) / MB);
  }
  return { consolePercent, redisPercent, residentMb };
}

/** Share of a core that Redis uses over some time. */
async function redisPercentOf(redis: OwnRedis, ms: number): Promise<number> {
  const [then, thenMs] = [await redisCost(redis.client), performance.now()];
  await pause(ms);
  const now = await redisCost(redis.client);
  return ((now.cpuMs - then.cpuMs) / (performance.now() - thenMs)) * 100;
}

function steadyRows(
  queues: number,
  steady: Steady,
  alone: number,
  limits: { readonly residentMb: number; readonly consolePercent: number },
): readonly Row[] {
  const { consolePercent, residentMb } = steady;
  const ofRedis = steady.redisPercent.map((percent) => percent - alone);
  const row = (id: string, what: string, unit: string, repeats: readonly number[], limit: number): Row => ({
    id: `queues-${queues}.${id}`,
    what: `${what} at ${queues} queues, settled`,
    kind: 'cost',
    unit,
    value: medianOf(repeats),
    limit,
    repeats,
  });
  return [
    {
      ...row('redis-cpu', 'Redis CPU of the console', '% of a core', ofRedis, 1),
      peerDetail: `Redis alone takes ${alone.toFixed(2)}%`,
    },
    row('console-cpu', 'CPU of the console', '% of a core', consolePercent, limits.consolePercent),
    row('resident', 'resident memory of the console', 'MB', residentMb, limits.residentMb),
  ];
}
