import { expect, it } from 'vitest';
import { type CrashPlan, crashWorld } from '../support/crash-world.js';
import { judgeCrash, NOTHING_WRONG } from '../support/judge-crash.js';

/** `npm run bench -- --crash` does the same 200 times with the console and 20 times with Redis. */
const PLAN: CrashPlan = {
  seed: 11,
  kills: 12,
  redisKills: 0,
  appendfsync: 'always',
  losesPower: false,
  replayedJobs: 4_000,
  ratePerSecond: 1_000,
  runJobs: 900,
  restingJobs: 600,
};

it('a console that is killed 12 times in the midst of a replay and of parkings loses no job and runs none twice', async () => {
  const outcome = await crashWorld(PLAN);
  // Most kills hit it while it was at work, else this test would show nothing.
  expect(outcome.inReplay).toBeGreaterThan(PLAN.kills / 2);
  expect(outcome.inParking).toBeGreaterThan(PLAN.kills / 2);
  expect(judgeCrash(outcome)).toEqual(NOTHING_WRONG);
  expect(outcome.replayed.once + outcome.replayed.stalled).toBe(PLAN.replayedJobs);
}, 280_000);
