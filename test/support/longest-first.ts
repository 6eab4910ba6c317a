import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take about 20 s or more in a run of all, roughly the longest first; what is judged by the clock before the others. What is begun last is then over soon. */
const LONG = [
  'drills/played',
  'browser/still',
  'drills/first-button',
  'browser/demo',
  'watch/starved',
  'replay/pace',
  'replay/several-consoles',
  'browser/every-page',
  'routes/timeline',
  'alerts/end-to-end',
  'browser/timeline',
  'watch/job-types',
  'browser/memory',
  'replay/from-parked-crash',
  'browser/fleet',
  'actions/pause-and-resume',
  'actions/rate-limit',
  'process/goes-on',
  'pack',
  'browser/job-types',
  'agent/guard',
  'replay/replay',
  'watch/fleet',
  'routes/workers-api',
  'watch/topologies',
  'replay/from-parked',
  'watch/exact-count',
  'browser/docs',
  'agent/orders',
  'browser/replays',
  'replay/crash',
  'store/shared-store',
  'replay/parking-disk',
  'browser/alerts',
  'browser/history',
  'watch/cluster-killed',
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
