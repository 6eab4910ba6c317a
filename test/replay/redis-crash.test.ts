import { expect, it } from 'vitest';
import { crashWorld } from '../support/crash-world.js';
import { judgeCrash, NOTHING_WRONG } from '../support/judge-crash.js';

const PLAN = {
  kills: 4,
  redisKills: 3,
  losesPower: false,
  replayedJobs: 2_000,
  ratePerSecond: 800,
  runJobs: 400,
  restingJobs: 400,
} as const;

// Both at once: most of their time is waiting.

it.concurrent('a Redis that syncs every write is killed in the midst of both: no job is lost, none is run twice by us', async () => {
  const outcome = await crashWorld({ ...PLAN, seed: 12, appendfsync: 'always' });
  expect(judgeCrash(outcome)).toEqual(NOTHING_WRONG);
  expect(outcome.replayed.forgotten + outcome.run.forgotten).toBe(0);
}, 280_000);

it.concurrent('a Redis that syncs once a second loses its power: no job is lost, and only what it forgot is run again', async () => {
  const outcome = await crashWorld({ ...PLAN, seed: 13, appendfsync: 'everysec', losesPower: true });
  expect(judgeCrash(outcome)).toEqual(NOTHING_WRONG);
}, 280_000);
