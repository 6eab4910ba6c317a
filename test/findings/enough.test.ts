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
  type someMemory,
  someRates,
  someType,
  waitingMemory,
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
  it('is what is over the limit, with a margin, and ten minutes of growth; at least what is above the safe share', () => {
    const need = needOf(full(20_000));
    expect(need?.bytes).toBe(Math.ceil(66 * MB - 64 * MB * 0.95 + 600 * 20_000));
    expect(needOf(full(1_000))?.bytes).toBe(Math.ceil(66 * MB - 64 * MB * 0.8));
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
    memory: waitingMemory('track', 44 * MB, 38_000, memory),
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

describe('remedies of what holds memory', () => {
  const kept = track(
    { eventsLength: 1_000, counts: { waiting: 10, completed: 5_000 } },
    { backlogBytes: MB, completedBytes: 60 * MB, eventsBytes: 4 * MB, types: [] },
  );
  const cleanOf = (node: RedisNode) =>
    fullFinding({ nodes: [node], queues: [kept] }, 'memory.retention').remedies.find(
      ({ action }) => action === 'queue.clean-finished',
    );

  test('are held against what Redis needs, and where it needs nothing, against the finding itself', () => {
    const roomy = cleanOf(
      aNode({ countedBytes: 70 * MB, maxBytes: 4_000 * MB, expectedGrowthBytesPerSecond: 0 }),
    );
    expect(roomy).toMatchObject({ action: 'queue.clean-finished', suffices: true });
    expect(roomy?.lastsSeconds).toBeUndefined();
    const tight = { countedBytes: 95 * MB, maxBytes: 100 * MB };
    expect(cleanOf(aNode({ ...tight, expectedGrowthBytesPerSecond: 0 }))?.suffices).toBe(true);
    const growing = cleanOf(aNode({ ...tight, expectedGrowthBytesPerSecond: MB }));
    expect(growing).toMatchObject({
      suffices: false,
      effect: expect.stringMatching(/full again in about 6\d s/),
    });
    expect(growing?.lastsSeconds).toBeGreaterThan(50);
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

describe('where no single remedy suffices', () => {
  const managed = { canSetConfig: false };
  const heavy = track(
    { eventsLength: 20_000, counts: { waiting: 10_000, completed: 5_000, failed: 6_000 } },
    {
      ...{ backlogBytes: 12 * MB, completedBytes: 8 * MB, failedBytes: 7 * MB, eventsBytes: 5 * MB },
      types: [someType({ type: 'track', backlogBytes: 12 * MB, unfinished: 10_000 })],
    },
  );
  const stepsOf = (finding: CurrentFinding) =>
    (finding.remedies[0]?.args.steps as { action: string }[] | undefined)?.map(({ action }) => action);

  test('several are one, the least harmful of them, and no more than are needed', () => {
    // 14.8 MB have to go.
    const finding = fullFinding({ nodes: [full(0)], queues: [heavy], capabilities: managed });
    const [first, ...others] = finding.remedies;
    expect(first).toMatchObject({ action: 'sequence', suffices: true, queues: [] });
    // Events and what can be parked are enough: then no completed job is removed.
    expect(stepsOf(finding)).toEqual(['queue.trim-events', 'queue.park']);
    expect(first?.label).toMatch(/^Make room: trim events \(5\.\d MB\), park track jobs \(12 MB\)$/);
    expect(others.every(({ suffices }) => suffices === false)).toBe(true);
    expect(Number(first?.args.roomBytes)).toBeGreaterThanOrEqual(64 * MB * 0.2);
  });

  test('failed jobs are lost only where it is not enough without', () => {
    const much = fullFinding({
      nodes: [full(0, { countedBytes: 77 * MB })],
      queues: [heavy],
      capabilities: managed,
    });
    expect(stepsOf(much)).toEqual([
      'queue.trim-events',
      'queue.clean-finished',
      'queue.park',
      'queue.clean-finished',
    ]);
    expect(much.remedies[0]?.suffices).toBe(true);
  });

  test('what is done in part says what it leaves, comes first, and loses no jobs', () => {
    const finding = fullFinding({ nodes: [full(60_000)], queues: [heavy], capabilities: managed });
    expect(finding.remedies[0]).toMatchObject({ action: 'sequence', suffices: false });
    expect(finding.remedies[0]?.effect).toMatch(
      /full again in about \d+ min .*at this growth\.$|full again in about \d+ s at this growth\.$/,
    );
    expect(stepsOf(finding)).toEqual(['queue.trim-events', 'queue.clean-finished', 'queue.park']);
  });

  test('where the host has no room for enough, the limit is raised after what removes least', () => {
    const finding = fullFinding({
      nodes: [full(0, { hostBytes: 96 * MB })],
      queues: [heavy],
    });
    // 72 MB are three quarters of the host.
    expect(stepsOf(finding)).toEqual(['queue.clean-finished', 'redis.raise-maxmemory']);
    expect(finding.remedies[0]?.label).toContain('raise maxmemory to 72 MB');
  });

  test('where nothing can be parked, no plan counts on it', () => {
    const snapshot = aSnapshot({ nodes: [full(0)], queues: [heavy], capabilities: managed });
    const found = detectFindings(snapshot, NOW_MS, DEFAULT_THRESHOLDS, { parkingBytes: 0 });
    const finding = found.find(({ code }) => code === 'redis.full');
    expect(JSON.stringify(finding?.remedies)).not.toContain('queue.park');
    expect(finding && stepsOf(finding)).toEqual([
      'queue.trim-events',
      'queue.clean-finished',
      'queue.clean-finished',
    ]);
  });

  test('whatever a Redis holds: if all together suffice, the first remedy does', () => {
    const anyBytes = fc.nat(60 * MB);
    fc.assert(
      fc.property(
        fc.record({
          events: anyBytes,
          completed: anyBytes,
          failed: anyBytes,
          backlog: anyBytes,
          growth: fc.option(fc.nat(200_000), { nil: null }),
          canSetConfig: fc.boolean(),
          hostMb: fc.integer({ min: 64, max: 400 }),
        }),
        ({ events, completed, failed, backlog, growth, canSetConfig, hostMb }) => {
          const queue = track(
            { eventsLength: 20_000, counts: { waiting: 9_000, completed: 9_000, failed: 9_000 } },
            {
              ...{
                eventsBytes: events,
                completedBytes: completed,
                failedBytes: failed,
                backlogBytes: backlog,
              },
              types: [someType({ type: 'track', backlogBytes: backlog, unfinished: 9_000 })],
            },
          );
          const node = full(growth, { hostBytes: hostMb * MB });
          const { remedies } = fullFinding({
            nodes: [node],
            queues: [queue],
            capabilities: { canSetConfig },
          });
          const singles = remedies.filter(({ action }) => action !== 'sequence');
          const need = needOf(node);
          const gained = singles.reduce(
            (sum, { predictedFreedBytes, args }) =>
              sum + (predictedFreedBytes ?? (args.maxBytes ? Number(args.maxBytes) - node.maxBytes : 0)),
            0,
          );
          // Nothing goes on here but the growth itself, which brings events back.
          const cameBack = growth === null || growth === 0 ? 0 : events;
          if (need && gained - cameBack >= need.bytes) expect(remedies[0]?.suffices).not.toBe(false);
          const rank = { true: 0, null: 1, false: 2 };
          const ranks = remedies.map(({ suffices }) => rank[`${suffices ?? null}`]);
          expect(ranks).toEqual(ranks.toSorted());
        },
      ),
      { numRuns: 300 },
    );
  });
});
