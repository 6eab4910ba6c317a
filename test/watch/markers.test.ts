import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { startRedis } from '../../drills/own-redis.js';
import { createWatch } from '../../server/create-watch.js';
import { DEFAULT_THRESHOLDS } from '../../server/model/finding.js';
import { ALL_INSTANCES, type TimelineEntry } from '../../server/model/timeline-entry.js';
import { openStore } from '../../server/open-store.js';
import { MARKERS_KEPT_MS, MarkerCache, recallMarkers } from '../../server/watch/marker-cache.js';
import { anInstance, untilSnapshot } from '../support/watching.js';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function deploy(atMs: number, over: Partial<TimelineEntry> = {}): TimelineEntry {
  return {
    id: randomUUID(),
    atMs,
    instance: 'default',
    kind: 'marker.deploy',
    queue: null,
    worker: null,
    text: 'monitors 2.7.0',
    actor: 'ci',
    ...over,
  };
}

it('a deploy is in the Snapshot at once, not only when Redis was read the next time', async () => {
  const redis = await startRedis();
  cleanups.push(() => redis.stop());
  const book = new MarkerCache(['default'], Date.now);
  const watch = createWatch({
    instances: [anInstance(redis.url, { pollIntervalMs: 60_000 })],
    thresholds: DEFAULT_THRESHOLDS,
    now: Date.now,
    log: { info: () => undefined, warn: () => undefined },
    random: Math.random,
    slowThresholdMs: () => null,
    newId: randomUUID,
    recordEvent: () => undefined,
    markers: (instance) => book.of(instance),
  });
  cleanups.push(() => watch.stop());
  const before = await untilSnapshot(watch, 'live', ({ link }) => link.status === 'live');
  expect(before.markers).toEqual([]);
  book.add(deploy(Date.now()));
  const after = watch.snapshot('default');
  expect(after?.poll.ticks).toBe(before.poll.ticks);
  expect(after?.markers).toMatchObject([
    { kind: 'deploy', text: 'monitors 2.7.0', actor: 'ci', queue: null },
  ]);
});

it('a console that restarts in an incident still knows of the deploy before it', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'spillway-markers-'));
  cleanups.push(() => rm(directory, { recursive: true, force: true }));
  const nowMs = Date.now();
  const first = await openStore(directory);
  for (const entry of [
    deploy(nowMs - 1000, { text: 'of default' }),
    deploy(nowMs - 2000, { text: 'of all', instance: ALL_INSTANCES, kind: 'marker.note' }),
    deploy(nowMs - 3000, { text: 'of other', instance: 'other' }),
    deploy(nowMs - MARKERS_KEPT_MS - 1000, { text: 'of yesterday' }),
    deploy(nowMs, { text: 'noticed', kind: 'redis.failover', actor: null }),
  ])
    await first.timeline.append(entry);
  first.close();
  const store = await openStore(directory);
  cleanups.push(() => store.close());
  const book = new MarkerCache(['default', 'other'], () => nowMs);
  await recallMarkers(book, store.timeline, nowMs);
  const texts = (instance: string): string[] => book.of(instance).map(({ text }) => text);
  expect(texts('default')).toEqual(['of all', 'of default']);
  expect(texts('other')).toEqual(['of other', 'of all']);
});
