/**
 * Publishes made-up beats until its time is over, at most so many bytes a second: `node forged-beats.mjs <port> <bytes/s>
 * <for ms>`. 5,000 workers of 200 job types each, whose sketches have bins far apart, as that takes most memory.
 */
import { Redis } from 'ioredis';

const [port, bytesPerSecond, forMs] = process.argv.slice(2).map(Number);
const WORKERS = 5_000;
const TYPES = 200;
const redis = new Redis({ port, maxRetriesPerRequest: null });
const sketch = { bins: [-150, 1, 830, 1], zero: 0, sum: 10, min: 1, max: 1e6 };
const types = (seed) =>
  Array.from({ length: TYPES }, (_, i) => ({
    name: `forged-${seed % 7}-${i}`,
    completed: 1,
    failed: 1,
    run: sketch,
    wait: sketch,
    error: 'x'.repeat(200),
    usual: { count: 5, p50Ms: 10, p99Ms: 20 },
  }));
const texts = [0, 1, 2, 3, 4, 5, 6].map((seed) => JSON.stringify(types(seed)));
const agentOf = (i) => ({
  id: `forged-${i}`,
  host: `host-${i}`,
  pid: i,
  version: '0.2.0',
  nodeVersion: 'v20',
});
const labels = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`label-${i}`, 'y'.repeat(90)]));
const beatOf = (i, round) => {
  const nowMs = Date.now();
  const worker = {
    id: `forged-worker-${i}`,
    queue: `bull:q${i % 20}`,
    name: `w${i}`,
    labels,
    attachedAtMs: nowMs,
    concurrency: { deployed: 5, now: 5 },
    running: 20,
    oldest: Array.from({ length: 20 }, (_, j) => ({
      jobId: `${'j'.repeat(900)}${j}`,
      type: 'z',
      startedAtMs: nowMs,
    })),
  };
  const text = JSON.stringify({
    v: 1,
    kind: 'beat',
    seq: round,
    agent: agentOf(i),
    atMs: nowMs,
    workers: [{ ...worker, types: [] }],
  });
  return text.replace('"types":[]', () => `"types":${texts[(i + round) % texts.length]}`);
};
const endMs = Date.now() + forMs;
let sent = 0;
const beganMs = Date.now();
for (let n = 0; Date.now() < endMs; ) {
  const batch = redis.pipeline();
  for (let k = 0; k < 20; k++, n++) {
    const text = beatOf(n % WORKERS, Math.floor(n / WORKERS));
    sent += text.length;
    batch.publish(`spillway:0:up:forged-${n % WORKERS}`, text);
  }
  await batch.exec();
  const aheadMs = (sent / bytesPerSecond) * 1000 - (Date.now() - beganMs);
  if (aheadMs > 0) await new Promise((resolve) => setTimeout(resolve, aheadMs));
}
process.stdout.write(`${sent}\n`);
redis.disconnect();
