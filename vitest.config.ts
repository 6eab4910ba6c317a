import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.{ts,tsx}'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Tests start real Redis servers, workers and browsers: as many files at once as there are cores here.
    maxWorkers: 2,
    minWorkers: 1,
  },
});
