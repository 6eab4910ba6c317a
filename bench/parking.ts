import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { overfill, startRedis, usedBytes } from '../drills/own-redis.js';
import { MovedJobs } from '../server/replay/load-sample.js';
import { openParked } from '../server/replay/parking/open-parked.js';
import { Parkings } from '../server/replay/parking/parkings.js';
import { watchPings } from './pings.js';
import { addJobs } from './seed.js';

/**
 * Jobs a second that are parked on a Redis that is over maxmemory, and brought back once there is room; and the longest
 * that a PING of this same process waited meanwhile: its own work with SQLite is in that. `node dist/bench/parking.js [jobs]`
 */
const JOBS = Number(process.argv[2] ?? 100_000);

const redis = await startRedis();
const directory = await mkdtemp(join(tmpdir(), 'spillway-bench-parking-'));
// Every other job is of a type that stays, as in a queue that is shared.
const nameOf = (n: number): string => (n % 2 === 0 ? 'track' : 'bill');
await addJobs(redis, 'track', JOBS, (n) => ({ n, pad: 'x'.repeat(300) }), {}, nameOf);
await overfill(redis, 0.5);

const client = new Redis({ port: redis.port, host: '127.0.0.1' });
const store = await openParked(directory, 4 * 1024 ** 3);
const parkings = new Parkings({
  store,
  queue: (_instance, id) => ({ client, canFlagScripts: true, id }),
  snapshot: () => null,
  moved: new MovedJobs(),
  now: Date.now,
  newId: randomUUID,
  tell: () => undefined,
  warn: (message) => process.stderr.write(`${message}\n`),
});
await parkings.onElected();

const pings = watchPings(redis.port);

for (const jobTypes of [['track'], null]) {
  const held = await usedBytes(redis);
  pings.take();
  const startedAt = performance.now();
  const { id } = await parkings.begin({
    instance: 'default',
    queue: 'bull:track',
    states: ['waiting'],
    jobTypes,
    most: null,
    reason: 'bench',
    actor: 'bench',
    origin: 'person',
  });
  const parked = await parkings.settled(id, 600_000);
  report(jobTypes === null ? 'parked, the rest' : 'parked, every other', parked.parked, startedAt);
  const freed = held - (await usedBytes(redis));
  process.stdout.write(`  freed ${freed} bytes, reported ${parked.freedBytes}\n`);
}
await redis.client.config('SET', 'maxmemory', '0');
for (const { id } of await parkings.list({ limit: 10 })) {
  pings.take();
  const startedAt = performance.now();
  await parkings.restore(id, { ratePerSecond: null, guard: false });
  report('brought back', (await parkings.settled(id, 600_000)).restored, startedAt);
}
await pings.stop();
await parkings.stop();
client.disconnect();
await redis.stop();
await rm(directory, { recursive: true, force: true });

function report(what: string, jobs: number, startedAt: number): void {
  const seconds = (performance.now() - startedAt) / 1000;
  process.stdout.write(
    `${what}: ${jobs} jobs in ${seconds.toFixed(2)} s, ${Math.round(jobs / seconds)} a second; worst PING ${pings.take().toFixed(1)} ms\n`,
  );
}
