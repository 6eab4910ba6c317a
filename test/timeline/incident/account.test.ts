import { describe, expect, it } from 'vitest';
import type { HistoryFacts } from '../../../server/timeline/incident/facts.js';
import { postMortemOf } from '../../../server/timeline/incident/impact.js';
import { anEntry, anEpisode, aPull, MINUTE_MS, someFacts } from '../../support/incident.js';
import { NOW_MS } from '../../support/snapshot.js';

const history: HistoryFacts = {
  stepMs: 10_000,
  gapRatio: 0,
  memoryRatio: { value: 1.2, atMs: NOW_MS + MINUTE_MS },
  backlogJobs: { value: 5_000, atMs: NOW_MS + MINUTE_MS },
  longestWaitSeconds: null,
  refusedPerSecond: null,
  failedJobs: 7,
  delayed: [{ queue: 'bull:mail', peakJobs: 4_000, waitedJobSeconds: 36_000 }],
};

describe('durations', () => {
  it('are counted from the beginning of the range', () => {
    const { durations } = postMortemOf(
      someFacts({
        episodes: [anEpisode({ beganAtMs: NOW_MS + MINUTE_MS })],
        entries: [
          aPull('queue.pause', { atMs: NOW_MS + 2 * MINUTE_MS }, { status: 'refused' }),
          anEntry({ kind: 'alert.firing', group: 'alerts', atMs: NOW_MS + 2 * MINUTE_MS }),
          aPull('queue.pause', { atMs: NOW_MS + 4 * MINUTE_MS }),
        ],
      }),
    );
    expect(durations).toEqual({
      detectedAfterSeconds: 60,
      alertedAfterSeconds: 120,
      firstActionAfterSeconds: 240,
      resolvedAfterSeconds: 720,
      lastsSeconds: 300,
      blindSeconds: 0,
    });
  });

  it('say how long the console could not see, each minute once, and what is not known because of it', () => {
    const blind = (code: string, fromMinute: number, toMinute: number | null) =>
      anEpisode({
        id: code,
        code,
        beganAtMs: NOW_MS + fromMinute * MINUTE_MS,
        endedAtMs: toMinute === null ? null : NOW_MS + toMinute * MINUTE_MS,
      });
    const episodes = [
      blind('console.starved', -5, 1),
      blind('console.stale', 0.5, 2),
      blind('redis.unreachable', 4, null),
      blind('queue.growing', 0, null),
    ];
    const { durations, unknown } = postMortemOf(someFacts({ episodes }));
    expect(durations.blindSeconds).toBe(180);
    expect(unknown.join(' ')).toContain('The console could not see for 3 min of the 5 min');
  });

  it('a trouble that lasts is not resolved, and without a finding nobody knows', () => {
    const lasting = [anEpisode(), anEpisode({ id: 's2', endedAtMs: null })];
    expect(postMortemOf(someFacts({ episodes: lasting })).durations.resolvedAfterSeconds).toBeNull();
    expect(postMortemOf(someFacts()).durations).toMatchObject({
      detectedAfterSeconds: null,
      alertedAfterSeconds: null,
      firstActionAfterSeconds: null,
      resolvedAfterSeconds: null,
    });
  });
});

describe('impact', () => {
  it('is taken from the history where there is one, with its time', () => {
    const { impact } = postMortemOf(someFacts({ history, episodes: [anEpisode()] }));
    expect(impact.memoryRatio).toEqual({ value: 1.2, atMs: NOW_MS + MINUTE_MS, source: 'history' });
    expect(impact.failedJobs).toMatchObject({ value: 7, source: 'history' });
  });

  it('without one it is what findings saw at their worst, and says so', () => {
    const episodes = [
      anEpisode(),
      anEpisode({ id: 's2', worst: [{ name: 'waiting', label: 'waiting', value: 900, unit: 'jobs' }] }),
    ];
    const { impact, unknown } = postMortemOf(someFacts({ episodes }));
    expect(impact.memoryRatio).toEqual({ value: 1.12, atMs: null, source: 'findings' });
    expect(impact.backlogJobs).toMatchObject({ value: 900, source: 'findings' });
    expect(impact.longestWaitSeconds).toBeNull();
    expect(unknown.join(' ')).toMatch(/no history of signals/);
  });

  it('gaps in the history are named', () => {
    const { unknown } = postMortemOf(
      someFacts({ history: { ...history, gapRatio: 0.2 }, episodes: [anEpisode()] }),
    );
    expect(unknown.join(' ')).toMatch(/in 20% of the range/);
  });
});

