import { describe, expect, test } from 'vitest';
import { DEFAULT_THRESHOLDS } from '../../server/model/finding.js';
import { allowedPerSecond, drainSecondsOf, queueVerdict } from '../../server/model/queue-verdict.js';
import type { QueueVerdict } from '../../server/model/snapshot.js';
import {
  type HeldVerdict,
  hasGround,
  holdVerdict,
  QUEUE_VERDICT_HOLD_MS,
} from '../../server/watch/hold-queue-verdict.js';
import { aJobType } from '../support/job-types.js';
import { seededRandom } from '../support/seeded-random.js';
import { aFullNode, aQueue, aSnapshot, NOW_MS, type QueueOver, someRates } from '../support/snapshot.js';

const verdict = (over: QueueOver, snapshot = aSnapshot()) =>
  queueVerdict(aQueue(over), snapshot, NOW_MS, DEFAULT_THRESHOLDS);
const full = aSnapshot({ nodes: [aFullNode()] });

/** A queue with everything against it; each rung of the ladder takes one thing away. */
const everything: QueueOver = {
  flow: 'paused',
  workers: 0,
  concurrency: 4,
  rateLimit: { max: 1, durationMs: 1000 },
  rateLimitedForMs: 500,
  counts: { waiting: 900, active: 4 },
  oldestWaitingAtMs: NOW_MS - 600_000,
  lastDepartureAtMs: NOW_MS - 90_000,
  rates: someRates({ isGrowing: true }),
};

describe('a queue only flows where jobs are seen to leave, done', () => {
  const busy = { counts: { waiting: 209, active: 4 }, workers: 2, lastDepartureAtMs: NOW_MS - 1_000 };
  const leaving = someRates({ departuresPerSecond: 10 });
  const failing = aJobType({
    failedPerSecond: 9,
    completedPerSecond: 1,
    failing: {
      firstFailureAtMs: NOW_MS - 60_000,
      beforeRatio: 0,
      sinceRatio: 0.9,
      failedSince: 540,
      error: null,
      isNewError: false,
    },
  });

  test('nothing leaves, no workers, most of it failing, nothing measured: each has its own word', () => {
    expect(verdict({ ...busy, rates: leaving })).toBe('flowing');
    expect(verdict({ ...busy, rates: someRates() })).toBe('running');
    expect(verdict({ ...busy, rates: null })).toBe('running');
    expect(verdict({ ...busy, counts: { waiting: 209 }, rates: someRates() })).toBe('waiting');
    expect(verdict({ ...busy, workers: 0, rates: leaving, oldestWaitingAtMs: NOW_MS - 1_000 })).toBe(
      'waiting',
    );
    expect(verdict({ ...busy, rates: leaving, types: [failing] })).toBe('failing');
    expect(verdict({ counts: { active: 4 }, rates: someRates() })).toBe('running');
  });

  test('a type that fails beside many that do not is not the whole queue', () => {
    const fine = aJobType({ name: 'sync', failedPerSecond: 0, completedPerSecond: 40 });
    expect(verdict({ ...busy, rates: leaving, types: [failing, fine] })).toBe('flowing');
  });

  test('"never" is said as a drain time only where the verdict is a trouble', () => {
    const drain = (word: QueueVerdict) =>
      drainSecondsOf({ ...aQueue(), verdict: word, drainSeconds: Number.POSITIVE_INFINITY });
    expect([drain('growing'), drain('stuck')]).toEqual([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
    expect([drain('flowing'), drain('running'), drain('waiting')]).toEqual([null, null, null]);
  });
});

describe('verdicts are held against noise', () => {
  const TICK_MS = 1_000;
  const MEASURED: readonly QueueVerdict[] = ['overloaded', 'growing', 'capped', 'rate-limited', 'failing'];
  const CALM: readonly QueueVerdict[] = ['flowing', 'running', 'waiting'];
  const FACTS: readonly QueueVerdict[] = [
    'no-workers',
    'stuck',
    'blocked-by-memory',
    'paused',
    'paused-by-spillway',
    'idle',
  ];

  /** What stands after each tick of a series of what the ladder found. */
  const play = (found: readonly QueueVerdict[], isPressed = true): readonly HeldVerdict[] => {
    const stood: HeldVerdict[] = [];
    found.forEach((word, i) => {
      stood.push(holdVerdict(stood.at(-1) ?? null, word, isPressed, NOW_MS + i * TICK_MS));
    });
    return stood;
  };

  test('in 300 noisy series no measured trouble ends sooner than it was away for, and facts hold at once', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = seededRandom(seed);
      const pool = [...MEASURED, ...CALM, ...(random.uniform() < 0.3 ? FACTS : [])];
      const found = Array.from({ length: 120 }, () => random.pick(pool));
      const stood = play(found);
      stood.forEach((now, i) => {
        const before = stood[i - 1];
        const word = found[i];
        if (word !== undefined && FACTS.includes(word)) expect(now.verdict).toBe(word);
        if (!before || before.verdict === now.verdict) return;
        // It changed: to what is found now, and where a measured trouble stood, after it was not found for the whole hold.
        expect(now.verdict).toBe(word);
        if (!MEASURED.includes(before.verdict) || FACTS.includes(now.verdict)) return;
        const away = found.slice(Math.max(0, i - QUEUE_VERDICT_HOLD_MS / TICK_MS), i + 1);
        expect(away).not.toContain(before.verdict);
      });
    }
  });

  test('noise between neighbours changes neither the word nor since when', () => {
    const random = seededRandom(7);
    const found = Array.from({ length: 300 }, () => random.pick(['overloaded', 'growing'] as const));
    expect(new Set(play(['growing', ...found]).map(({ verdict }) => verdict)).size).toBeLessThanOrEqual(2);
    const lasting = play([...Array(40).fill('growing'), ...Array(40).fill('overloaded')]);
    expect(lasting.at(-1)).toMatchObject({ verdict: 'overloaded', sinceMs: NOW_MS });
    // Another trouble begins anew.
    expect(play([...Array(40).fill('growing'), 'no-workers']).at(-1)?.sinceMs).toBe(NOW_MS + 40 * TICK_MS);
  });

  test('once hardly anything waits, or right after somebody acted, what is found is what stands', () => {
    expect(play(['overloaded', 'flowing'], false).at(-1)?.verdict).toBe('flowing');
    expect(play(['overloaded', 'flowing']).at(-1)?.verdict).toBe('overloaded');
  });
});

