import { configDefaults, defineConfig } from 'vitest/config';
import { SpreadDrills } from './test/support/spread-drills.js';

const isCi = Boolean(process.env.CI);
/** Mostly pure code, which leaves nothing behind: such files share a process, and what it has loaded. */
const PURE = 'test/{model,findings,views,config,bench}/**/*.test.{ts,tsx}';

export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Tests start real Redis servers, workers and browsers, and wait for them most of the time: one file more than there
    // are cores here. In CI nobody waits, and drills are judged by what the machine leaves them.
    maxWorkers: isCi ? 2 : 3,
    minWorkers: 1,
    sequence: { sequencer: SpreadDrills },
    // Many are about seconds of the real clock, on machines that others share: told as "retry x1" where it was needed.
    retry: isCi ? 1 : 0,
    projects: [
      { extends: true, test: { name: 'pure', include: [PURE], isolate: false } },
      {
        extends: true,
        test: {
          name: 'real',
          include: ['test/**/*.test.{ts,tsx}'],
          exclude: [...configDefaults.exclude, PURE],
        },
      },
    ],
  },
});
