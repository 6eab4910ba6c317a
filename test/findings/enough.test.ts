import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { detectFindings } from '../../server/findings/index.js';
import { LAST_SECONDS, needOf } from '../../server/findings/need.js';
import { doesSuffice, lastsSeconds, NO_RELIEF, type Relief } from '../../server/findings/relief.js';
import type { CurrentFinding } from '../../server/model/finding.js';
import { DEFAULT_THRESHOLDS } from '../../server/model/finding.js';
import type { Acted, RedisNode } from '../../server/model/snapshot.js';
import {
  aNode,
  aQueue,
  aSnapshot,
  MB,
  NOW_MS,
  type QueueOver,
  someMemory,
  someRates,
  someType,
} from '../support/snapshot.js';

/** 64 MB, over its limit, and it grew by so much a second before. */
function full(growth: number | null, over: Partial<RedisNode> = {}): RedisNode {
  return aNode({
    ...{ countedBytes: 66 * MB, maxBytes: 64 * MB, isFull: true },
    expectedGrowthBytesPerSecond: growth,
    ...over,
  });
}

const anyNeedy = fc
  .record({
    limitMb: fc.integer({ min: 1, max: 4_000 }),
    heldRatio: fc.double({ min: 0.5, max: 1.5, noNaN: true }),
    growth: fc.integer({ min: 0, max: 4 * MB }),
  })
  .map(({ limitMb, heldRatio, growth }) =>
    aNode({
      ...{ maxBytes: limitMb * MB, countedBytes: Math.round(limitMb * MB * heldRatio) },
      expectedGrowthBytesPerSecond: growth,
    }),
  );

const anyRelief: fc.Arbitrary<Relief> = fc.record({
  bytes: fc.integer({ min: 0, max: 8_000 * MB }),
  returningBytesPerSecond: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2 * MB })),
  returningBytes: fc.integer({ min: 0, max: 500 * MB }),
});

