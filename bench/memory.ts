import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { MB, type OwnRedis, startRedis } from '../drills/own-redis.js';
import { sleep } from '../drills/wait-for.js';
import { until } from '../test/support/until.js';
import { costOf } from './cost.js';
import type { ModelSays } from './memory-model.js';
import { fillWorld, heldByQueue } from './memory-world.js';
import type { WatchSays } from './processes.js';
import { cost, medianOf, type Row, type Say, time } from './row.js';
import { watchPings } from './watch-stalls.js';
import { during, startChild } from './world.js';

/** A queue that holds this share of what all hold is to be known within ±5%. */
const LARGE_RATIO = 0.01;
const WANTED_RATIO = 0.05;
const WANTED_MS = 10_000;
const BUDGET_RATIO = 0.01;
const BUSY_TURNS = 5;
const run = promisify(execFile);

/** Id and bytes of each queue that is large. */
type Truth = readonly (readonly [string, number])[];

/** Where the memory of a large Redis is: how soon and how well it is known, what that costs, and what redis-cli says of it. */
export function memoryRows(isQuick: boolean, say: Say): Promise<readonly Row[]> {
  const [queues, jobs, seconds] = isQuick ? [200, 50_000, 10] : [1_000, 1_000_000, 60];
  return during(startRedis(), async (redis) => {
    say(`filling ${queues} queues with ${jobs} jobs`);
    await fillWorld(redis, queues, jobs);
    const held = await heldByQueue(redis.port);
    const large = [...held.byQueue].filter(([, bytes]) => bytes >= LARGE_RATIO * held.all);
    say(`${Math.round(held.all / MB)} MB, ${large.length} queues with 1% or more`);
    const idle = await percentOver(redis, seconds);
    return during(startWatch(redis), async (watch) => {
      const first = await firstLook(redis, watch, large, queues);
      say('steady');
      await watch.until((said) => said.ownCpuRatio < BUDGET_RATIO, 180_000);
      await sleep(5_000);
      const steady = (await percentOver(redis, seconds)) - idle;
      const said = watch.last().ownCpuRatio;
      const busy = await busyRow(redis, watch, seconds / BUSY_TURNS, idle);
      await watch.stop();
      const world = `${queues} queues, ${jobs.toLocaleString('en')} jobs, ${Math.round(held.all / MB)} MB`;
      return [
        ...firstRows(first, world),
        ...(await cliRows(redis, first, say)),
        {
          ...shareRow('steady', 'Redis CPU of the console after its first look', [steady], idle),
          detail: `over ${seconds} s; it says ${percent(said)} itself`,
        },
        busy,
        ...(await modelRows()),
      ];
    });
  });
}

/** What the console needed to know its way about, and what others waited meanwhile. */
interface FirstLook {
  readonly seconds: number;
  readonly redisSeconds: number;
  readonly stallMs: number;
  readonly errors: ReturnType<typeof errorsOf>;
}

async function firstLook(redis: OwnRedis, watch: Watching, large: Truth, queues: number): Promise<FirstLook> {
  const isKnown = (said: WatchSays): boolean =>
    said.queues.length >= queues && said.queuesToSample === 0 && errorsOf(said, large).worst <= WANTED_RATIO;
  const pings = watchPings(redis.port);
  let known = watch.last;
  const { redisCpuMs } = await costOf(redis, async () => {
    const said = await watch.until(isKnown, 120_000);
    known = () => said;
  });
  return {
    seconds: known().atMs / 1000,
    redisSeconds: redisCpuMs / 1000,
    stallMs: await pings.stop(),
    errors: errorsOf(known(), large),
  };
}

function firstRows(first: FirstLook, world: string): readonly Row[] {
  return [
    time(
      'first-look.time',
      'from the start of the console until each queue with 1% of memory is known to ±5% and all are sampled',
      's',
      first.seconds,
      { limit: WANTED_MS / 1000, detail: world },
    ),
    cost(
      'first-look.error',
      'error at that moment of the queues with 1% or more, worst',
      '%',
      first.errors.worst * 100,
      { limit: WANTED_RATIO * 100, detail: `median ${percent(first.errors.median)}` },
    ),
  ];
}

function errorsOf({ queues }: WatchSays, large: Truth): { readonly median: number; readonly worst: number } {
  const known = new Map(queues);
  const errors = large.map(([id, bytes]) => Math.abs((known.get(id) ?? 0) - bytes) / bytes);
  return { median: medianOf(errors), worst: Math.max(...errors) };
}

/**
 * Workers with the console and without it, by turns. What the same number of their scripts cost without it is taken from what
 * Redis used with it: on a machine that is busy otherwise they do not get the same done each time.
 */
