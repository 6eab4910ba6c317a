import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Drills run longest, and what they check is time too: begun early, and never two at once. */
const DRILLS = ['full-redis', 'workers', 'diagnosis'];
const SPREAD_RATIO = 0.3;

class DrillsApart extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isDrill = ({ moduleId }: TestSpecification): boolean =>
      DRILLS.some((name) => moduleId.endsWith(`/test/drills/${name}.test.ts`));
    const others = sorted.filter((file) => !isDrill(file));
    const every = Math.ceil(others.length * SPREAD_RATIO);
    sorted.filter(isDrill).forEach((drill, i) => {
      others.splice(i * (every + 1), 0, drill);
    });
    return others;
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.{ts,tsx}'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Tests start real Redis servers, workers and browsers, and wait for them most of the time: one file more than there
    // are cores here.
    maxWorkers: 3,
    sequence: { sequencer: DrillsApart },
  },
});
