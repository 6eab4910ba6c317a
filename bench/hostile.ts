import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type OwnRedis, startRedis } from '../drills/own-redis.js';
import { sleep } from '../drills/wait-for.js';
import { packagePath } from '../server/process/package-path.js';
import { until } from '../test/support/until.js';
import { residentMb } from './cost.js';
import type { LoopProbe } from './loop-probe.js';
import { cost, type Row, type Say } from './row.js';
import { copyQueues, inSteps } from './seed.js';
import { during, startOwnConsole } from './world.js';

const MAX_MORE_MB = 300;
const MAX_HELD_MS = 250;
const SETTLE_MS = 15_000;
/** By then everything that was made is found and read. */
const AFTER_MS = 45_000;
const LOOK_EVERY_MS = 500;

/** What somebody who can write to Redis, or publish there, may do to a console. */
interface Harm {
  readonly id: string;
  readonly what: string;
  /** Resolves when it is done; the console is looked at from its beginning on. */
  do(redis: OwnRedis, isQuick: boolean): Promise<unknown>;
}

const HARMS: readonly Harm[] = [
  {
    id: 'forged-beats',
    what: 'made-up beats of 5,000 workers with 200 types each, at 50 MB/s',
    async do(redis, isQuick) {
      const script = packagePath('bench/forged-beats.mjs');
      const args = [script, String(redis.port), '50000000', String(isQuick ? 5_000 : 45_000)];
      const child = spawn(process.execPath, args, { stdio: 'ignore' });
      await once(child, 'exit');
    },
  },
  {
    id: 'queues',
    what: '100,000 queues (quick: 2,000)',
    do: (redis, isQuick) => copyQueues(redis, 0, isQuick ? 2_000 : 100_000, 1),
  },
  {
    id: 'types',
    what: 'a million job types in 20 queues (quick: 20,000), a third of them failed',
    do: (redis, isQuick) => inSteps(redis, TYPES, [0, isQuick ? 20_000 : 1_000_000], 10_000, Date.now()),
  },
  {
    id: 'names',
    what: '100 jobs with names of 2 MB (quick: 10), and as many queues with names of 300 KB',
    do: (redis, isQuick) => inSteps(redis, NAMES, [0, isQuick ? 10 : 100], 10, Date.now()),
  },
];

const TYPES = `
for i = ARGV[1], ARGV[2] do
  local queue = 'bull:types-' .. i % 20
  redis.call('HSET', queue .. ':meta', 'version', 'bullmq:6.7.0', 'opts.maxLenEvents', 10000)
  local id = redis.call('INCR', queue .. ':id')
  local name = 'type-' .. i .. '-' .. string.rep('x', 120)
  redis.call('HSET', queue .. ':' .. id, 'name', name, 'data', '{}', 'opts', '{}', 'timestamp', ARGV[3], 'delay', 0)
  if i % 3 == 0 then
    redis.call('HSET', queue .. ':' .. id, 'failedReason', name, 'finishedOn', ARGV[3], 'processedOn', ARGV[3] - 5, 'ats', 1)
    redis.call('ZADD', queue .. ':failed', ARGV[3], id)
  else
    redis.call('LPUSH', queue .. ':wait', id)
  end
end`;

const NAMES = `
for i = ARGV[1], ARGV[2] do
  redis.call('HSET', 'bull:named:meta', 'version', 'bullmq:6.7.0', 'opts.maxLenEvents', 10000)
  local id = redis.call('INCR', 'bull:named:id')
  local name = i .. string.rep('x', 2000000)
  redis.call('HSET', 'bull:named:' .. id, 'name', name, 'data', '{}', 'opts', '{}', 'timestamp', ARGV[3], 'delay', 0)
  redis.call('LPUSH', 'bull:named:wait', id)
  local queue = 'bull:' .. i .. string.rep('q', 300000)
  redis.call('HSET', queue .. ':meta', 'version', 'bullmq:6.7.0', 'opts.maxLenEvents', 10000)
  redis.call('LPUSH', queue .. ':wait', 1)
end`;

/** How much more memory each harm makes a console take, and how long it holds its event loop at a time. */
export async function hostileRows(isQuick: boolean, say: Say): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const harm of HARMS) rows.push(...(await rowsOf(harm, isQuick, say)));
  return rows;
}

async function rowsOf(harm: Harm, isQuick: boolean, say: Say): Promise<readonly Row[]> {
  say(harm.what);
  const directory = await mkdtemp(join(tmpdir(), 'spillway-hostile-'));
  const probe = join(directory, 'probe.json');
  const env = {
    NODE_OPTIONS: `--import=${new URL('./loop-probe.js', import.meta.url).href}`,
    SPILLWAY_PROBE: probe,
  };
  return during(startRedis(), (redis) =>
    during(startOwnConsole(redis, env), async ({ pid }) => {
      await sleep(isQuick ? SETTLE_MS / 5 : SETTLE_MS);
      await probed(pid, probe);
      const baseMb = await residentMb(pid);
      let maxMb = baseMb;
      let isDone = false;
      const done = harm
        .do(redis, isQuick)
        .then(() => sleep(isQuick ? 5_000 : AFTER_MS))
        .finally(() => {
          isDone = true;
        });
      while (!isDone) {
        await sleep(LOOK_EVERY_MS);
        maxMb = Math.max(maxMb, await residentMb(pid));
      }
      await done;
      const { heldMs, ownMs } = await probed(pid, probe);
      const load = loadavg()[0]?.toFixed(1);
      return [
        cost(
          `hostile.${harm.id}.memory`,
          `memory that a console takes at most, above that beside an empty Redis: ${harm.what}`,
          'MB',
          maxMb - baseMb,
          { limit: MAX_MORE_MB, detail: `${Math.round(baseMb)} MB before` },
        ),
        cost(
          `hostile.${harm.id}.held`,
          `longest time for which its event loop was held by its own work: ${harm.what}`,
          'ms',
          ownMs.at(-1) ?? Number.NaN,
          {
            limit: MAX_HELD_MS,
            detail: `${Math.round(heldMs.at(-1) ?? Number.NaN)} ms with what others took of the machine, load ${load}`,
          },
        ),
      ];
    }),
  ).finally(() => rm(directory, { recursive: true, force: true }));
}

/** What the loop was held for since the last call. */
async function probed(pid: number, file: string): Promise<LoopProbe> {
  await rm(file, { force: true });
  process.kill(pid, 'SIGUSR2');
  return until('the probe has written', async () => JSON.parse(await readFile(file, 'utf8')) as LoopProbe);
}
