import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take a quarter of a minute or more by themselves, roughly the longest first. What is begun last is then over soon. */
const LONG = [
  'drills/played',
  'watch/starved',
  'replay/from-parked-crash',
  'replay/several-consoles',
  'browser/every-page',
  'replay/replay',
  'actions/rate-limit',
  'browser/timeline',
  'browser/fleet',
  'watch/job-types',
  'watch/fleet',
  'store/shared-store',
  'browser/job-types',
  'browser/memory',
  'routes/history',
  'routes/timeline',
  'replay/crash',
  'replay/redis-crash',
  'alerts/restart',
  'health/goes-on',
  'pack',
];

/** Where nothing is known of former runs, as in CI: the long ones, and then as Vitest would. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const at = LONG.findIndex((name) => moduleId.includes(`/test/${name}.test.`));
      return at === -1 ? LONG.length : at;
    };
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}