function busyRow(redis: OwnRedis, watch: Watching, seconds: number, idle: number): Promise<Row> {
  return during(startChild('processes', 'busy', redis.port), async () => {
    await sleep(8_000);
    const [own, of, without]: [number[], number[], number[]] = [[], [], []];
    for (let i = 0; i < BUSY_TURNS; i++) {
      const together = await scriptsAndPercent(redis, seconds);
      own.push(watch.last().ownCpuRatio);
      watch.signal('SIGSTOP');
      const alone = await scriptsAndPercent(redis, seconds);
      watch.signal('SIGCONT');
      await sleep(3_000);
      of.push(together.percent - idle - (alone.percent - idle) * (together.scripts / alone.scripts));
      without.push(alone.percent);
    }
    const what = 'the same while 20 queues are busy with 400 jobs a second, median';
    return {
      ...shareRow('busy', what, of, medianOf(without)),
      detail: `it says ${percent(medianOf(own))} itself`,
    };
  });
}

async function scriptsAndPercent(redis: OwnRedis, seconds: number) {
  const count = async (): Promise<number> =>
    Number(/cmdstat_evalsha:calls=(\d+)/.exec(await redis.client.info('commandstats'))?.[1] ?? 0);
  const before = await count();
  const share = await percentOver(redis, seconds);
  return { percent: share, scripts: ((await count()) - before) / seconds };
}

/** @param without percent of a core that Redis takes without the console */
function shareRow(id: string, what: string, percents: readonly number[], without: number): Row {
  return cost(`${id}.redis-cpu`, what, '% of a core', percents, {
    limit: BUDGET_RATIO * 100,
    peerDetail: `${without.toFixed(2)}% without the console`,
  });
}

/** The first look beside redis-cli on the same Redis: CPU of Redis, and what another client has to wait meanwhile. */
async function cliRows(redis: OwnRedis, first: FirstLook, say: Say): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const flag of ['bigkeys', 'memkeys']) {
    say(`redis-cli --${flag}`);
    const pings = watchPings(redis.port);
    let found: readonly string[] = [];
    const { redisCpuMs, tookMs } = await costOf(redis, async () => {
      const args = ['-p', String(redis.port), `--${flag}`];
      const { stdout } = await run('redis-cli', args, { maxBuffer: 64 * MB });
      found = stdout.split('\n').filter((line) => /^Biggest +(hash|list|stream|zset)/.test(line));
    });
    const said = `gives the largest key of each type (${found.length} lines), nothing by queue or job type`;
    rows.push(
      {
        ...{ id: `first-look.redis-cpu.${flag}`, kind: 'ratio', unit: 's' },
        what: `Redis CPU of the first look beside redis-cli --${flag}`,
        ...{ value: first.redisSeconds, peer: redisCpuMs / 1000 },
        peerDetail: `${(tookMs / 1000).toFixed(1)} s; ${said}`,
      },
      time(
        `first-look.stall.${flag}`,
        `longest wait of another client during the first look, beside redis-cli --${flag}`,
        'ms',
        first.stallMs,
        { peer: await pings.stop() },
      ),
    );
  }
  return rows;
}

async function modelRows(): Promise<readonly Row[]> {
  const said = await during(startChild('memory-model'), (child) => child.next<ModelSays>());
  const memory = (id: string, what: string, bytes: number, limit: number): Row =>
    cost(id, `heap of what is remembered of ${what}`, 'MB', bytes / MB, { limit });
  return [
    cost(
      'model.tick-cpu',
      'CPU of the model of one tick of 1,000 queues in the console (150 judged anew), median',
      'ms',
      said.tickMs,
      { limit: 20, detail: `longest ${said.longestTickMs.toFixed(1)} ms` },
    ),
    memory('model.heap', '1,000 queues × 100 job types', said.manyTypesBytes, 1_000),
    memory('model.heap-of-one', 'one queue that has met 10,000 job types', said.oneQueueBytes, 5),
  ];
}

interface Watching {
  /** What it said last. @throws Error before it has said anything */
  last(): WatchSays;
  /** @throws Error when it does not come to be so in time. */
  until(is: (said: WatchSays) => boolean, withinMs: number): Promise<WatchSays>;
  signal(signal: NodeJS.Signals): void;
  stop(): Promise<void>;
}

function startWatch(redis: OwnRedis): Watching {
  const child = startChild('processes', 'watch', redis.url);
  let said: WatchSays | null = null;
  child.process.on('message', (message: WatchSays) => {
    said = message;
  });
  return {
    last: () => {
      if (!said) throw new Error('the console has said nothing yet');
      return said;
    },
    until: (is, withinMs) => until(String(is), () => (said !== null && is(said) ? said : null), { withinMs }),
    signal: (signal) => void child.process.kill(signal),
    stop: () => child.stop(),
  };
}

/** Percent of a core that Redis uses over some seconds. */
async function percentOver(redis: OwnRedis, seconds: number): Promise<number> {
  return (await costOf(redis, () => sleep(seconds * 1_000))).redisPercent;
}

function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(2)}%`;
}
