import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { held, runDrillToEnd } from '../support/drill.js';

const scratch = mkdtempSync(join(tmpdir(), 'spillway-test-policy-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

it('with the spillway policy on a surge never refuses the API a job, and every parked job runs once', {
  timeout: 240_000,
}, async () => {
  const env = { ...process.env, TMPDIR: scratch };
  const { code, output, failed } = await runDrillToEnd(
    'full-redis-policy',
    env,
    ['--maxmemory', '24'],
    235_000,
  );
  expect(failed, output).toEqual([]);
  expect(code, output).toBe(0);
  for (const claim of [
    'analytics jobs are parked before memory runs out, and of no other queue',
    'without it Redis would have been full',
    'all that was parked comes back by itself, and the backlog drains',
    'alert redis-filling fires',
    'alert redis-filling is over afterwards, told once',
    'no alert is told of what did not happen',
    'Redis has never refused a job of the API',
    'the timeline tells what was parked and what was brought back',
    'every parked job has run exactly once, by id',
    'every job of analytics has run exactly once, by id',
    'every job of api-requests has run exactly once, by id',
  ])
    expect(output).toMatch(held(claim));
  expect(readdirSync(scratch)).toEqual([]);
});
