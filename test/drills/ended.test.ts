import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { freePort } from '../../drills/own-redis.js';
import { DRILL } from '../support/drill.js';
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
