import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.{ts,tsx}'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Tests start real Redis servers, workers and browsers, and wait for them most of the time: one file more than there
    // are cores here.
    maxWorkers: 3,
    minWorkers: 1,
  },
});
