import { Redis } from 'ioredis';
import type { OwnRedis } from '../drills/own-redis.js';
import { readQueues } from '../server/redis/read-queues.js';
import type { Row, Say } from './row.js';
import {
  costOf,
  firstByteMs,
  medianOf,
  pause,
  type RedisCost,
  redisCost,
  type Served,
  seesQueues,
  startBullBoard,
  startConsole,
  waitFor,
} from './world.js';

/** Refreshes and pages, by turns with bull-board's, of a Redis with so many queues. */
export async function besideThePeer(
  redis: OwnRedis,
  queues: number,
  isQuick: boolean,
  say: Say,
): Promise<readonly Row[]> {
  const board = await startBullBoard(redis, queues);
  try {
    const list = `${board.url}/api/queues`;
    say('reading the same queues by both');
    const refresh = await refreshRow(redis, queues, list, isQuick ? 2 : 8);
    const console_ = await startConsole(redis);
    try {
      await waitFor(() => seesQueues(console_, queues), `the console sees ${queues} queues`);
      await pause(isQuick ? 2_000 : 20_000);
      say('one viewer, then a hundred');
      const viewers = await viewersRow(redis, console_, isQuick ? 1 : 3);
      say('first bytes, by turns');
      return [refresh, ...(await firstByteRows(console_, list, queues, isQuick ? 5 : 25)), viewers];
    } finally {
      await console_.stop();
    }
  } finally {
    await board.stop();
  }
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
  const reader = new Redis(redis.port, '127.0.0.1');
  await firstByteMs(list);
  await readQueues(reader, plans);
  // By turns, so that what else the machine does hits both alike.
  const theirs: RedisCost[] = [];
  const ours: RedisCost[] = [];
  for (let i = 0; i < turns; i++) {
    theirs.push(await costOf(redis.client, 5, () => firstByteMs(list)));
    ours.push(await costOf(redis.client, 5, () => readQueues(reader, plans)));
  }
  reader.disconnect();
  return {
    id: 'refresh.redis-cpu',
    what: `Redis CPU of one full refresh of ${queues} queues`,
    kind: 'ratio',
    unit: 'ms',
    value: medianOf(ours.map(({ cpuMs }) => cpuMs)),
    peer: medianOf(theirs.map(({ cpuMs }) => cpuMs)),
    limit: 0.2,
    repeats: ours.map(({ cpuMs }, i) => cpuMs / (theirs[i]?.cpuMs ?? Number.NaN)),
    detail: `${ours[0]?.commands} commands`,
    peerDetail: `${theirs[0]?.commands} commands`,
  };
}

/** Redis commands a second with one SSE viewer and with a hundred. */
async function viewersRow(redis: OwnRedis, console_: Served, turns: number): Promise<Row> {
  const one: RedisCost[] = [];
  const hundred: RedisCost[] = [];
  for (let i = 0; i < turns; i++) {
    one.push(await withViewers(redis, console_, 1, 6));
    hundred.push(await withViewers(redis, console_, 100, 6));
  }
  const [own, alone] = [hundred, one].map((costs) => medianOf(costs.map(({ commands }) => commands)));
  return {
    id: 'viewers.commands',
    what: 'Redis commands a second with 100 live viewers, beside 1 (each page of bull-board polls for itself)',
    kind: 'ratio',
    unit: '/s',
    value: own ?? Number.NaN,
    peer: alone ?? Number.NaN,
    limit: 1.15,
    repeats: hundred.map(({ commands }, i) => commands / (one[i]?.commands ?? Number.NaN)),
    detail: `${medianOf(hundred.map(({ cpuMs }) => cpuMs)).toFixed(1)} ms/s of Redis CPU`,
    peerDetail: `with 1 viewer, ${medianOf(one.map(({ cpuMs }) => cpuMs)).toFixed(1)} ms/s`,
  };
}

async function withViewers(
  redis: OwnRedis,
  console_: Served,
  count: number,
  seconds: number,
): Promise<RedisCost> {
  const abort = new AbortController();
  const streams = Array.from({ length: count }, async () => {
    const response = await fetch(`${console_.url}/api/v1/live`, { signal: abort.signal });
    for await (const _chunk of response.body ?? []);
  });
  await pause(1_000);
  const before = await redisCost(redis.client);
  await pause(seconds * 1_000);
  const after = await redisCost(redis.client);
  abort.abort();
  await Promise.allSettled(streams);
  return {
    cpuMs: (after.cpuMs - before.cpuMs) / seconds,
    commands: (after.commands - before.commands) / seconds,
  };
}

async function firstByteRows(
  console_: Served,
  peerList: string,
  queues: number,
  times: number,
): Promise<readonly Row[]> {
  const pages = [
    { id: 'overview', what: 'the overview page', url: `${console_.url}/` },
    {
      id: 'list',
      what: 'GET …/queues (all)',
      url: `${console_.url}/api/v1/instances/default/queues?limit=1000`,
    },
  ];
  const theirs: number[] = [];
  const ours = pages.map((): number[] => []);
  for (let i = 0; i < times; i++) {
    theirs.push(await firstByteMs(peerList));
    for (const [n, { url }] of pages.entries()) ours[n]?.push(await firstByteMs(url));
  }
  return pages.map(({ id, what }, n) => ({
    id: `${id}.first-byte`,
    what: `first byte of ${what} at ${queues} queues, median of ${times}`,
    kind: 'ratio',
    unit: 'ms',
    value: medianOf(ours[n] ?? []),
    peer: medianOf(theirs),
    limit: 0.08,
    repeats: (ours[n] ?? []).map((ms, i) => ms / (theirs[i] ?? Number.NaN)),
    peerDetail: 'its list of queues',
  }));
}
