import { writeFile } from 'node:fs/promises';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { type OwnRedis, startRedis } from '../drills/own-redis.js';
import { packagePath } from '../server/package-path.js';
import { readQueues } from '../server/redis/read-queues.js';
import { asideOf } from './aside.js';
import { ms, type Row, renderReport } from './report.js';
import {
  costOf,
  firstByteMs,
  medianCost,
  pause,
  quantile,
  type RedisCost,
  redisCost,
  residentBytes,
  type Served,
  seedQueues,
  startBullBoard,
  startConsole,
  waitFor,
} from './world.js';

const isQuick = process.argv.includes('--quick');
const QUEUES = isQuick ? 100 : 1_000;
const MANY_QUEUES = isQuick ? 500 : 10_000;
const JOBS = 50;

/**
 * Measures the console beside its peer and writes bench/RESULTS.md; with `--agents` the agents, and RESULTS-agents.md; with `--memory` where the
 * memory is, and RESULTS-memory.md; with `--replay` replays, and RESULTS-replay.md; with `--crash` what kills do to replays and parkings, and
 * RESULTS-crash.md; with `--history` what is kept of signals, and RESULTS-history.md; with `--alerts` the rules, and RESULTS-alerts.md.
 * `--quick`: a tenth of the size, nothing written.
 */
async function main(): Promise<void> {
  const other = asideOf(process.argv);
  if (other) return other(isQuick, say);
  const redis = await startRedis();
  const rows: Row[] = [];
  try {
    say(`seeding ${QUEUES} queues of ${JOBS} jobs`);
    await seedQueues(redis, 0, QUEUES, JOBS);
    rows.push(...(await besideThePeer(redis)));
    rows.push(...(await manyQueues(redis)));
    rows.push(...(await leverLatency()));
    const version = /redis_version:(\S+)/.exec(await redis.client.info('server'))?.[1] ?? 'unknown';
    const report = renderReport(rows, version, Date.now());
    say(report);
    if (!isQuick) await writeFile(packagePath('bench/RESULTS.md'), report);
  } finally {
    await redis.stop();
  }
}

