import { describe, expect, test } from 'vitest';
import { judgeLink, type LinkFacts } from '../../server/model/sight.js';

const LIVE: LinkFacts = {
  nowMs: 100_000,
  startedAtMs: 0,
  lastReadAtMs: 99_500,
  intervalMs: 1_000,
  readTimeoutMs: 2_500,
  attendedMs: (fromMs, toMs) => toMs - fromMs,
  hasProblem: false,
  isReady: true,
};

describe('how far what is shown of a Redis can be trusted', () => {
  test('a Redis that was read a moment ago is live', () => {
    expect(judgeLink(LIVE)).toBe('live');
  });

  test('one that was never read is given three seconds before it counts as unreachable', () => {
    const never = { ...LIVE, lastReadAtMs: null, startedAtMs: 97_500 };
    expect(judgeLink(never)).toBe('connecting');
    expect(judgeLink({ ...never, startedAtMs: 97_000 })).toBe('unreachable');
    expect(judgeLink({ ...never, hasProblem: true })).toBe('unreachable');
  });

  test('one failed read is forgiven, a second makes it stale', () => {
    expect(judgeLink({ ...LIVE, hasProblem: true, lastReadAtMs: 98_100 })).toBe('live');
    expect(judgeLink({ ...LIVE, hasProblem: true, lastReadAtMs: 98_000 })).toBe('stale');
  });

  test('without a good read for long it is stale while connected, and unreachable without', () => {
    const old = { ...LIVE, lastReadAtMs: 96_000 };
    expect(judgeLink(old)).toBe('stale');
    expect(judgeLink({ ...old, isReady: false })).toBe('unreachable');
  });

  test('a console that was held up itself calls a late look no silence of Redis', () => {
    const old = { ...LIVE, lastReadAtMs: 90_000, attendedMs: () => 500 };
    expect(judgeLink(old)).toBe('live');
    expect(judgeLink({ ...old, hasProblem: true, attendedMs: () => 3_500 })).toBe('stale');
  });

  test('a poller that is slowed down on purpose is not stale for reading late', () => {
    expect(judgeLink({ ...LIVE, lastReadAtMs: 88_000, intervalMs: 10_000 })).toBe('live');
  });
});
