import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { freePort } from '../../drills/own-redis.js';
import { DRILL, held, runDrillToEnd } from '../support/drill.js';
import { until } from '../support/until.js';

/** Everything that the drill puts on disk goes here, so that what it leaves behind is seen. */
const scratch = mkdtempSync(join(tmpdir(), 'spillway-test-drill-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const args = async (...more: string[]): Promise<string[]> => [
  DRILL,
  'full-redis',
  '--port',
  String(await freePort()),
  ...more,
];
const env = { ...process.env, TMPDIR: scratch };

/** What holds of each, by its name. */
const CLAIMS: Readonly<Record<string, readonly string[]>> = {
  'full-redis': [
    'before: stock queue.pause() is refused',
    'before: restarted workers complete nothing',
    'after: writes succeed',
    'after: workers drain both queues',
    'one order raises the concurrency of the running worker',
    'alert redis-filling fires',
    'alert redis-full fires',
    'alert redis-full is over afterwards, told once',
    'no alert is told of what did not happen',
    'somebody is sent one message when redis-full fires, and one when it is over',
    'it says what is wrong, since when, the evidence, the first remedy and where to look',
    'every message is signed with the secret, and none was sent twice',
    '100000 batched jobs drain within 30 s of that request',
    'Redis memory falls by at least 95%',
    'no job lost in analytics',
    'no job lost in api-requests',
  ],
  'full-redis-policy': [
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
  ],
};

/** Runs it in a small Redis, with a place of its own on disk, and holds it to all of that. */
async function endsWell(name: string, more: readonly string[] = []): Promise<void> {
  const own = mkdtempSync(join(scratch, `${name}-`));
  const options = ['--maxmemory', '24', ...more];
  const { code, output, failed } = await runDrillToEnd(name, { ...env, TMPDIR: own }, options, 285_000);
  expect(failed, output).toEqual([]);
  expect(code, output).toBe(0);
  for (const claim of CLAIMS[name] ?? []) expect(output).toMatch(held(claim));
  expect(readdirSync(own)).toEqual([]);
}

// One after the other: each surge takes what two cores have, and what is starved is judged as such.
describe('a surge of analytics jobs', () => {
  it(
    'that fills Redis is resolved through the JSON API alone, and no job is lost',
    {
      timeout: 290_000,
    },
    () => endsWell('full-redis'),
  );

  it(
    'with the spillway policy on never refuses the API a job, and every parked job runs once',
    {
      timeout: 290_000,
    },
    () => endsWell('full-redis-policy'),
  );
});

describe('drill full-redis', () => {
  // A terminal's Ctrl-C goes to the whole group, as a supervisor's last word may; others go to the one process. All at
  // once: most of their time is waiting.
  it.concurrent.each([
    ['SIGINT', 'all of its group'],
    ['SIGTERM', 'it alone'],
    ['SIGKILL', 'it alone'],
    ['SIGKILL', 'all of its group'],
  ] as const)(
    'leaves nothing behind when %s ends %s',
    {
      timeout: 60_000,
    },
    async (signal, whom) => {
      const own = mkdtempSync(join(scratch, `${signal}-`));
      const drill = spawn(process.execPath, await args('--maxmemory', '24'), {
        env: { ...env, TMPDIR: own },
        stdio: ['ignore', 'pipe', 'inherit'],
        detached: true,
      });
      let output = '';
      drill.stdout.on('data', (chunk) => {
        output += chunk;
      });
      await until('producers and workers run', () => output.includes('producers and workers run'), {
        withinMs: 30_000,
      });
      const port = Number(/redis:\/\/127\.0\.0\.1:(\d+)/.exec(output)?.[1]);
      const pids = await descendants(drill.pid ?? 0);
      expect(pids.length).toBeGreaterThanOrEqual(5);
      expect(port).toBeGreaterThan(0);
      process.kill(whom === 'it alone' ? (drill.pid ?? 0) : -(drill.pid ?? 0), signal);
      await until('every process is gone', () => pids.every((pid) => !isAlive(pid)), { withinMs: 15_000 });
      await until('its directories are gone', () => readdirSync(own).length === 0);
    },
  );
});

/** The process and all that it started, by Linux's own account. */
async function descendants(pid: number): Promise<readonly number[]> {
  const listing = await new Promise<string>((resolve, reject) => {
    execFile('ps', ['-e', '-o', 'pid=,ppid='], (error, stdout) => (error ? reject(error) : resolve(stdout)));
  });
  const pairs = listing
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const found = [pid];
  for (const parent of found) {
    for (const [child, of] of pairs) if (of === parent && child !== undefined) found.push(child);
  }
  return found;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
