import { loadavg } from 'node:os';
import { type OwnRedis, startRedis } from '../drills/own-redis.js';
import { sleep } from '../drills/wait-for.js';
import type { Answer, RunningConsole } from '../test/support/console.js';
import { until } from '../test/support/until.js';
import { residentMb } from './cost.js';
import { cost, type Row, type Say, time } from './row.js';
import { failedLeft, seedFailed, untilMoved } from './seed.js';
import { prefer } from './watch-stalls.js';
import { during, ordered, startReplay, startSeeing } from './world.js';

const RATES = [1_000, 2_000, 5_000] as const;
/** A segment is measured between two moments of it, away from its ends. */
const SETTLE_MS = 2_000;
const LOOK_EVERY_MS = 2_000;

interface Segment {
  readonly setPerSecond: number;
  readonly heldPerSecond: number;
  readonly load: number;
}

/** Rows about a replay of so many failed jobs by a whole console. */
export function millionRows(jobs: number, say: Say): Promise<readonly Row[]> {
  return during(startRedis(), async (redis) => {
    say(`filling the failed set with ${jobs} jobs`);
    await seedFailed(redis, jobs);
    return during(startSeeing(redis, 1), async (console_) => {
      const { pid } = console_;
      for (const measured of [redis.pid, pid, process.pid]) prefer(measured);
      const resident: number[] = [Math.round(await residentMb(pid))];
      const looking = setInterval(async () => {
        resident.push(Math.round(await residentMb(pid).catch(() => Number.NaN)));
      }, LOOK_EVERY_MS);
      const segments: Segment[] = [];
      const lastMovedMs: number[] = [];
      try {
        const id = await startReplay(console_, RATES[0]);
        const change = (order: object) => ordered(console_, 'PATCH', `/replays/${id}`, order);
        for (const rate of RATES) {
          await change({ ratePerSecond: rate });
          await sleep(SETTLE_MS);
          const ms = Math.max((jobs / RATES.length / rate) * 1000 * 0.2, 5_000);
          segments.push(await held(redis, rate, () => sleep(ms)));
          lastMovedMs.push(await movedAfterPause(redis, change));
          say(JSON.stringify([segments.at(-1), lastMovedMs.at(-1)]));
        }
        await change({ ratePerSecond: 5_000 });
        segments.push(await held(redis, 5_000, () => untilMoved(redis)));
        say(JSON.stringify(segments.at(-1)));
        const done = await untilDone(console_, id);
        say(`resident MB every 2 s: ${resident.join(' ')}`);
        const waiting = await redis.client.llen('bull:queue-0:wait');
        return rowsOf(jobs, segments, lastMovedMs, resident, done.account, waiting);
      } finally {
        clearInterval(looking);
      }
    });
  });
}

async function untilDone(console_: RunningConsole, id: string): Promise<Answer['body']> {
  const ended = async () => {
    const body = await ordered(console_, 'GET', `/replays/${id}`);
    return body.state === 'done' ? body : null;
  };
  return until('the replay has ended', ended, { withinMs: 120_000 });
}

/** The rate at which jobs are moved while something goes on. */
async function held(redis: OwnRedis, setPerSecond: number, work: () => Promise<void>): Promise<Segment> {
  const [before, from] = [await failedLeft(redis), performance.now()];
  await work();
  const [after, to] = [await failedLeft(redis), performance.now()];
  return { setPerSecond, heldPerSecond: ((before - after) * 1000) / (to - from), load: loadavg()[0] ?? 0 };
}

/** Pauses and looks, every ms, when the set of failed jobs last became smaller, ms after the answer; then lets it go on. */
async function movedAfterPause(
  redis: OwnRedis,
  change: (order: object) => Promise<unknown>,
): Promise<number> {
  await change({ state: 'paused' });
  const answeredAt = performance.now();
  let [jobs, lastMovedMs] = [await failedLeft(redis), 0];
  while (performance.now() - answeredAt < 1_000) {
    const now = await failedLeft(redis);
    if (now < jobs) lastMovedMs = performance.now() - answeredAt;
    jobs = now;
    await sleep(1);
  }
  await change({ state: 'running' });
  return lastMovedMs;
}

function rowsOf(
  jobs: number,
  segments: readonly Segment[],
  lastMovedMs: readonly number[],
  resident: readonly number[],
  account: { matched: number; moved: number; skipped: number; remaining: number; toRun: number },
  inWait: number,
): readonly Row[] {
  const rates = segments.map(({ setPerSecond, heldPerSecond, load }, i): Row => {
    const isLast = i === segments.length - 1;
    return time(
      `rate-${setPerSecond}${isLast ? '-to-the-end' : ''}.off`,
      `how far off a set rate of ${setPerSecond} jobs a second${isLast ? ', to the end' : ''}`,
      '%',
      Math.abs(heldPerSecond / setPerSecond - 1) * 100,
      { limit: 5, detail: `${heldPerSecond.toFixed(0)}/s, load ${load.toFixed(1)}` },
    );
  });
  const [before, ...quarters] = [0, 0.25, 0.5, 0.75].map((share) => quarter(resident, share));
  const { matched, moved, skipped, remaining } = account;
  return [
    ...rates,
    time(
      'pause.last-moved',
      `last job moved after the answer to a pause, worst of ${lastMovedMs.length}`,
      'ms',
      Math.max(...lastMovedMs),
      { limit: 250 },
    ),
    cost(
      'million.resident',
      `resident memory of the console over a replay of ${jobs} jobs, at most`,
      'MB',
      Math.max(...resident),
      { limit: 300, detail: `${before} MB before, ${quarters.join(', ')} MB at its quarters` },
    ),
    cost(
      'million.account',
      `jobs of ${jobs} that are not accounted for as moved, or do not wait in Redis`,
      'jobs',
      Math.abs(jobs - matched) + Math.abs(jobs - moved) + Math.abs(jobs - inWait) + remaining,
      {
        limit: 0,
        detail: `matched ${matched} = moved ${moved} + skipped ${skipped} + remaining ${remaining}; ${inWait} wait in Redis`,
      },
    ),
  ];
}

function quarter(values: readonly number[], share: number): number {
  return values[Math.floor((values.length - 1) * share)] ?? 0;
}
