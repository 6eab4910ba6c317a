import { type ChildProcess, execFile, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type OwnRedis, startRedis } from '../drills/own-redis.js';
import type { ModelSays } from './memory-model.js';
import { watchPings } from './memory-pings.js';
import type { WatchSays } from './memory-watch.js';
import { fillWorld, heldByQueue } from './memory-world.js';
import type { Row } from './report.js';
import { pause, quantile, redisCost } from './world.js';

const MB = 2 ** 20;
/** A queue that holds this share of what all hold is to be known within ±5%. */
const LARGE_RATIO = 0.01;
const WANTED_RATIO = 0.05;
const WANTED_MS = 10_000;
const BUDGET_RATIO = 0.01;
const BUSY_TURNS = 5;
const run = promisify(execFile);

interface Truth {
  readonly all: number;
  readonly large: readonly (readonly [string, number])[];
}

/** Where the memory of a large Redis is: how soon and how well it is known, what that costs, and what redis-cli says of it. */
export async function memoryRows(isQuick: boolean, say: (text: string) => void): Promise<readonly Row[]> {
  const [queues, jobs] = isQuick ? [200, 50_000] : [1_000, 1_000_000];
  const redis = await startRedis();
  try {
    say(`filling ${queues} queues with ${jobs} jobs`);
    await fillWorld(redis, queues, jobs);
    const held = await heldByQueue(redis.port);
    const large = [...held.byQueue].filter(([, bytes]) => bytes >= LARGE_RATIO * held.all);
    say(`${Math.round(held.all / MB)} MB, ${large.length} queues with 1% or more`);
    const seconds = isQuick ? 10 : 60;
    const idle = await shareOf(redis, seconds);
    const watch = startWatch(redis);
    try {
      const first = await firstLook(redis, watch, { all: held.all, large }, queues);
      say('steady');
      await watch.until((said) => said.ownCpuRatio < BUDGET_RATIO, 180_000);
      await pause(5_000);
      const steady = await shareOf(redis, seconds);
      const said = watch.last().ownCpuRatio;
      const busy = await busyRow(redis, watch, seconds, idle);
      await watch.stop();
      const world = `${queues} queues, ${jobs.toLocaleString('en')} jobs, ${Math.round(held.all / MB)} MB`;
      return [
        ...first.map((row) => ({ ...row, what: `${row.what} (${world})` })),
        shareRow(
          `Redis CPU of the console after its first look, over ${seconds} s`,
          steady - idle,
          said,
          idle,
        ),
        busy,
        ...(await cliRows(redis, say)),
        ...(await modelRows()),
      ];
    } finally {
      await watch.stop();
    }
  } finally {
    await redis.stop();
  }
}

async function firstLook(
  redis: OwnRedis,
  watch: Watching,
  truth: Truth,
  queues: number,
): Promise<readonly Row[]> {
  const pings = watchPings(redis.port);
  const before = await redisCost(redis.client);
  const known = await watch.until(
    (said) =>
      said.queues.length >= queues &&
      said.queuesToSample === 0 &&
      errorsOf(said, truth).worst <= WANTED_RATIO,
    120_000,
  );
  const cpuMs = (await redisCost(redis.client)).cpuMs - before.cpuMs;
  const stall = await pings.stop();
  const { median, worst } = errorsOf(known, truth);
  const seconds = (known.atMs / 1000).toFixed(1);
  return [
    {
      what: `from the start of the console until each queue with 1% of memory is known to ±5% and all are sampled`,
      spillway: `${seconds} s, ${(cpuMs / 1000).toFixed(2)} s of Redis CPU, another client waits ${stall.toFixed(0)} ms at most`,
      peer: '',
      ratio: '',
      wanted: '≤ 10 s',
      isMet: known.atMs <= WANTED_MS,
    },
    {
      what: `error at that moment of the ${truth.large.length} queues with 1% or more, median and worst`,
      spillway: `${percent(median)}, ${percent(worst)}`,
      peer: '',
      ratio: '',
      wanted: '≤ 5%',
      isMet: worst <= WANTED_RATIO,
    },
  ];
}

function errorsOf(said: WatchSays, { large }: Truth): { readonly median: number; readonly worst: number } {
  const known = new Map(said.queues.map(([id, bytes]) => [id, bytes]));
  const errors = large.map(([id, bytes]) => Math.abs((known.get(id) ?? 0) - bytes) / bytes);
  return { median: quantile(errors, 0.5), worst: Math.max(...errors) };
}

/**
 * Workers with the console and without it, by turns. What the same number of their scripts cost without it is taken from what
 * Redis used with it: on a machine that is busy otherwise they do not get the same done each time.
 */
