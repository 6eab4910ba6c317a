import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that play drills from their beginning to their end. */
const PLAYS_DRILLS = /\/test\/drills\/(full-redis|workers|diagnosis)\./;
/** The last of them begins early enough to be over with the rest. */
const BEGUN_BY_RATIO = 0.7;

/**
 * Drills go by the clock for minutes. Spread among other files they wait while those work; side by side they would starve
 * each other, and at the end they would be waited for.
 */
export class SpreadDrills extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const drills = sorted.filter(({ moduleId }) => PLAYS_DRILLS.test(moduleId));
    const others = sorted.filter((file) => !drills.includes(file));
    const apart = Math.ceil((others.length * BEGUN_BY_RATIO) / Math.max(1, drills.length));
    return drills.flatMap((drill) => [drill, ...others.splice(0, apart)]).concat(others);
  }
}
