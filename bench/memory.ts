import { type ChildProcess, execFile, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type OwnRedis, startRedis } from '../drills/own-redis.js';
import type { ModelSays } from './memory-model.js';
import { watchPings } from './memory-pings.js';
import type { WatchSays } from './memory-watch.js';
import { fillWorld, heldByQueue } from './memory-world.js';
import type { Row } from './row.js';
import { medianOf, pause, redisCost } from './world.js';

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
      const steadyRow: Row = {
        ...shareRow('steady', 'Redis CPU of the console after its first look', [steady - idle], idle),
        detail: `over ${seconds} s; it says ${percent(said)} itself`,
      };
      return [
        ...firstRows(first, world),
        ...(await cliRows(redis, first, say)),
        steadyRow,
        busy,
        ...(await modelRows()),
      ];
    } finally {
      await watch.stop();
    }
  } finally {
    await redis.stop();
  }
}

/** What the console needed to know its way about, and what others waited meanwhile. */
interface FirstLook {
  readonly seconds: number;
  readonly redisSeconds: number;
  readonly stallMs: number;
  readonly errors: ReturnType<typeof errorsOf>;
}

async function firstLook(redis: OwnRedis, watch: Watching, truth: Truth, queues: number): Promise<FirstLook> {
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
  return {
    seconds: known.atMs / 1000,
    redisSeconds: cpuMs / 1000,
    stallMs: await pings.stop(),
    errors: errorsOf(known, truth),
  };
}

function firstRows(first: FirstLook, world: string): readonly Row[] {
  return [
    {
      id: 'first-look.time',
      what: `from the start of the console until each queue with 1% of memory is known to ±5% and all are sampled`,
      kind: 'time',
      unit: 's',
      value: first.seconds,
      limit: WANTED_MS / 1000,
      detail: world,
    },
    {
      id: 'first-look.error',
      what: 'error at that moment of the queues with 1% or more, worst',
      kind: 'cost',
      unit: '%',
      value: first.errors.worst * 100,
      limit: WANTED_RATIO * 100,
      detail: `median ${percent(first.errors.median)}`,
    },
  ];
}

function errorsOf(said: WatchSays, { large }: Truth): { readonly median: number; readonly worst: number } {
  const known = new Map(said.queues.map(([id, bytes]) => [id, bytes]));
  const errors = large.map(([id, bytes]) => Math.abs((known.get(id) ?? 0) - bytes) / bytes);
  return { median: medianOf(errors), worst: Math.max(...errors) };
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
  return {
    ...shareRow('busy', what, shares, medianOf(alone)),
    detail: `it says ${percent(medianOf(own))} itself`,
  };
}

async function scriptsAndShare(redis: OwnRedis, seconds: number) {
  const count = async (): Promise<number> =>
    Number(/cmdstat_evalsha:calls=(\d+)/.exec(await redis.client.info('commandstats'))?.[1] ?? 0);
  const before = await count();
  const share = await shareOf(redis, seconds);
  return { share, scripts: ((await count()) - before) / seconds };
}

function shareRow(id: string, what: string, shares: readonly number[], without: number): Row {
  const repeats = shares.map((share) => share * 100);
  return {
    id: `${id}.redis-cpu`,
    what,
    kind: 'cost',
    unit: '% of a core',
    value: medianOf(repeats),
    limit: BUDGET_RATIO * 100,
    repeats,
    peerDetail: `${percent(without)} without the console`,
  };
}

/** The first look beside redis-cli on the same Redis: CPU of Redis, and what another client has to wait meanwhile. */
async function cliRows(
  redis: OwnRedis,
  first: FirstLook,
  say: (text: string) => void,
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const flag of ['bigkeys', 'memkeys']) {
    say(`redis-cli --${flag}`);
    const pings = watchPings(redis.port);
    const before = await redisCost(redis.client);
    const startedAt = performance.now();
    const { stdout } = await run('redis-cli', ['-p', String(redis.port), `--${flag}`], {
      maxBuffer: 64 * MB,
    });
    const tookSeconds = (performance.now() - startedAt) / 1000;
    const cpuMs = (await redisCost(redis.client)).cpuMs - before.cpuMs;
    const stallMs = await pings.stop();
    const largest = stdout.split('\n').filter((line) => /^Biggest +(hash|list|stream|zset)/.test(line));
    const said = `tells the largest key of each type (${largest.length} lines), nothing by queue or job type`;
    rows.push(
      {
        id: `first-look.redis-cpu.${flag}`,
        what: `Redis CPU of the first look beside redis-cli --${flag}`,
        kind: 'ratio',
        unit: 's',
        value: first.redisSeconds,
        peer: cpuMs / 1000,
        peerDetail: `${tookSeconds.toFixed(1)} s; ${said}`,
      },
      {
        id: `first-look.stall.${flag}`,
        what: `longest wait of another client during the first look, beside redis-cli --${flag}`,
        kind: 'time',
        unit: 'ms',
        value: first.stallMs,
        peer: stallMs,
      },
    );
  }
  return rows;
}

async function modelRows(): Promise<readonly Row[]> {
  const child = forkOf('./memory-model.js');
  const said = await new Promise<ModelSays>((resolve) =>
    child.once('message', (message: ModelSays) => resolve(message)),
  );
  const memory = (id: string, what: string, bytes: number, limit: number): Row => ({
    id,
    what: `heap of what is remembered of ${what}`,
    kind: 'cost',
    unit: 'MB',
    value: bytes / MB,
    limit,
  });
  return [
    {
      id: 'model.tick-cpu',
      what: 'CPU of the model of one tick of 1,000 queues in the console (150 judged anew), median',
      kind: 'cost',
      unit: 'ms',
      value: said.tickMs,
      limit: 20,
      detail: `longest ${said.longestTickMs.toFixed(1)} ms`,
    },
    memory('model.heap', '1,000 queues × 100 job types', said.manyTypesBytes, 1_000),
    memory('model.heap-of-one', 'one queue that has met 10,000 job types', said.oneQueueBytes, 5),
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
