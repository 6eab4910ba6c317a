import { describe, expect, test } from 'vitest';
import { DEFAULT_THRESHOLDS } from '../../server/findings/thresholds.js';
import { allowedPerSecond, queueVerdict } from '../../server/findings/verdict.js';
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

describe('the ladder: a cause stands above its symptoms', () => {
  test('stopped on purpose explains all else', () => {
    expect(verdict(everything, full)).toBe('paused');
    expect(verdict({ ...everything, flow: 'halted' }, full)).toBe('halted');
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
    expect(verdict(deploy)).toBe('flowing');
    expect(verdict({ ...deploy, backlogSinceMs: NOW_MS - 30_000 })).toBe('no-workers');
    // A job that came back keeps the time at which it was added.
    expect(verdict({ ...deploy, oldestWaitingAtMs: NOW_MS - 90_000 })).toBe('flowing');
    // The workers are back, and what waited meanwhile is not worked off yet.
    const back = { ...deploy, workers: 2, backlogSinceMs: NOW_MS - 9_000 };
    expect(verdict(back)).toBe('flowing');
    expect(verdict({ ...back, backlogSinceMs: NOW_MS - 15_000, lastDepartureAtMs: NOW_MS })).toBe('growing');
  });

  test('then the cap, the limit, stuck and growing, each when the one before is taken away', () => {
    const uncapped = { ...everything, flow: 'running', workers: 2, concurrency: null } as const;
    expect(verdict(uncapped)).toBe('rate-limited');
    const unlimited = { ...uncapped, rateLimit: null, rateLimitedForMs: 0 };
    expect(verdict(unlimited)).toBe('stuck');
    expect(verdict({ ...unlimited, lastDepartureAtMs: NOW_MS })).toBe('growing');
    expect(verdict({ ...unlimited, lastDepartureAtMs: NOW_MS, rates: someRates() })).toBe('flowing');
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
