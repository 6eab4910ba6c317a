import type { OwnRedis } from '../drills/own-redis.js';
import { sleep } from '../drills/wait-for.js';
import { readQueues } from '../server/redis/read-queues.js';
import type { RunningConsole } from '../test/support/console.js';
import { type Cost, costOf, firstByteMs } from './cost.js';
import { medianOf, type Row, ratio, type Say } from './row.js';
import { during, startBullBoard, startSeeing } from './world.js';

const REFRESHES = 5;
const VIEWED_MS = 6_000;

/** Refreshes and pages, by turns with bull-board's, of a Redis with so many queues. */
export function besideThePeer(
  redis: OwnRedis,
  queues: number,
  isQuick: boolean,
  say: Say,
): Promise<readonly Row[]> {
  return during(startBullBoard(redis, queues), async ({ url: list }) => {
    say('reading the same queues by both');
    const refresh = await refreshRow(redis, queues, list, isQuick ? 2 : 8);
    return during(startSeeing(redis, queues), async (console_) => {
      await sleep(isQuick ? 2_000 : 20_000);
      say('one viewer, then a hundred');
      const viewers = await viewersRow(redis, console_, isQuick ? 1 : 3);
      say('first bytes, by turns');
      return [refresh, ...(await firstByteRows(console_, list, queues, isQuick ? 5 : 25)), viewers];
    });
  });
}

async function refreshRow(redis: OwnRedis, queues: number, list: string, turns: number): Promise<Row> {
  const plans = Array.from({ length: queues }, (_, i) => ({
    id: `bull:queue-${i}`,
    withRare: true,
    withEvents: false,
    withSparse: false,
    withFinished: false,
    withHead: true,
    withWaiting: true,
    withActive: true,
    withLimiter: false,
    nowMs: 0,
    askAgeOf: null,
  }));
  const reader = redis.client.duplicate();
  await firstByteMs(list);
  await readQueues(reader, plans);
  // By turns, so that what else the machine does hits both alike.
  const [theirs, ours]: [Cost[], Cost[]] = [[], []];
  const times = async (run: () => Promise<unknown>): Promise<void> => {
    for (let i = 0; i < REFRESHES; i++) await run();
  };
  for (let i = 0; i < turns; i++) {
    theirs.push(await costOf(redis, () => times(() => firstByteMs(list))));
    ours.push(await costOf(redis, () => times(() => readQueues(reader, plans))));
  }
  reader.disconnect();
  const commands = ([first]: readonly Cost[]): string =>
    `${Math.round((first?.redisCommands ?? Number.NaN) / REFRESHES)} commands`;
  const cpuMs = (costs: readonly Cost[]) => costs.map(({ redisCpuMs }) => redisCpuMs / REFRESHES);
  return ratio(
    'refresh.redis-cpu',
    `Redis CPU of one full refresh of ${queues} queues`,
    'ms',
    cpuMs(ours),
    cpuMs(theirs),
    { limit: 0.2, detail: commands(ours), peerDetail: commands(theirs) },
  );
}

/** Redis commands a second with one SSE viewer and with a hundred. */
async function viewersRow(redis: OwnRedis, console_: RunningConsole, turns: number): Promise<Row> {
  const [one, hundred]: [Cost[], Cost[]] = [[], []];
  for (let i = 0; i < turns; i++) {
    one.push(await withViewers(redis, console_, 1));
    hundred.push(await withViewers(redis, console_, 100));
  }
  const perSecond = (costs: readonly Cost[], of: 'redisCommands' | 'redisCpuMs') =>
    costs.map((cost) => (cost[of] * 1000) / cost.tookMs);
  const cpu = (costs: readonly Cost[]): string =>
    `${medianOf(perSecond(costs, 'redisCpuMs')).toFixed(1)} ms/s of Redis CPU`;
  return ratio(
    'viewers.commands',
    'Redis commands a second with 100 live viewers, beside 1 (each page of bull-board polls for itself)',
    '/s',
    perSecond(hundred, 'redisCommands'),
    perSecond(one, 'redisCommands'),
    { limit: 1.15, detail: cpu(hundred), peerDetail: `with 1 viewer, ${cpu(one)}` },
  );
}

async function withViewers(redis: OwnRedis, { url }: RunningConsole, count: number): Promise<Cost> {
  const abort = new AbortController();
  const streams = Array.from({ length: count }, async () => {
    const response = await fetch(`${url}/api/v1/live`, { signal: abort.signal });
    for await (const _chunk of response.body ?? []);
  });
  await sleep(1_000);
  const cost = await costOf(redis, () => sleep(VIEWED_MS));
  abort.abort();
  await Promise.allSettled(streams);
  return cost;
}

async function firstByteRows(
  console_: RunningConsole,
  peerList: string,
  queues: number,
  times: number,
): Promise<readonly Row[]> {
  const all = `${console_.url}/api/v1/instances/default/queues?limit=1000`;
  const pages = [
    { id: 'overview', what: 'the overview page', url: `${console_.url}/`, ms: [] as number[] },
    { id: 'list', what: 'GET …/queues (all)', url: all, ms: [] as number[] },
  ];
  const theirs: number[] = [];
  // As often as the peer, whose list was read for its refreshes: code that has run is faster.
  for (let i = 0; i < times; i++) for (const { url } of pages) await firstByteMs(url);
  for (let i = 0; i < times; i++) {
    theirs.push(await firstByteMs(peerList));
    for (const page of pages) page.ms.push(await firstByteMs(page.url));
  }
  return pages.map(({ id, what, ms }) =>
    ratio(
      `${id}.first-byte`,
      `first byte of ${what} at ${queues} queues, median of ${times}`,
      'ms',
      ms,
      theirs,
      { limit: 0.08, peerDetail: 'its list of queues' },
    ),
  );
}
