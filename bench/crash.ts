import { loadavg } from 'node:os';
import { type CrashOutcome, type CrashPlan, crashWorld } from '../test/support/crash-world.js';
import { judgeCrash, NOTHING_WRONG } from '../test/support/judge-crash.js';
import type { Row } from './report.js';

/** The full form of test/replay/crash.test.ts and redis-crash.test.ts. */
const PLANS: readonly (CrashPlan & { readonly what: string })[] = [
  {
    what: 'console killed 200 times',
    ...{ seed: 1, kills: 200, redisKills: 0, appendfsync: 'always', losesPower: false },
    ...{ replayedJobs: 20_000, ratePerSecond: 400, runJobs: 8_000, restingJobs: 2_000 },
  },
  {
    what: 'Redis killed 20 times, appendfsync always',
    ...{ seed: 2, kills: 20, redisKills: 20, appendfsync: 'always', losesPower: false },
    ...{ replayedJobs: 6_000, ratePerSecond: 400, runJobs: 2_000, restingJobs: 2_000 },
  },
  {
    what: 'Redis killed 20 times, appendfsync everysec',
    ...{ seed: 3, kills: 20, redisKills: 20, appendfsync: 'everysec', losesPower: false },
    ...{ replayedJobs: 6_000, ratePerSecond: 400, runJobs: 2_000, restingJobs: 2_000 },
  },
  {
    what: 'machine of Redis loses power 20 times, appendfsync everysec',
    ...{ seed: 4, kills: 20, redisKills: 20, appendfsync: 'everysec', losesPower: true },
    ...{ replayedJobs: 6_000, ratePerSecond: 400, runJobs: 2_000, restingJobs: 2_000 },
  },
];

/** Rows of RESULTS-crash.md. @param isQuick a tenth of the kills. */
export async function crashRows(isQuick: boolean, say: (line: string) => void): Promise<readonly Row[]> {
  const share = isQuick ? 0.1 : 1;
  const measure = async ({ what, ...plan }: (typeof PLANS)[number]): Promise<Row> => {
    const outcome = await crashWorld({
      ...plan,
      kills: plan.kills * share,
      redisKills: plan.redisKills * share,
      replayedJobs: plan.replayedJobs * share,
      runJobs: plan.runJobs * share,
    });
    const row = rowOf(what, outcome);
    say(JSON.stringify({ ...row, verdict: judgeCrash(outcome), lost: outcome.lost }));
    return row;
  };
  const [first, ...others] = PLANS;
  if (!first) return [];
  // Most of the time goes by in starting processes: two worlds at a time.
  const long = measure(first);
  const rows: Row[] = [];
  for (const plan of others) rows.push(await measure(plan));
  return [await long, ...rows];
}

function rowOf(what: string, outcome: CrashOutcome): Row {
  const { replayed, run, plan, inReplay, inParking, tookMs } = outcome;
  const verdict = judgeCrash(outcome);
  const isMet = JSON.stringify(verdict) === JSON.stringify(NOTHING_WRONG);
  const wrong = `${verdict.lost.length} lost, ${verdict.doubled.length} run twice by us, ${verdict.changed} changed, ${verdict.misplaced} misplaced`;
  return {
    what: `${what}, ${plan.kills} kills of the console: ${inReplay} in a replay, ${inParking} in a parking; ${plan.replayedJobs} jobs replayed, ${plan.runJobs} parked while they run, ${plan.restingJobs * 1.5} parked at rest; ${Math.round(tookMs / 1000)} s, load ${loadavg()[0]?.toFixed(1)}`,
    spillway: `${wrong}; account ${verdict.isReplayRight && verdict.wrongParkings === 0 ? 'adds up' : 'is wrong'}`,
    peer: `run again by BullMQ (stalled) ${replayed.stalled + run.stalled}, as Redis forgot ${replayed.forgotten + run.forgotten}`,
    ratio: `${replayed.once + run.once} of ${plan.replayedJobs + plan.runJobs} once`,
    wanted: '0 of each',
    isMet,
  };
}

/** What stands under the table. */
export const CRASH_NOTES = `
Who counts: BullMQ 5 and 6 workers write down each run of each job; the jobs at rest are compared byte by byte.

What can be promised:
- The console is killed, Redis is not: nothing is lost, nothing is run twice.
- Redis with \`appendfsync always\`: the same. What it has answered is on its disk, and a call whose answer was lost is made again under its own number.
- Redis with \`everysec\`, the process killed: what it has answered is with the kernel, as long as it does not put off writing (up to 2 s while a sync takes long). Nothing is lost; a run in those 2 s may be forgotten by Redis, and is then made again.
- Redis with \`everysec\` and a machine that loses its power: up to a second is forgotten, moves and runs alike. Nothing is lost; a job whose move and run were both forgotten stands in the failed set again and is moved again: nobody can know that it has run. For this the log of Redis is cut to what it was up to a second before.
- A worker that loses Redis in the midst of a job: BullMQ gives the job to another one (\`stalled\`). That is its promise of at least once, and not ours to change.
`;