async function besideThePeer(redis: OwnRedis): Promise<readonly Row[]> {
  const board = await startBullBoard(redis, QUEUES);
  say('reading the same queues by both');
  const list = `${board.url}/api/queues`;
  const plans = Array.from({ length: QUEUES }, (_, i) => ({
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
  const theirRuns: RedisCost[] = [];
  const ourRuns: RedisCost[] = [];
  for (let i = 0; i < (isQuick ? 2 : 6); i++) {
    theirRuns.push(await costOf(redis.client, 5, () => firstByteMs(list)));
    ourRuns.push(await costOf(redis.client, 5, () => readQueues(reader, plans)));
  }
  const theirs = medianCost(theirRuns);
  const ours = medianCost(ourRuns);
  reader.disconnect();
  const console_ = await startConsole(redis);
  try {
    await waitFor(() => seesQueues(console_, QUEUES), `the console sees ${QUEUES} queues`);
    await pause(isQuick ? 2_000 : 20_000);
    const refresh: Row = {
      what: `Redis CPU of one full refresh of ${QUEUES} queues`,
      spillway: `${ms(ours.cpuMs)}, ${ours.commands} commands`,
      peer: `${ms(theirs.cpuMs)}, ${theirs.commands} commands`,
      ratio: (ours.cpuMs / theirs.cpuMs).toFixed(3),
      wanted: '≤ 0.25',
      isMet: ours.cpuMs / theirs.cpuMs <= 0.25,
    };
    return [refresh, await viewers(redis, console_), ...(await firstBytes(console_, list))];
  } finally {
    await console_.stop();
    await board.stop();
  }
}

/** Redis CPU a second with one SSE viewer and with a hundred. */
async function viewers(redis: OwnRedis, console_: Served): Promise<Row> {
  say('one viewer, then a hundred');
  const one = await withViewers(redis, console_, 1);
  const hundred = await withViewers(redis, console_, 100);
  return {
    what: 'Redis commands a second with 100 live viewers, against 1',
    spillway: `${hundred.commands.toFixed(0)}/s, ${hundred.cpuMs.toFixed(1)} ms/s`,
    peer: `${one.commands.toFixed(0)}/s, ${one.cpuMs.toFixed(1)} ms/s`,
    ratio: (hundred.commands / one.commands).toFixed(2),
    wanted: '1 (each page of the peer polls for itself)',
    isMet: hundred.commands / one.commands <= 1.15,
  };
}

async function withViewers(redis: OwnRedis, console_: Served, count: number) {
  const abort = new AbortController();
  const streams = Array.from({ length: count }, async () => {
    const response = await fetch(`${console_.url}/api/v1/live`, { signal: abort.signal });
    for await (const _chunk of response.body ?? []);
  });
  const seconds = isQuick ? 3 : 12;
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

async function firstBytes(console_: Served, peerList: string): Promise<readonly Row[]> {
  say('first bytes, by turns');
  const pages = [
    { what: 'the overview page', url: `${console_.url}/` },
    { what: 'GET …/queues (all)', url: `${console_.url}/api/v1/instances/default/queues?limit=1000` },
  ];
  const times = new Map<string, number[]>();
  const note = (url: string, value: number): void => void times.set(url, [...(times.get(url) ?? []), value]);
  for (let i = 0; i < (isQuick ? 5 : 25); i++) {
    for (const url of [peerList, ...pages.map((page) => page.url)]) note(url, await firstByteMs(url));
  }
  const peer = quantile(times.get(peerList) ?? [], 0.5);
  return pages.map(({ what, url }) => {
    const own = quantile(times.get(url) ?? [], 0.5);
    return {
      what: `first byte of ${what} at ${QUEUES} queues, median`,
      spillway: ms(own),
      peer: `${ms(peer)} (its list)`,
      ratio: (own / peer).toFixed(3),
      wanted: '≤ 0.1',
      isMet: own / peer <= 0.1,
    };
  });
}

async function manyQueues(redis: OwnRedis): Promise<readonly Row[]> {
  say(`seeding up to ${MANY_QUEUES} queues`);
  await seedQueues(redis, QUEUES, MANY_QUEUES, 2);
  const console_ = await startConsole(redis);
  try {
    await waitFor(() => seesQueues(console_, MANY_QUEUES), `the console sees ${MANY_QUEUES} queues`, 120_000);
    await pause(isQuick ? 3_000 : 40_000);
    const before = await redisCost(redis.client);
    const seconds = isQuick ? 3 : 20;
    await pause(seconds * 1_000);
    const after = await redisCost(redis.client);
    const share = (after.cpuMs - before.cpuMs) / (seconds * 1_000);
    const page = await Promise.all([1, 2, 3, 4, 5].map(() => firstByteMs(`${console_.url}/`)));
    const resident = await residentBytes(console_.pid);
    return [
      {
        what: `Redis CPU of the console at ${MANY_QUEUES} queues, all of used_cpu`,
        spillway: `${(share * 100).toFixed(2)}% of a core`,
        peer: '',
        ratio: '',
        wanted: '< 1%',
        isMet: share < 0.01,
      },
      {
        what: `resident memory of the console at ${MANY_QUEUES} queues`,
        spillway: `${Math.round(resident / 2 ** 20)} MB`,
        peer: '',
        ratio: '',
        wanted: '< 300 MB',
        isMet: resident < 300 * 2 ** 20,
      },
      {
        what: `first byte of the overview at ${MANY_QUEUES} queues, median of 5`,
        spillway: ms(quantile(page, 0.5)),
        peer: '',
        ratio: '',
        wanted: 'usable',
        isMet: null,
      },
    ];
  } finally {
    await console_.stop();
  }
}

/** PATCH of global concurrency from request to answer, which comes after the read-back from Redis. */
async function leverLatency(): Promise<readonly Row[]> {
  say('levers on a healthy and on a full Redis');
  const redis = await startRedis();
  const queue = new Queue('levers', { connection: { port: redis.port } });
  await queue.addBulk(
    Array.from({ length: 5_000 }, (_, n) => ({ name: 'job', data: { n, pad: 'x'.repeat(200) } })),
  );
  const console_ = await startConsole(redis);
  try {
    await waitFor(() => seesQueues(console_, 1), 'the console sees the queue');
    const healthy = await pulls(console_);
    const used = Number(/used_memory:(\d+)/.exec(await redis.client.info('memory'))?.[1] ?? 0);
    await redis.client.config('SET', 'maxmemory', String(Math.floor(used * 0.8)));
    const stock = await queue.setGlobalConcurrency(3).then(
      () => 'went through',
      (error: unknown) =>
        error instanceof Error && error.message.includes('OOM') ? 'refused, OOM' : String(error),
    );
    const full = await pulls(console_);
    return [
      leverRow('healthy', healthy, 'not measured'),
      leverRow('full', full, `setGlobalConcurrency(): ${stock}`),
    ];
  } finally {
    await queue.close();
    await console_.stop();
    await redis.stop();
  }
}

function leverRow(state: string, times: readonly number[], peer: string): Row {
  const median = quantile(times, 0.5);
  return {
    what: `a lever (global concurrency) on a ${state} Redis, request to answer`,
    spillway: `${ms(median)} median, ${ms(quantile(times, 0.99))} p99`,
    peer,
    ratio: '',
    wanted: '≤ 50 ms median',
    isMet: median <= 50,
  };
}

async function pulls(console_: Served): Promise<readonly number[]> {
  const times: number[] = [];
  for (let i = 0; i < (isQuick ? 10 : 100); i++) {
    const startedAt = performance.now();
    const response = await fetch(`${console_.url}/api/v1/instances/default/queues/levers`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ concurrency: 1 + (i % 7), reason: 'bench' }),
    });
    const body = await response.text();
    if (!response.ok) throw new Error(`the lever answered ${response.status}: ${body.slice(0, 300)}`);
    times.push(performance.now() - startedAt);
  }
  return times;
}

async function seesQueues(console_: Served, count: number): Promise<boolean> {
  const response = await fetch(`${console_.url}/api/v1/overview`);
  const overview = (await response.json()) as {
    readonly instances: readonly { readonly totals: { readonly queues: number } }[];
  };
  return (overview.instances[0]?.totals.queues ?? 0) >= count;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

await main();
