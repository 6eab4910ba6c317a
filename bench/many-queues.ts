import type { OwnRedis } from '../drills/own-redis.js';
import { sleep } from '../drills/wait-for.js';
import type { RunningConsole } from '../test/support/console.js';
import { costOf, firstByteMs, residentMb } from './cost.js';
import { cost, medianOf, type Row, type Say, time } from './row.js';
import { copyQueues } from './seed.js';
import { during, startOwnConsole, startSeeing, untilSees } from './world.js';

/** The first looks into jobs and memory are over then, and what they took is given back. */
const SETTLE_MS = 60_000;
const WINDOWS = 6;
const WINDOW_MS = 8_000;
const FOUND_WITHIN_MS = 600_000;

/** What a console takes of a Redis with `few` queues and one with `many`, and how soon it has found those that are new. */
export async function manyQueueRows(
  redis: OwnRedis,
  few: number,
  many: number,
  isQuick: boolean,
  say: Say,
): Promise<readonly Row[]> {
  const share = isQuick ? 0.05 : 1;
  const alone = async (): Promise<number> =>
    (await costOf(redis, () => sleep(WINDOW_MS * WINDOWS * share))).redisPercent;
  const aloneAtFew = await alone();
  return during(startSeeing(redis, few), async (console_) => {
    say(`a console of ${few} queues, settled`);
    const atFew = await settledCost(redis, console_, share);
    say(`${many - few} queues get their first jobs`);
    const startedAt = performance.now();
    await copyQueues(redis, few, many, 2);
    const seedSeconds = (performance.now() - startedAt) / 1000;
    await untilSees(console_, many, FOUND_WITHIN_MS);
    const foundSeconds = (performance.now() - startedAt) / 1000;
    say(`found within ${foundSeconds.toFixed(1)} s; settled`);
    const atMany = await settledCost(redis, console_, share);
    const pageMs: number[] = [];
    for (let i = 0; i < 5; i++) pageMs.push(await firstByteMs(`${console_.url}/`));
    await console_.stop();
    const aloneAtMany = await alone();
    return [
      ...settledRows(few, atFew, aloneAtFew, { residentMb: 130, consolePercent: 4 }),
      ...settledRows(many, atMany, aloneAtMany, { residentMb: 250, consolePercent: 12 }),
      time(
        'many-queues.found',
        `from the first job of ${many - few} new queues until the console knows all ${many}`,
        's',
        foundSeconds,
        { limit: 30, detail: `their first jobs came within ${seedSeconds.toFixed(1)} s` },
      ),
      await foundAfterStart(redis, many),
      time(
        'many-queues.overview',
        `first byte of the overview at ${many} queues, median of 5`,
        'ms',
        medianOf(pageMs),
      ),
    ];
  });
}

function foundAfterStart(redis: OwnRedis, many: number): Promise<Row> {
  const startedAt = performance.now();
  return during(startOwnConsole(redis), async (console_) => {
    await untilSees(console_, many, FOUND_WITHIN_MS);
    const what = `from the start of a console until it knows all ${many} queues`;
    return time('many-queues.found-at-start', what, 's', (performance.now() - startedAt) / 1000);
  });
}

/** What a console takes once it has settled, by windows; of Redis, what Redis takes by itself is still in it. */
interface Settled {
  readonly consolePercent: number[];
  readonly redisPercent: number[];
  readonly residentMb: number[];
}

async function settledCost(redis: OwnRedis, { pid }: RunningConsole, share: number): Promise<Settled> {
  await sleep(SETTLE_MS * share);
  const settled: Settled = { consolePercent: [], redisPercent: [], residentMb: [] };
  for (let i = 0; i < WINDOWS; i++) {
    const used = await costOf(redis, () => sleep(WINDOW_MS * share), pid);
    settled.redisPercent.push(used.redisPercent);
    settled.consolePercent.push(used.processPercent);
    settled.residentMb.push(await residentMb(pid));
  }
  return settled;
}

function settledRows(
  queues: number,
  settled: Settled,
  alone: number,
  limits: { readonly residentMb: number; readonly consolePercent: number },
): readonly Row[] {
  const row = (id: string, what: string, unit: string, repeats: readonly number[], limit: number): Row =>
    cost(`queues-${queues}.${id}`, `${what} at ${queues} queues, settled`, unit, repeats, { limit });
  const ofRedis = settled.redisPercent.map((percent) => percent - alone);
  const [ofConsole, core] = [settled.consolePercent, '% of a core'];
  return [
    {
      ...row('redis-cpu', 'Redis CPU of the console', core, ofRedis, 1),
      peerDetail: `Redis alone takes ${alone.toFixed(2)}%`,
    },
    row('console-cpu', 'CPU of the console', core, ofConsole, limits.consolePercent),
    row('resident', 'resident memory of the console', 'MB', settled.residentMb, limits.residentMb),
  ];
}
