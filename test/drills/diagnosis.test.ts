import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { held, runDrillToEnd } from '../support/drill.js';

/** Everything that a drill puts on disk goes here, so that what it leaves behind is seen. */
const scratch = mkdtempSync(join(tmpdir(), 'spillway-test-diagnosis-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const DRILLS: readonly (readonly [name: string, claims: readonly string[]])[] = [
  [
    'noisy-neighbour',
    [
      'the probes of both queues wait ten times as long, or longer',
      'the source is named by a finding, and it is the right one',
      'its evidence names both queues that are held up',
      'no probe queue is named as a source',
      'it offers to hold back the source, and the source alone',
      'the tenant that holds most of the source is named to an operator, and it is the right one',
      'and not to a viewer, who may not see job data',
      'the source alone is capped',
      'probes wait at most twice as long as normally within 20 s',
      'and the resync goes on at its cap',
      'alert noisy-neighbour resync fires',
      'alert noisy-neighbour resync is over afterwards, told once',
      'no alert is told of what did not happen',
      'no job lost in probes-a',
      'no job lost in probes-b',
      'no job lost in resync',
    ],
  ],
  [
    'failed-deploy',
    [
      'before: jobs of all four types complete, and none fails',
      'after: about nine of ten match-event fail, and are kept',
      'after: no other type fails',
      'the deploy is on the timeline, at its time',
      'the failing type is named: match-event',
      'and no healthy type is',
      'its first failure is told to within 5 s',
      'the error is told',
      'the deploy is told beside it',
      'the type that stopped coming is named: cache-flush',
      'and no type that still comes is',
      'under way the account adds up, and tells that the range is not covered yet',
      'what failed of the one type, in the time range, and nothing else was replayed, by id',
      'the account adds up: matched = replayed + skipped + remaining',
      'and replayed = succeeded + failed again + open',
      'the time range is covered, and what is missing is named',
      'alert type-failing monitors match-event fires',
      'alert type-failing monitors match-event is over afterwards, told once',
      'alert flush-missing monitors cache-flush fires',
      'alert flush-missing monitors cache-flush stays',
      'no alert is told of what did not happen',
      'no job lost in monitors',
    ],
  ],
];

describe('drill', () => {
  // At once: most of their time is waiting.
  it.concurrent.each(DRILLS)(
    '%s is told apart from what it looks like, by the console alone',
    { timeout: 290_000 },
    async (name, claims) => {
      const own = mkdtempSync(join(scratch, `${name}-`));
      const env = { ...process.env, TMPDIR: own };
      const { code, output, failed } = await runDrillToEnd(name, env, [], 285_000);
      expect(failed, output).toEqual([]);
      expect(code, output).toBe(0);
      for (const claim of claims) expect(output).toMatch(held(claim));
      expect(readdirSync(own)).toEqual([]);
    },
  );
});
