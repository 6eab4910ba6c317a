import { type CrashOutcome, type CrashPlan, crashWorld } from '../test/support/crash-world.js';
import { judgeCrash } from '../test/support/judge-crash.js';
import { cost, type Row, type Say } from './row.js';

const OF_REDIS = {
  ...{ kills: 20, redisKills: 20 },
  ...{ replayedJobs: 6_000, ratePerSecond: 400, runJobs: 2_000, restingJobs: 2_000 },
};

/** The full form of test/replay/crash.test.ts and redis-crash.test.ts. */
const PLANS: readonly (CrashPlan & { readonly id: string; readonly what: string })[] = [
  {
    ...{ id: 'console-killed', what: 'console killed 200 times' },
    ...{ seed: 1, kills: 200, redisKills: 0, appendfsync: 'always', losesPower: false },
    ...{ replayedJobs: 20_000, ratePerSecond: 400, runJobs: 8_000, restingJobs: 2_000 },
  },
  {
    ...{ id: 'redis-killed-always', what: 'Redis killed 20 times, appendfsync always' },
    ...{ seed: 2, ...OF_REDIS, appendfsync: 'always', losesPower: false },
  },
  {
    ...{ id: 'redis-killed-everysec', what: 'Redis killed 20 times, appendfsync everysec' },
    ...{ seed: 3, ...OF_REDIS, appendfsync: 'everysec', losesPower: false },
  },
  {
    id: 'power-lost-everysec',
    what: 'machine of Redis loses power 20 times, appendfsync everysec',
    ...{ seed: 4, ...OF_REDIS, appendfsync: 'everysec', losesPower: true },
  },
];

/** @param isQuick a tenth of the kills */
export async function crashRows(isQuick: boolean, say: Say): Promise<readonly Row[]> {
  const share = isQuick ? 0.1 : 1;
  const measure = async ({ id, what, ...plan }: (typeof PLANS)[number]): Promise<Row> => {
    const outcome = await crashWorld({
      ...plan,
      kills: plan.kills * share,
      redisKills: plan.redisKills * share,
      replayedJobs: plan.replayedJobs * share,
      runJobs: plan.runJobs * share,
    });
    const row = rowOf(id, what, outcome);
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

function rowOf(id: string, what: string, outcome: CrashOutcome): Row {
  const { replayed, run, plan, inReplay, inParking, tookMs } = outcome;
  const verdict = judgeCrash(outcome);
  const { lost, doubled, changed, misplaced, isReplayRight, wrongParkings } = verdict;
  const isRight = isReplayRight && wrongParkings === 0;
  const said = `${lost.length} lost, ${doubled.length} run twice by us, ${changed} changed, ${misplaced} misplaced; account ${isRight ? 'adds up' : 'is wrong'}`;
  return cost(
    id,
    `jobs that are not as they should be: ${what}, ${plan.replayedJobs} jobs replayed, ${plan.runJobs} parked while they run, ${plan.restingJobs * 1.5} parked at rest`,
    'jobs',
    lost.length + doubled.length + changed + misplaced + wrongParkings + (isReplayRight ? 0 : 1),
    {
      limit: 0,
      detail: `${said}; ${replayed.once + run.once} of ${plan.replayedJobs + plan.runJobs} run once; ${plan.kills} kills of the console, ${inReplay} in a replay, ${inParking} in a parking; ${Math.round(tookMs / 1000)} s`,
      peerDetail: `run again by BullMQ (stalled) ${replayed.stalled + run.stalled}, as Redis forgot ${replayed.forgotten + run.forgotten}`,
    },
  );
}