it('an incident that was closed while a finding lasts is not called over', () => {
  const episodes = [anEpisode({ endedAtMs: null })];
  const { unknown } = postMortemOf(someFacts({ episodes, toMs: NOW_MS + MINUTE_MS }));
  expect(unknown.join(' ')).toMatch(/still lasts: whether it is over is unknown/);
  expect(postMortemOf(someFacts({ episodes })).unknown.join(' ')).not.toMatch(/still lasts/);
});

describe('jobs delayed', () => {
  it('are at least the largest backlog, with the time that jobs waited in all', () => {
    expect(postMortemOf(someFacts({ history })).delayed).toEqual({
      atLeastJobs: 4_000,
      waitedJobSeconds: 36_000,
      thresholdJobs: 20,
      source: 'history',
    });
  });

  it('a backlog below the threshold delays nobody', () => {
    const episodes = [anEpisode({ worst: [{ name: 'waiting', label: 'waiting', value: 19, unit: 'jobs' }] })];
    expect(postMortemOf(someFacts({ episodes })).delayed).toBeNull();
  });
});

describe('jobs lost', () => {
  const parking = {
    id: 'p',
    queue: 'bull:mail',
    actor: 'ana',
    parked: 9,
    restored: 4,
    present: 1,
    remaining: 4,
  };

  it('none are known where nothing could lose any, with what that rests on', () => {
    const { loss } = postMortemOf(someFacts({ parkings: [parking] }));
    expect(loss).toEqual({
      verdict: 'none-known',
      reasons: [
        'Parked from bull:mail: 9 jobs; 4 jobs brought back, 1 job in Redis already, 4 jobs still on disk, not lost.',
      ],
    });
  });

  it('a parking that does not add up is not called harmless', () => {
    expect(postMortemOf(someFacts({ parkings: [{ ...parking, restored: 3 }] })).loss.verdict).toBe(
      'possible',
    );
  });

  it.each([
    ['a failover', anEntry({ kind: 'redis.failover' }), /1 failover/],
    ['a restart', anEntry({ kind: 'redis.restarted' }), /1 restart of Redis/],
    ['a removal', aPull('job.remove'), /1 job removed by hand/],
  ])('%s makes loss possible', (_, entry, words) => {
    const { loss } = postMortemOf(someFacts({ entries: [entry] }));
    expect(loss.verdict).toBe('possible');
    expect(loss.reasons.join(' ')).toMatch(words);
  });

  it('evicted keys make loss possible, and refused writes are named but were never accepted', () => {
    const evicted = anEpisode({
      worst: [{ name: 'evictions', label: 'keys evicted per second', value: 3, unit: 'count/s' }],
    });
    expect(postMortemOf(someFacts({ episodes: [evicted] })).loss.verdict).toBe('possible');
    const refused = anEpisode({
      worst: [{ name: 'writes-refused', label: 'rejected', value: 3, unit: 'count/s' }],
    });
    const { loss } = postMortemOf(someFacts({ episodes: [refused] }));
    expect(loss.verdict).toBe('none-known');
    expect(loss.reasons.join(' ')).toMatch(/whether those who were refused tried again is not known/);
  });
});

it('queues are those that findings name, also where one finding stands for many', () => {
  const episodes = [anEpisode({ queue: 'bull:a' }), anEpisode({ id: 's2', queues: ['bull:b', 'bull:a'] })];
  expect(postMortemOf(someFacts({ episodes })).queues).toEqual(['bull:a', 'bull:b']);
});
