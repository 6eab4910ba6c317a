import { readFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { type OwnRedis, startRedis } from '../drills/own-redis.js';
import { type RunningConsole, startConsole } from '../test/support/console.js';
import { until } from '../test/support/until.js';
import { seedFailed } from './replay-stall.js';
import type { Row } from './row.js';
import { prefer } from './watch-stalls.js';

const RATES = [1_000, 2_000, 5_000] as const;
/** A segment is measured between two moments of it, away from its ends. */
const SETTLE_MS = 2_000;

interface Segment {
  readonly setPerSecond: number;
  readonly heldPerSecond: number;
  readonly load: number;
}

interface Pause {
  /** ms after the answer to the order at which the last job was moved; negative: before it. */
  readonly lastMovedMs: number;
  readonly movedAfter: number;
}

/** Rows about a replay of so many failed jobs by a whole console. */
export async function millionRows(jobs: number, say: (line: string) => void): Promise<readonly Row[]> {
  const redis = await startRedis();
  let isOver = false;
  try {
    say(`filling the failed set with ${jobs} jobs`);
    await seedFailed(redis, jobs);
    const console_ = await startConsole({ redisUrl: redis.url, env: { LOG_LEVEL: 'silent' } });
    try {
      await until('the queue is seen', async () => {
        const { body } = await console_.ask('GET', '/api/v1/instances/default/queues');
        return body.queues.length === 1;
      });
      const { pid } = console_;
      for (const measured of [redis.pid, pid, process.pid]) prefer(measured);
      const resident: number[] = [await residentMb(pid)];
      const watching = (async () => {
        while (!isOver) {
          await pause(2_000);
          resident.push(await residentMb(pid));
        }
      })();
      const segments: Segment[] = [];
      const pauses: Pause[] = [];
      const id = await begin(console_, RATES[0]);
      for (const rate of RATES) {
        await order(console_, id, { ratePerSecond: rate });
        segments.push(await hold(redis, rate, (jobs / RATES.length / rate) * 1000 * 0.2));
        say(JSON.stringify(segments.at(-1)));
        pauses.push(await measurePause(redis, console_, id));
        say(JSON.stringify(pauses.at(-1)));
      }
      await order(console_, id, { ratePerSecond: 5_000 });
      const from = performance.now();
      const before = await left(redis);
      await until('all are moved', async () => (await left(redis)) === 0, {
        withinMs: 900_000,
        everyMs: 200,
      });
      segments.push({
        setPerSecond: 5_000,
        heldPerSecond: (before * 1000) / (performance.now() - from),
        load: loadavg()[0] ?? 0,
      });
      say(JSON.stringify(segments.at(-1)));
      const done = await until(
        'the replay has ended',
        async () => {
          const { body } = await console_.ask('GET', `/api/v1/replays/${id}`);
          return body.state === 'done' ? body : null;
        },
        { withinMs: 120_000 },
      );
      isOver = true;
      await watching;
      say(`resident MB every 2 s: ${resident.join(' ')}`);
      return rowsOf(jobs, segments, pauses, resident, done.account, await waiting(redis));
    } finally {
      isOver = true;
      await console_.stop();
    }
  } finally {
    await redis.stop();
  }
}

function rowsOf(
  jobs: number,
  segments: readonly Segment[],
  pauses: readonly Pause[],
  resident: readonly number[],
  account: { matched: number; moved: number; skipped: number; remaining: number; toRun: number },
  inWait: number,
): readonly Row[] {
  const peak = Math.max(...resident);
  const rates = segments.map(({ setPerSecond, heldPerSecond, load }, i): Row => {
    const isLast = i === segments.length - 1;
    return {
      id: `rate-${setPerSecond}${isLast ? '-to-the-end' : ''}.off`,
      what: `how far off a set rate of ${setPerSecond} jobs a second${isLast ? ', to the end' : ''}`,
      kind: 'time',
      unit: '%',
      value: Math.abs(heldPerSecond / setPerSecond - 1) * 100,
      limit: 5,
      detail: `${heldPerSecond.toFixed(0)}/s, load ${load.toFixed(1)}`,
    };
  });
  const worst = Math.max(...pauses.map(({ lastMovedMs }) => lastMovedMs));
  return [
    ...rates,
    {
      id: 'pause.last-moved',
      what: `last job moved after the answer to a pause, worst of ${pauses.length}`,
      kind: 'time',
      unit: 'ms',
      value: Math.max(0, worst),
      limit: 250,
    },
    {
      id: 'million.resident',
      what: `resident memory of the console over a replay of ${jobs} jobs, at most`,
      kind: 'cost',
      unit: 'MB',
      value: peak,
      limit: 300,
      detail: `${resident[0]} MB before, ${quarter(resident, 0.25)}, ${quarter(resident, 0.5)}, ${quarter(resident, 0.75)} MB at its quarters`,
    },
    {
      id: 'million.account',
      what: `jobs of ${jobs} that are not accounted for as moved, or do not wait in Redis`,
      kind: 'cost',
      unit: 'jobs',
      value:
        Math.abs(jobs - account.matched) +
        Math.abs(jobs - account.moved) +
        Math.abs(jobs - inWait) +
        account.remaining,
      limit: 0,
      detail: `matched ${account.matched} = moved ${account.moved} + skipped ${account.skipped} + remaining ${account.remaining}; ${inWait} wait in Redis`,
    },
  ];
}

async function begin(console_: RunningConsole, ratePerSecond: number): Promise<string> {
  const spec = { queues: ['queue-0'], ratePerSecond, guard: false, reason: 'bench' };
  const answer = await console_.ask('POST', '/api/v1/replays', spec);
  if (answer.status !== 200) throw new Error(answer.text);
  return answer.body.id;
}

async function order(console_: RunningConsole, id: string, change: object): Promise<void> {
  const answer = await console_.ask('PATCH', `/api/v1/replays/${id}`, { ...change, reason: 'bench' });
  if (answer.status !== 200) throw new Error(answer.text);
}

async function hold(redis: OwnRedis, setPerSecond: number, ms: number): Promise<Segment> {
  await pause(SETTLE_MS);
  const [before, from] = [await left(redis), performance.now()];
  await pause(Math.max(ms, 5_000));
  const [after, to] = [await left(redis), performance.now()];
  return { setPerSecond, heldPerSecond: ((before - after) * 1000) / (to - from), load: loadavg()[0] ?? 0 };
}

/** Pauses and looks, every ms, when the set of failed jobs last became smaller; then lets it go on. */
async function measurePause(redis: OwnRedis, console_: RunningConsole, id: string): Promise<Pause> {
  await order(console_, id, { state: 'paused' });
  const answeredAt = performance.now();
  const atAnswer = await left(redis);
  let [jobs, lastMovedMs] = [atAnswer, 0];
  while (performance.now() - answeredAt < 1_000) {
    const now = await left(redis);
    if (now < jobs) lastMovedMs = performance.now() - answeredAt;
    jobs = now;
    await pause(1);
  }
  await order(console_, id, { state: 'running' });
  return { lastMovedMs, movedAfter: atAnswer - jobs };
}

async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024);
}

function quarter(values: readonly number[], share: number): number {
  return values[Math.floor((values.length - 1) * share)] ?? 0;
}

function left(redis: OwnRedis): Promise<number> {
  return redis.client.zcard('bull:queue-0:failed');
}

function waiting(redis: OwnRedis): Promise<number> {
  return redis.client.llen('bull:queue-0:wait');
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
