import { configDefaults, defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.js';

/** They tell a host without CPU to spare from one that has some, or hold rates and whole incidents to their times. */
const BY_THE_CLOCK = [
  'test/browser/still.test.ts',
  'test/drills/played.test.ts',
  'test/replay/pace.test.ts',
  'test/watch/starved.test.ts',
];

/** About what a store keeps and SQL makes of it: once on SQLite with all others, and once on a PostgreSQL of their own. */
const ON_BOTH_ENGINES = [
  'test/store/{lease,migrate}.test.ts',
  'test/timeline/timeline.test.ts',
  'test/alerts/{alerting,outbox}.test.ts',
  'test/forecast/predictions.test.ts',
  'test/watch/type-thresholds.test.ts',
  'test/replay/replays.test.ts',
  'test/auth/sessions.test.ts',
];

export default defineConfig({
  test: {
    // Tests start real Redis servers, workers and browsers, and wait for them most of the time. Six files at a time keep two
    // cores busy, but then what is held to seconds is late.
    maxWorkers: 4,
    // Watchers and workers of a file are in one process: with more beside them, they would look late.
    maxConcurrency: 2,
    // Nothing is mocked and no file leaves anything behind: files share a process, and what it has loaded.
    isolate: false,
    // For all alike, as on a machine that others share any may take long.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 40_000 } },
    sequence: { sequencer: LongestFirst },
    projects: [
      { extends: true, test: { name: 'by the clock', include: BY_THE_CLOCK } },
      {
        extends: true,
        test: {
          name: 'the rest',
          include: ['test/**/*.test.{ts,tsx}'],
          exclude: [...configDefaults.exclude, ...BY_THE_CLOCK],
          setupFiles: ['test/support/give-way.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'on PostgreSQL',
          include: ON_BOTH_ENGINES,
          env: { TEST_ENGINE: 'postgres' },
          setupFiles: ['test/support/give-way.ts'],
        },
      },
    ],
  },
});