async function busyRow(redis: OwnRedis, watch: Watching, seconds: number, idle: number): Promise<Row> {
  const workers = forkOf('./memory-busy.js', String(redis.port));
  await pause(8_000);
  const shares: number[] = [];
  const own: number[] = [];
  const alone: number[] = [];
  for (let i = 0; i < BUSY_TURNS; i++) {
    const together = await scriptsAndShare(redis, seconds / BUSY_TURNS);
    own.push(watch.last().ownCpuRatio);
    watch.freeze();
    const without = await scriptsAndShare(redis, seconds / BUSY_TURNS);
    watch.thaw();
    await pause(3_000);
    const same = (without.share - idle) * (together.scripts / without.scripts);
    shares.push(together.share - idle - same);
    alone.push(without.share);
  }
  await end(workers);
  const what = 'the same while 20 queues are busy with 400 jobs a second, median';
  return shareRow(what, quantile(shares, 0.5), quantile(own, 0.5), quantile(alone, 0.5));
}

async function scriptsAndShare(redis: OwnRedis, seconds: number) {
  const count = async (): Promise<number> =>
    Number(/cmdstat_evalsha:calls=(\d+)/.exec(await redis.client.info('commandstats'))?.[1] ?? 0);
  const before = await count();
  const share = await shareOf(redis, seconds);
  return { share, scripts: ((await count()) - before) / seconds };
}

function shareRow(what: string, share: number, said: number, without: number): Row {
  return {
    what,
    spillway: `${percent(share)} of a core; it says ${percent(said)} itself`,
    peer: `${percent(without)} without the console`,
    ratio: '',
    wanted: '≤ 1%',
    isMet: share <= BUDGET_RATIO,
  };
}

/** What redis-cli says of the same Redis, and what another client has to wait meanwhile. */
async function cliRows(redis: OwnRedis, say: (text: string) => void): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const flag of ['--bigkeys', '--memkeys']) {
    say(`redis-cli ${flag}`);
    const pings = watchPings(redis.port);
    const before = await redisCost(redis.client);
    const startedAt = performance.now();
    const { stdout } = await run('redis-cli', ['-p', String(redis.port), flag], { maxBuffer: 64 * MB });
    const tookMs = performance.now() - startedAt;
    const cpuMs = (await redisCost(redis.client)).cpuMs - before.cpuMs;
    const stall = await pings.stop();
    const largest = stdout.split('\n').filter((line) => /^Biggest +(hash|list|stream|zset)/.test(line));
    rows.push({
      what: `redis-cli ${flag} on the same Redis`,
      spillway: '',
      peer: `${(tookMs / 1000).toFixed(1)} s, ${(cpuMs / 1000).toFixed(2)} s of Redis CPU, another client waits ${stall.toFixed(0)} ms at most; tells the largest key of each type (${largest.length} lines), nothing by queue or job type`,
      ratio: '',
      wanted: '',
      isMet: null,
    });
  }
  return rows;
}

async function modelRows(): Promise<readonly Row[]> {
  const child = forkOf('./memory-model.js');
  const said = await new Promise<ModelSays>((resolve) =>
    child.once('message', (message: ModelSays) => resolve(message)),
  );
  return [
    {
      what: 'model of one tick of 1,000 queues in the console (150 judged anew), median and longest',
      spillway: `${said.tickMs.toFixed(1)} ms, ${said.longestTickMs.toFixed(1)} ms`,
      peer: '',
      ratio: '',
      wanted: '< 20 ms',
      isMet: said.tickMs < 20,
    },
    {
      what: 'heap of what is remembered of 1,000 queues × 100 job types, and of one queue that has met 10,000',
      spillway: `${Math.round(said.manyTypesBytes / MB)} MB, ${(said.oneQueueBytes / MB).toFixed(1)} MB`,
      peer: '',
      ratio: '',
      wanted: '< 1,000 MB, < 5 MB',
      isMet: said.manyTypesBytes < 1_000 * MB && said.oneQueueBytes < 5 * MB,
    },
  ];
}

interface Watching {
  last(): WatchSays;
  /** @throws Error when it does not come to be so in time. */
  until(is: (said: WatchSays) => boolean, withinMs: number): Promise<WatchSays>;
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

function startWatch(redis: OwnRedis): Watching {
  const child = forkOf('./memory-watch.js', redis.url);
  let last: WatchSays | null = null;
  const listeners = new Set<(said: WatchSays) => void>();
  child.on('message', (said: WatchSays) => {
    last = said;
    for (const listener of listeners) listener(said);
  });
  return {
    last: () => {
      if (!last) throw new Error('the console has said nothing yet');
      return last;
    },
    until: (is, withinMs) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`not within ${withinMs} ms: ${is}`)), withinMs);
        const listener = (said: WatchSays): void => {
          if (!is(said)) return;
          clearTimeout(timer);
          listeners.delete(listener);
          resolve(said);
        };
        listeners.add(listener);
      }),
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    stop: () => end(child),
  };
}

function forkOf(file: string, ...args: readonly string[]): ChildProcess {
  return fork(fileURLToPath(new URL(file, import.meta.url)), [...args], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGKILL');
  await gone;
}

/** Share of a core that Redis has used over some seconds. */
async function shareOf(redis: OwnRedis, seconds: number): Promise<number> {
  const [before, startedAt] = [await redisCost(redis.client), performance.now()];
  await pause(seconds * 1_000);
  const after = await redisCost(redis.client);
  return (after.cpuMs - before.cpuMs) / (performance.now() - startedAt);
}

function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(2)}%`;
}
