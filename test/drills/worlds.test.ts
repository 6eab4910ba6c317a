import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { held, runDrillToEnd } from '../support/drill.js';

/** Everything that a drill puts on disk goes here, so that what it leaves behind is seen. */
const scratch = mkdtempSync(join(tmpdir(), 'spillway-test-worlds-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** What holds of each world itself, and of the levers on it, whatever the console finds. */
const WORLDS: readonly (readonly [name: string, claims: readonly string[]])[] = [
  [
    'noisy-neighbour',
    [
      'the probes of both queues wait ten times as long, or longer',
      'the source alone is capped',
      'probes wait at most twice as long as normally within 20 s',
      'and the resync goes on at its cap',
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
      'no job lost in monitors',
    ],
  ],
];

describe('the world of the drill', () => {
  it.each(WORLDS)(
    '%s gets into trouble that can be measured, and out of it without losing a job',
    { timeout: 240_000 },
    async (name, claims) => {
      const { output } = await runDrillToEnd(name, { ...process.env, TMPDIR: scratch }, [], 235_000);
      for (const claim of claims) expect(output).toMatch(held(claim));
      expect(readdirSync(scratch)).toEqual([]);
    },
  );
});
