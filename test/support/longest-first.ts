import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take about 25 s or more in a run of all, roughly the longest first; what is judged by the clock before the others. What is begun last is then over soon. */
const LONG = [
  'drills/played',
  'drills/first-button',
  'browser/demo',
  'watch/starved',
  'replay/pace',
  'replay/several-consoles',
  'replay/replay',
  'browser/every-page',
  'browser/timeline',
  'routes/timeline',
  'browser/fleet',
  'watch/job-types',
  'routes/history',
  'browser/hostile',
  'browser/job-types',
  'watch/cluster-killed',
  'browser/history',
  'replay/from-parked-crash',
  'store/shared-store',
  'browser/overview',
  'replay/from-parked',
  'pack',
  'actions/rate-limit',
  'history/kill',
  'watch/exact-count',
  'agent/liveness',
  'alerts/end-to-end',
  'browser/memory',
  'browser/roles',
  'actions/pause-and-resume',
  'agent/guard',
  'actions/kept-orders',
  'process/goes-on',
  'browser/alerts',
  'browser/replays',
  'drills/ended',
  'history/bounds',
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
