import { describe, expect, test } from 'vitest';
import type { FailureRise, JobTypeState } from '../../server/model/job-type.js';
import { about, evidence } from '../support/few-words.js';
import { aWorker } from '../support/fleet.js';
import { aJobType, exactly, findOfType } from '../support/job-types.js';
import { aFullNode, aSnapshot, NOW_MS, type QueueOver, type SnapshotOver } from '../support/snapshot.js';

const rise: FailureRise = {
  firstFailureAtMs: NOW_MS - 120_000,
  beforeRatio: 0.01,
  sinceRatio: 0.9,
  failedSince: 340,
  error: 'cache entry for monitor 7 has the wrong type.',
  isNewError: true,
};

describe('a type that stopped coming (Mezmo)', () => {
  const absent = { lastCompletedAtMs: NOW_MS - 90_000, usualGapMs: 3_000, longestGapMs: 8_000 };
  const baseline = { p50Ms: 40, p95Ms: 90, count: 500, sinceMs: NOW_MS - 3_600_000 };
  const gone = { absent, baseline };
  const goesOn: QueueOver = { lastDepartureAtMs: NOW_MS - 2_000 };
  const listened: SnapshotOver = { workers: [aWorker()] };
  const missing = (type: Partial<JobTypeState> = gone, queue = goesOn, snapshot = listened) =>
    about('jobtype.absent', findOfType(type, queue, snapshot));

  test('is missed, with how long and what was usual, and where to look', () => {
    expect(missing()).toMatchObject({
      severity: 'warning',
      headline: 'digest of emails: stopped arriving',
      jobType: 'digest',
      cause: 'None waits: whatever adds them has stopped.',
      effect: 'None has completed for 90 s; one came every 3 s.',
      action: 'Check the producer or scheduler that adds them.',
    });
    expect(evidence(missing(), 'longest-gap')).toBe(8);
    expect(evidence(missing(), 'silent-for')).toBe(90);
    const held = missing({ ...gone, waiting: exactly(4) }, { ...goesOn, counts: { waiting: 4 } });
    expect(held).toMatchObject({
      cause: 'Some wait, but none completes.',
      action: 'Find what holds them back.',
    });
  });

  test('is a note and no alarm while it is known for a few minutes only', () => {
    expect(missing({ absent })?.severity).toBe('info');
    const young = { ...baseline, sinceMs: NOW_MS - 300_000 };
    expect(missing({ absent, baseline: young })?.severity).toBe('info');
  });

  test('is not missed where the whole queue is held: paused, paused, without workers, Redis full', () => {
    const waiting = { counts: { waiting: 40 } };
    expect(missing(gone, { ...goesOn, ...waiting, flow: 'paused' })).toBeUndefined();
    expect(missing(gone, { ...goesOn, flow: 'paused-by-spillway' })).toBeUndefined();
    const left = { workers: [aWorker({ agent: { isClosing: true } })] };
    expect(missing(gone, { ...goesOn, ...waiting, workers: 0 }, left)).toBeUndefined();
    const full = { ...listened, nodes: [aFullNode()] };
    expect(missing(gone, { ...waiting, lastDepartureAtMs: NOW_MS - 90_000 }, full)).toBeUndefined();
  });

  test('is not missed while a deploy stops the whole queue, but when that outlasts any deploy', () => {
    const still = { lastDepartureAtMs: absent.lastCompletedAtMs + 1_000 };
    expect(missing(gone, still)).toBeUndefined();
    const long = { ...absent, lastCompletedAtMs: NOW_MS - 180_000 };
    expect(missing({ ...gone, absent: long }, still)).toBeDefined();
  });

  test('is not missed where the console itself was blind or deaf for part of the silence', () => {
    const back = { link: { sinceMs: NOW_MS - 10_000 } };
    expect(missing(gone, goesOn, { ...listened, ...back })).toBeUndefined();
    const { hearing } = aSnapshot();
    for (const subscriber of [
      { ...hearing, status: 'deaf' as const },
      { ...hearing, sinceMs: NOW_MS - 10_000 },
    ])
      expect(missing(gone, goesOn, { ...listened, hearing: subscriber })).toBeUndefined();
  });

  test('is not missed where nobody is left who would tell: other workers came, without the agent', () => {
    expect(missing(gone, goesOn, {})).toBeUndefined();
    const late = aWorker({ agent: { lastBeatAtMs: NOW_MS - 9_000 } });
    expect(missing(gone, goesOn, { workers: [late] })).toBeUndefined();
  });

  test('is not missed by a console that reads less often than it came, or not every end', () => {
    const read = { ...gone, source: 'finished' as const };
    expect(missing(read)).toBeDefined();
    expect(missing(read, goesOn, { poll: { intervalMs: 40_000 } })).toBeUndefined();
    const types = [aJobType(read), aJobType({ name: 'busy', source: 'finished', isPartial: true })];
    expect(missing(read, { ...goesOn, types })).toBeUndefined();
  });

  test('is not missed where it fails: then its failures are reported', () => {
    const found = findOfType({ ...gone, failing: rise }, goesOn, listened);
    expect(found.map(({ code }) => code)).toEqual(['jobtype.failing']);
  });
});
