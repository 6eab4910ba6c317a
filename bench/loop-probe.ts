import { readFileSync, writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

/**
 * Runs inside the console that is measured (`NODE_OPTIONS=--import=…`, SPILLWAY_PROBE=<file>): how long its event loop was
 * held at a time, and how much of that the main thread had a core, which is its own doing whatever else the machine runs.
 */
export interface LoopProbe {
  readonly heldMs: readonly number[];
  /** Longest last, of both. */
  readonly ownMs: readonly number[];
}

const EVERY_MS = 5;
const KEPT = 20;
const file = process.env.SPILLWAY_PROBE;

if (file && isMainThread) {
  const held: number[] = [];
  const own: number[] = [];
  const cpuMs = (): number =>
    Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
  let [atMs, atCpuMs] = [performance.now(), cpuMs()];
  setInterval(() => {
    const [nowMs, nowCpuMs] = [performance.now(), cpuMs()];
    const lateMs = nowMs - atMs - EVERY_MS;
    keepLargest(held, lateMs);
    keepLargest(own, Math.min(lateMs, nowCpuMs - atCpuMs));
    [atMs, atCpuMs] = [nowMs, nowCpuMs];
  }, EVERY_MS).unref();
  // Measures anew from each SIGUSR2 on.
  process.on('SIGUSR2', () => {
    writeFileSync(file, JSON.stringify({ heldMs: held, ownMs: own } satisfies LoopProbe));
    held.length = 0;
    own.length = 0;
  });
}

function keepLargest(kept: number[], value: number): void {
  if (kept.length === KEPT && value <= (kept[0] ?? 0)) return;
  kept.push(value);
  kept.sort((a, b) => a - b);
  if (kept.length > KEPT) kept.shift();
}
