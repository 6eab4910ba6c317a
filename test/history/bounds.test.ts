import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { detectOwnFindings } from '../../server/findings/own-findings.js';
import { BACKLOG, type HistoryBench, SECOND_MS, START_MS, startHistory } from '../support/history.js';
import { seededRandom } from '../support/seeded-random.js';
import { aQueue, someMemory, someRates } from '../support/snapshot.js';

const random = seededRandom(4);
const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Queues of which everything is noise, so that a little time takes much room. */
function noisyQueues(count: number) {
  return Array.from({ length: count }, (_, i) =>
    aQueue({
      id: i === 0 ? 'bull:mail' : `bull:noise-${i}`,
      backlog: Math.floor(random.between(0, 1e6)),
      counts: { active: Math.floor(random.between(0, 1e6)), delayed: Math.floor(random.between(0, 1e6)) },
      rates: someRates({
        arrivalsPerSecond: random.between(0, 1e5),
        departuresPerSecond: random.between(0, 1e5),
      }),
      memory: someMemory({ totalBytes: random.between(0, 1e12) }),
    }),
  );
}

async function runNoise(bench: HistoryBench, seconds: number, queues: number): Promise<void> {
  for (let i = 0; i < seconds; i++, bench.nowMs += SECOND_MS) await bench.tick(noisyQueues(queues));
}

it('the file stays within maxBytes by letting go of the oldest, and keeps the newest', async () => {
  const maxBytes = 1024 * 1024;
  const bench = await startHistory({ settings: { maxBytes } });
  cleanups.push(() => bench.stop());
  await runNoise(bench, 900, 150);
  expect(bench.history.problem()).toBeNull();
  expect((await stat(join(bench.directory, 'history.db'))).size).toBeLessThanOrEqual(maxBytes);
  const at = (fromMs: number) =>
    bench.history.read({ series: BACKLOG, fromMs, toMs: fromMs + 60_000, maxPoints: 60 });
  expect((await at(bench.nowMs - 60_000)).mean.every((value) => value !== null)).toBe(true);
  expect((await at(START_MS)).mean.every((value) => value === null)).toBe(true);
});

it('a directory that can not be written is reported as a finding, and history begins when it can', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'spillway-nowhere-'));
  cleanups.push(() => rm(parent, { recursive: true, force: true }));
  const directory = join(parent, 'data');
  // A file where the directory should be: also the super user can't write there.
  await writeFile(directory, '');
  await chmod(directory, 0o400);
  const bench = await startHistory({ directory });
  cleanups.push(() => bench.stop());
  await bench.run(START_MS + 10_000, () => 5);
  const problem = bench.history.problem();
  expect(problem).toMatch(/can't be written/);
  const ownProblems = [{ code: 'history' as const, subject: '', text: problem ?? '' }];
  const found = detectOwnFindings(ownProblems, 'default');
  expect(found.map(({ code }) => code)).toContain('console.no-history');
  await rm(directory);
  await bench.run(START_MS + 30_000, () => 6);
  expect(bench.history.problem()).toBeNull();
  const { mean } = await bench.history.read({
    series: BACKLOG,
    fromMs: START_MS,
    toMs: bench.nowMs,
    maxPoints: 60,
  });
  expect(mean[0]).toBeNull();
  expect(mean.at(-1)).toBe(6);
});

it('a full disk stops history and nothing else: it is reported, and history goes on when there is room', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'spillway-tmpfs-'));
  cleanups.push(() => rm(directory, { recursive: true, force: true }));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', directory], { stdio: 'ignore' });
  } catch {
    return context.skip();
  }
  cleanups.push(async () => {
    execFileSync('umount', ['-l', directory]);
  });
  const bench = await startHistory({ directory });
  cleanups.push(() => bench.history.stop());
  await runNoise(bench, 600, 300);
  expect(bench.history.problem()).toMatch(/full|I\/O/i);
  expect(bench.warnings.length).toBeGreaterThan(0);
  // What is in memory is still answered.
  const { mean } = await bench.history.read({
    series: BACKLOG,
    fromMs: bench.nowMs - 1_000,
    toMs: bench.nowMs,
    maxPoints: 1,
  });
  expect(mean[0]).not.toBeNull();
  execFileSync('mount', ['-o', 'remount,size=256m', directory]);
  await runNoise(bench, 60, 300);
  expect(bench.history.problem()).toBeNull();
});
