import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { held, runDrillToEnd } from '../support/drill.js';

/** Everything that a drill puts on disk goes here, so that what it leaves behind is seen. */
const scratch = mkdtempSync(join(tmpdir(), 'spillway-test-drills-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const DRILLS: readonly (readonly [name: string, more: readonly string[], claims: readonly string[]])[] = [
  [
    'overloaded-layer',
    // The replay of its second part, smaller than by itself.
    ['--jobs', '1200'],
    [
      'no false verdict in 20 s of steady load',
      'left-1 is named crashed',
      'left-2 is named crashed',
      'left-3 is named stuck',
      'right-1 is named outlier',
      'the survivors of the left queue are named overloaded',
      'and nobody is named wrongly',
      'one action raises the capacity of both queues',
      'and the backlog falls',
      'which brings down the time from adding a job to its end',
      'the guard slows the replay to half or less by itself, and names the live wait',
      'live jobs wait at most twice as long as normally, with half of the workers and the replay going on',
      'one action pauses all replays',
      'and nothing is moved from its answer on',
      'one action lets them go on, at a rate for all',
      'they finish, every job of theirs replayed and succeeded',
      'alert workers layer-left left-1 fires',
      'alert workers layer-left left-2 fires',
      'alert workers layer-left left-3 fires',
      'alert workers layer-right right-1 fires',
      'alert queue-overloaded layer-left fires',
      'alert workers layer-left left-4 fires',
      'alert type-failing layer-left forward fires',
      'no alert is told of what did not happen',
      'no replayed job lost and none doubled in layer-left, by id',
      'no replayed job lost and none doubled in layer-right, by id',
      'no job lost in layer-left',
      'no job lost in layer-right',
    ],
  ],
  [
    'silent-subscriber',
    [],
    [
      'everything is heard after the failover',
      'the failover is on the timeline',
      'the deaf worker is named silent',
      'and found, and no other worker is',
      'reconnected by the remedy of the finding, it takes jobs again without a restart',
      'alert workers reports deaf-one fires',
      'alert workers reports deaf-one is over afterwards, told once',
      'no alert is told of what did not happen',
    ],
  ],
];

describe('drill', () => {
  // At once: most of their time is waiting.
  it.concurrent.each(DRILLS)(
    '%s is seen rightly and resolved through the JSON API alone',
    { timeout: 380_000 },
    async (name, more, claims) => {
      const own = mkdtempSync(join(scratch, `${name}-`));
      const { code, output, failed } = await runDrillToEnd(
        name,
        { ...process.env, TMPDIR: own },
        more,
        375_000,
      );
      expect(failed, output).toEqual([]);
      expect(code, output).toBe(0);
      for (const claim of claims) expect(output).toMatch(held(claim));
      expect(readdirSync(own)).toEqual([]);
    },
  );
});