describe('the need', () => {
  it('is what is above the safe share of the limit, and ten minutes of growth', () => {
    const need = needOf(full(10_000));
    expect(need?.bytes).toBe(Math.ceil(66 * MB - 64 * MB * 0.8 + 600 * 10_000));
    expect(need?.nowBytes).toBe(Math.ceil(66 * MB - 64 * MB * 0.95));
    // A Redis that holds little and fills needs ten minutes more, and nothing now.
    const filling = needOf(aNode({ countedBytes: 30 * MB, expectedGrowthBytesPerSecond: MB }));
    expect(filling).toMatchObject({ bytes: 600 * MB, nowBytes: 0 });
  });

  it('of growth that is not known says so, and counts none; without a limit there is none', () => {
    expect(needOf(full(null))).toMatchObject({ growthBytesPerSecond: null });
    expect(needOf(full(null))?.bytes).toBe(needOf(full(0))?.bytes);
    expect(needOf(aNode({ maxBytes: 0, limit: null }))).toBeNull();
  });

  it('what suffices keeps writes passing for ten minutes, whatever comes back meanwhile', () => {
    fc.assert(
      fc.property(anyNeedy, anyRelief, (node, relief) => {
        const need = needOf(node);
        if (!need || doesSuffice(relief, need) !== true) return;
        const { returningBytesPerSecond, returningBytes, bytes } = relief;
        const growth = need.growthBytesPerSecond ?? 0;
        for (const seconds of [0, 1, 60, 300, LAST_SECONDS]) {
          const back = Math.min(returningBytes, returningBytesPerSecond * seconds);
          const held = node.countedBytes - bytes + back + growth * seconds;
          // What is freed late in the ten minutes may be back before: then it is not counted on.
          expect(held).toBeLessThanOrEqual((node.limit?.bytes ?? 0) + 1);
        }
        const lasts = lastsSeconds(relief, node, need);
        expect(lasts === null || lasts >= LAST_SECONDS - 1).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('more held or more growth never needs less, and more relief never lasts shorter', () => {
    fc.assert(
      fc.property(anyNeedy, fc.nat(64 * MB), fc.nat(MB), (node, more, faster) => {
        const growth = (node.expectedGrowthBytesPerSecond ?? 0) + faster;
        const worse = aNode({
          ...{ maxBytes: node.maxBytes, countedBytes: node.countedBytes + more },
          expectedGrowthBytesPerSecond: growth,
        });
        expect(needOf(worse)?.bytes).toBeGreaterThanOrEqual(needOf(node)?.bytes ?? 0);
        const need = needOf(node);
        if (!need) return;
        const [less, plus] = [0, more].map((bytes) =>
          lastsSeconds({ ...NO_RELIEF, bytes: bytes + 1 }, node, need),
        );
        expect((plus ?? Number.POSITIVE_INFINITY) >= (less ?? Number.POSITIVE_INFINITY)).toBe(true);
      }),
    );
  });
});

/** 44 MB wait as one type, with events and finished jobs as given. */
function track(over: QueueOver = {}, memory: Parameters<typeof someMemory>[0] = {}) {
  return aQueue({
    name: 'track',
    counts: { waiting: 38_000, completed: 5_000 },
    lastDepartureAtMs: NOW_MS - 90_000,
    memory: someMemory({
      backlogBytes: 44 * MB,
      types: [someType({ type: 'track', backlogBytes: 44 * MB, unfinished: 38_000 })],
      ...memory,
    }),
    ...over,
  });
}

function fullFinding(over: Parameters<typeof aSnapshot>[0], code = 'redis.full'): CurrentFinding {
  const found = detectFindings(aSnapshot(over), NOW_MS, DEFAULT_THRESHOLDS);
  const finding = found.find((one) => one.code === code);
  if (!finding) throw new Error(`found ${found.map((one) => one.code).join(', ')}`);
  return finding;
}

describe('the first remedy', () => {
  test('is the one that harms least among those that suffice', () => {
    const queue = track({ eventsLength: 10_000 }, { completedBytes: 20 * MB, eventsBytes: 4 * MB });
    const { remedies } = fullFinding({ nodes: [full(0)], queues: [queue] });
    expect(remedies.map(({ action, suffices }) => [action, suffices])).toEqual([
      ['queue.clean-finished', true],
      ['redis.raise-maxmemory', true],
      ['queue.park', true],
      ['queue.trim-events', false],
    ]);
  });

  test('says how long it lasts; what is full again at once is not the first', () => {
    const growth = 120_000;
    const queue = track({ eventsLength: 10_000 }, { eventsBytes: 8.6 * MB });
    const { remedies } = fullFinding({ nodes: [full(growth)], queues: [queue] });
    const [first] = remedies;
    expect(first).toMatchObject({ action: 'redis.raise-maxmemory', suffices: true });
    expect(first?.lastsSeconds).toBeGreaterThanOrEqual(600);
    const trim = remedies.find(({ action }) => action === 'queue.trim-events');
    expect(trim?.suffices).toBe(false);
    expect(trim?.lastsSeconds).toBeLessThan((6.6 * MB) / growth);
    expect(trim?.effect).toMatch(/full again in about \d+ s at this growth\.$/);
  });

  test('a limit that is raised is raised enough, and not from look to look to another', () => {
    const limitOf = (growth: number) =>
      fullFinding({ nodes: [full(growth)], queues: [track()] }).remedies[0]?.args.maxBytes;
    expect(limitOf(0)).toBe(96 * MB);
    expect(limitOf(300_000)).toBe(256 * MB);
    expect(limitOf(302_000)).toBe(256 * MB);
  });

  test('where the growth is not known it is not called enough', () => {
    const { remedies } = fullFinding({ nodes: [full(null)], queues: [track()] });
    expect(remedies[0]).toMatchObject({ action: 'redis.raise-maxmemory', suffices: null });
    expect(remedies[0]?.effect).toContain('how long it lasts is not known');
  });

  test('events that are trimmed come back as jobs run, so they do not suffice where much goes on', () => {
    const busy = { eventsLength: 100_000, rates: someRates({ arrivalsPerSecond: 200 }) };
    const suffices = (over: QueueOver) =>
      fullFinding({
        nodes: [full(0)],
        queues: [track(over, { eventsBytes: 16 * MB })],
      }).remedies.find(({ action }) => action === 'queue.trim-events')?.suffices;
    expect(suffices(busy)).toBe(false);
    expect(suffices({ ...busy, rates: null })).toBe(true);
  });

  test('what loses failed jobs for good comes after what only lets jobs wait', () => {
    const queue = track(
      { counts: { waiting: 38_000, failed: 9_000 } },
      { failedBytes: 60 * MB, types: [someType({ backlogBytes: 44 * MB, unfinished: 38_000 })] },
    );
    const { remedies } = fullFinding({ nodes: [full(0)], queues: [queue] });
    const actions = remedies.map(({ action }) => action);
    expect(actions.indexOf('queue.park')).toBeLessThan(actions.indexOf('queue.clean-finished'));
  });
});

describe('what was just done', () => {
  const acted = (over: Partial<Acted>): Acted => ({
    ...{ atMs: NOW_MS - 30_000, action: 'queue.trim-events', queue: 'bull:track', args: { keep: 100 } },
    ...{ isChange: true, freedBytes: 0 },
    ...over,
  });
  const actionsAfter = (...done: readonly Acted[]) =>
    fullFinding({
      nodes: [full(0)],
      queues: [track({ eventsLength: 10_000 }, { eventsBytes: 8 * MB })],
      acted: done,
    }).remedies.map(({ action }) => action);

  test('and brought nothing is not offered again for ten minutes', () => {
    expect(actionsAfter()).toContain('queue.trim-events');
    expect(actionsAfter(acted({}))).not.toContain('queue.trim-events');
    expect(actionsAfter(acted({ atMs: NOW_MS - 601_000 }))).toContain('queue.trim-events');
  });

  test('and was refused is not offered again, so that the next best is first', () => {
    const parked = acted({
      action: 'queue.park',
      args: { jobType: 'track' },
      isChange: false,
      freedBytes: null,
    });
    expect(actionsAfter(parked)).not.toContain('queue.park');
  });

  test('and brought much, was done to another queue, or with other arguments, is', () => {
    expect(actionsAfter(acted({ freedBytes: 8 * MB }))).toContain('queue.trim-events');
    expect(actionsAfter(acted({ queue: 'bull:other' }))).toContain('queue.trim-events');
    expect(actionsAfter(acted({ args: { keep: 5 } }))).toContain('queue.trim-events');
  });
});
