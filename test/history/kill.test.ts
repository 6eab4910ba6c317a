import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@libsql/client';
import { expect, it } from 'vitest';
import { packagePath } from '../../server/process/package-path.js';
import { START_MS, startHistory } from '../support/history.js';
import { seededRandom } from '../support/seeded-random.js';

/** What is lost at most: the window that was open, and what had been closed but not written. */
const MAX_LOST_MS = 40_000;
const KILLS = 8;

it('outlives kill -9 at any moment: the file is whole, what was written is right, half a minute is lost', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'spillway-kill-'));
  const random = seededRandom(20_260_102);
  const runs: { readonly fromMs: number; readonly toMs: number }[] = [];
  try {
    let fromMs = START_MS;
    for (let kill = 0; kill < KILLS; kill++) {
      const toMs = await runAndKill(directory, fromMs, random.between(20, 250));
      runs.push({ fromMs, toMs });
      await expectWhole(directory);
      // Down for two minutes.
      fromMs = toMs + 120_000;
    }
    const bench = await startHistory({ directory, nowMs: fromMs });
    expect(bench.warnings).toEqual([]);
    for (const [i, run] of runs.entries()) {
      const nextMs = runs[i + 1]?.fromMs ?? fromMs;
      for (const queue of ['bull:q0', 'bull:q57', 'bull:q199']) {
        const { atMs, mean, stepMs } = await bench.history.read({
          series: { instance: 'default', node: null, queue, type: null, signal: 'queue_backlog_jobs' },
          fromMs: run.fromMs,
          toMs: nextMs,
          maxPoints: (nextMs - run.fromMs) / 1000,
        });
        expect(stepMs).toBe(1_000);
        atMs.forEach((at, k) => {
          const value = mean[k] ?? null;
          // The last tick may have been under way when its process was killed.
          if (at > run.toMs + 1_000) expect(value).toBeNull();
          else if (at < run.toMs - MAX_LOST_MS || value !== null) expect(value).toBe((at / 1000) % 100);
        });
      }
    }
    await bench.stop();
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}, 240_000);

/** @returns the last second that it said it had kept. */
async function runAndKill(directory: string, fromMs: number, seconds: number): Promise<number> {
  const child = spawn(
    process.execPath,
    [packagePath('dist/test/support/history-child.js'), directory, String(fromMs)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let lastMs = fromMs;
  let rest = '';
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  for await (const chunk of child.stdout) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) lastMs = Number(line);
    if (lastMs - fromMs >= seconds * 1_000) child.kill('SIGKILL');
  }
  await ended;
  return lastMs;
}

async function expectWhole(directory: string): Promise<void> {
  const client = createClient({ url: `file:${join(directory, 'history.db')}` });
  const { rows } = await client.execute('PRAGMA integrity_check');
  client.close();
  expect(rows.map((row) => row[0])).toEqual(['ok']);
}