test('a held verdict ends as soon as its ground is plainly gone', () => {
  const held = (verdict: QueueVerdict, over: QueueOver) => hasGround({ ...aQueue(over), verdict });
  const working: QueueOver = { counts: { waiting: 900, active: 4 } };
  // All slots busy, and none: its workers were restarted.
  expect([held('overloaded', working), held('overloaded', { counts: { waiting: 900 } })]).toEqual([
    true,
    false,
  ]);
  expect([held('capped', { ...working, concurrency: 4 }), held('capped', working)]).toEqual([true, false]);
  expect(held('capped', { counts: { waiting: 900 }, concurrency: 4 })).toBe(false);
  expect([
    held('rate-limited', { ...working, observedLimiterMs: 4_000 }),
    held('rate-limited', working),
  ]).toEqual([true, false]);
  expect([held('growing', { counts: { waiting: 900 } }), held('failing', working)]).toEqual([true, true]);
});

describe('the ladder: a cause stands above its symptoms', () => {
  test('stopped on purpose explains all else', () => {
    expect(verdict(everything, full)).toBe('paused');
    expect(verdict({ ...everything, flow: 'paused-by-spillway' }, full)).toBe('paused-by-spillway');
  });

  test('nobody there comes before a full Redis, because room alone would not help', () => {
    expect(verdict({ ...everything, flow: 'running' }, full)).toBe('no-workers');
  });

  test('a full Redis comes before cap and limit, because loosening those would hurt now', () => {
    const manned = { ...everything, flow: 'running', workers: 2 } as const;
    expect(verdict(manned, full)).toBe('blocked-by-memory');
    expect(verdict(manned)).toBe('capped');
    // Busy workers drain a full Redis: what moves is not blocked.
    expect(verdict({ ...manned, lastDepartureAtMs: NOW_MS }, full)).toBe('capped');
  });

  test('a deploy that takes the workers away for a moment is neither growth nor a queue without workers', () => {
    const deploy = {
      workers: 0,
      counts: { waiting: 60 },
      oldestWaitingAtMs: null,
      backlogSinceMs: NOW_MS - 4_000,
      lastDepartureAtMs: NOW_MS - 4_000,
      rates: someRates({ isGrowing: true }),
    };
    expect(verdict(deploy)).toBe('waiting');
    expect(verdict({ ...deploy, backlogSinceMs: NOW_MS - 30_000 })).toBe('no-workers');
    // A job that came back keeps the time at which it was added.
    expect(verdict({ ...deploy, oldestWaitingAtMs: NOW_MS - 90_000 })).toBe('waiting');
    // The workers are back, and what waited meanwhile is not worked off yet.
    const back = { ...deploy, workers: 2, backlogSinceMs: NOW_MS - 9_000 };
    expect(verdict(back)).toBe('waiting');
    expect(verdict({ ...back, backlogSinceMs: NOW_MS - 15_000, lastDepartureAtMs: NOW_MS })).toBe('growing');
  });

  test('then the cap, the limit, stuck and growing, each when the one before is taken away', () => {
    const uncapped = { ...everything, flow: 'running', workers: 2, concurrency: null } as const;
    expect(verdict(uncapped)).toBe('rate-limited');
    const unlimited = { ...uncapped, rateLimit: null, rateLimitedForMs: 0 };
    expect(verdict(unlimited)).toBe('stuck');
    expect(verdict({ ...unlimited, lastDepartureAtMs: NOW_MS })).toBe('growing');
    const leaving = someRates({ departuresPerSecond: 4 });
    expect(verdict({ ...unlimited, lastDepartureAtMs: NOW_MS, rates: leaving })).toBe('flowing');
    expect(verdict({})).toBe('idle');
  });

  test('a queue whose jobs come and go between two looks is not called idle', () => {
    expect(verdict({ backlog: 0, rates: { ...someRates(), departuresPerSecond: 21 } })).toBe('flowing');
    expect(verdict({ backlog: 0, rates: { ...someRates(), departuresPerSecond: 0 } })).toBe('idle');
  });
});

test("what a global limit lets through is counted with the workers' own window where that is longer", () => {
  const rateLimit = { max: 10, durationMs: 1000 };
  expect(allowedPerSecond(aQueue({ rateLimit }))).toBe(10);
  expect(allowedPerSecond(aQueue({ rateLimit, observedLimiterMs: 4000 }))).toBe(2.5);
  expect(allowedPerSecond(aQueue({ rateLimit: { max: 10, durationMs: 0 } }))).toBeNull();
  expect(allowedPerSecond(aQueue())).toBeNull();
});
