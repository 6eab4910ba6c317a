import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ReplayRecord } from '../../server/model/replay.js';
import { NO_COUNTS } from '../../server/model/replay.js';
import { SpecSchema } from '../../server/model/replay-spec.js';
import type { Store } from '../../server/open-store.js';
import { openStoreIn } from '../support/stores.js';

const DAY_MS = 24 * 3_600_000;
const NOW_MS = Date.UTC(2026, 0, 31);
let directory = '';
let store: Store;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway-replays-'));
  store = await openStoreIn(directory);
});
afterAll(async () => {
  store?.close();
  await rm(directory, { recursive: true, force: true });
});

function record(id: string, endedAtMs: number | null): ReplayRecord {
  return {
    id,
    instance: 'default',
    spec: SpecSchema.parse({ reason: 'the fix is out' }),
    queues: ['bull:mail'],
    actor: 'ada',
    createdAtMs: (endedAtMs ?? NOW_MS - 400 * DAY_MS) - 1000,
    cutoffMs: NOW_MS,
    endedAtMs,
    state: endedAtMs === null ? 'paused' : 'done',
    pausedBy: null,
    ratePerSecond: 50,
    reason: '',
    counts: NO_COUNTS,
    cursors: {},
    isSwept: endedAtMs !== null,
    needsResweep: false,
    lastSeq: 1,
    baseline: null,
    canaryFrom: { moved: 0, succeeded: 0, failedAgain: 0, gone: 0 },
  };
}
async function keep(id: string, endedAtMs: number | null, phase: 'open' | 'settled' = 'settled') {
  const batch = {
    replay: id,
    seq: 1,
    phase,
    queue: 'bull:mail',
    jobs: [['a', '1']] as const,
    characters: 'M',
  };
  await store.replays.saveBatches(record(id, endedAtMs), [batch]);
}
const batches = async (id: string): Promise<number> =>
  (await store.replays.batchesIn(id, 'settled', 0, 9)).length +
  (await store.replays.batchesIn(id, 'open', 0, 9)).length;

it('ended replays are kept for 90 days and the newest 500 of them, those under way always', async () => {
  await keep('under-way', null);
  await keep('too-old', NOW_MS - 91 * DAY_MS);
  for (let i = 0; i < 502; i++) await keep(`ended-${i}`, NOW_MS - 80 * DAY_MS + i * 1000);
  const dropped = await store.replays.prune(NOW_MS);
  expect([...dropped].sort()).toEqual(['ended-0', 'ended-1', 'too-old']);
  const left = await store.replays.list();
  expect(left).toHaveLength(501);
  expect(left.map(({ id }) => id)).toContain('under-way');
  expect(await store.replays.prune(NOW_MS)).toEqual([]);
  // The ids of their jobs go with them, and earlier where nothing asks for them any more.
  expect([await batches('too-old'), await batches('ended-0'), await batches('ended-500')]).toEqual([0, 0, 0]);
  expect(await batches('under-way')).toBe(1);
});

it('what has come of moved jobs can be looked up for a day after the end, however many ended since', async () => {
  await keep('this-morning', NOW_MS - 10 * 3_600_000, 'open');
  await keep('settled-this-morning', NOW_MS - 10 * 3_600_000);
  for (let i = 0; i < 6; i++) await keep(`later-${i}`, NOW_MS - i * 1000);
  await store.replays.prune(NOW_MS);
  expect([await batches('this-morning'), await batches('settled-this-morning')]).toEqual([1, 0]);
  expect([await batches('later-0'), await batches('later-5')]).toEqual([1, 0]);
  await store.replays.prune(NOW_MS + DAY_MS);
  expect(await batches('this-morning')).toBe(0);
});
