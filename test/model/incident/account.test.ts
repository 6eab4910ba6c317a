import { describe, expect, it } from 'vitest';
import { accountOfIncident } from '../../../server/model/incident/account.js';
import type { HistoryFacts } from '../../../server/model/incident/facts.js';
import { anEntry, aPull, aSpell, MINUTE_MS, someFacts } from '../../support/incident.js';
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
    const { durations } = accountOfIncident(
      someFacts({
        spells: [aSpell({ beganAtMs: NOW_MS + MINUTE_MS })],
        entries: [
          aPull('queue.halt', { atMs: NOW_MS + 2 * MINUTE_MS }, { status: 'refused' }),
          anEntry({ kind: 'alert.firing', group: 'alerts', atMs: NOW_MS + 2 * MINUTE_MS }),
          aPull('queue.halt', { atMs: NOW_MS + 4 * MINUTE_MS }),
        ],
      }),
    );
    expect(durations).toEqual({
      detectedAfterMs: MINUTE_MS,
      alertedAfterMs: 2 * MINUTE_MS,
      firstActionAfterMs: 4 * MINUTE_MS,
      resolvedAfterMs: 12 * MINUTE_MS,
      lastsMs: 5 * MINUTE_MS,
      blindMs: 0,
    });
  });

  it('say how long the console could not see, each minute once, and what is not known because of it', () => {
    const blind = (code: string, fromMinute: number, toMinute: number | null) =>
      aSpell({
        id: code,
        code,
        beganAtMs: NOW_MS + fromMinute * MINUTE_MS,
        endedAtMs: toMinute === null ? null : NOW_MS + toMinute * MINUTE_MS,
      });
    const spells = [
      blind('console.starved', -5, 1),
      blind('console.stale', 0.5, 2),
      blind('redis.unreachable', 4, null),
      blind('queue.growing', 0, null),
    ];
    const { durations, unknown } = accountOfIncident(someFacts({ spells }));
    expect(durations.blindMs).toBe(3 * MINUTE_MS);
    expect(unknown.join(' ')).toContain('The console could not see for 3 min of the 5 min');
  });

  it('a trouble that lasts is not resolved, and without a finding nobody knows', () => {
    const lasting = [aSpell(), aSpell({ id: 's2', endedAtMs: null })];
    expect(accountOfIncident(someFacts({ spells: lasting })).durations.resolvedAfterMs).toBeNull();
    expect(accountOfIncident(someFacts()).durations).toMatchObject({
      detectedAfterMs: null,
      alertedAfterMs: null,
      firstActionAfterMs: null,
      resolvedAfterMs: null,
    });
  });
});

describe('impact', () => {
  it('is taken from the history where there is one, with its time', () => {
    const { impact } = accountOfIncident(someFacts({ history, spells: [aSpell()] }));
    expect(impact.memoryRatio).toEqual({ value: 1.2, atMs: NOW_MS + MINUTE_MS, source: 'history' });
    expect(impact.failedJobs).toMatchObject({ value: 7, source: 'history' });
  });

  it('without one it is what findings saw at their worst, and says so', () => {
    const spells = [aSpell(), aSpell({ id: 's2', worst: [{ label: 'waiting', value: 900, unit: 'jobs' }] })];
    const { impact, unknown } = accountOfIncident(someFacts({ spells }));
    expect(impact.memoryRatio).toEqual({ value: 1.12, atMs: null, source: 'findings' });
    expect(impact.backlogJobs).toMatchObject({ value: 900, source: 'findings' });
    expect(impact.longestWaitSeconds).toBeNull();
    expect(unknown.join(' ')).toMatch(/no history of signals/);
  });

  it('gaps in the history are named', () => {
    const { unknown } = accountOfIncident(
      someFacts({ history: { ...history, gapRatio: 0.2 }, spells: [aSpell()] }),
    );
    expect(unknown.join(' ')).toMatch(/in 20% of the range/);
  });
});

it('an incident that was closed while a finding lasts is not called over', () => {
  const spells = [aSpell({ endedAtMs: null })];
  const { unknown } = accountOfIncident(someFacts({ spells, toMs: NOW_MS + MINUTE_MS }));
  expect(unknown.join(' ')).toMatch(/still lasts: whether it is over is unknown/);
  expect(accountOfIncident(someFacts({ spells })).unknown.join(' ')).not.toMatch(/still lasts/);
});

describe('jobs delayed', () => {
  it('are at least the largest backlog, with the time that jobs waited in all', () => {
    expect(accountOfIncident(someFacts({ history })).delayed).toEqual({
      atLeastJobs: 4_000,
      waitedJobSeconds: 36_000,
      thresholdJobs: 20,
      source: 'history',
    });
  });

  it('a backlog below the threshold delays nobody', () => {
    const spells = [aSpell({ worst: [{ label: 'waiting', value: 19, unit: 'jobs' }] })];
    expect(accountOfIncident(someFacts({ spells })).delayed).toBeNull();
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
    const { loss } = accountOfIncident(someFacts({ parkings: [parking] }));
    expect(loss).toEqual({
      verdict: 'none-known',
      because: [
        'Parked from bull:mail: 9 jobs; 4 jobs brought back, 1 job in Redis already, 4 jobs still on disk, not lost.',
      ],
    });
  });

  it('a parking that does not add up is not called harmless', () => {
    expect(accountOfIncident(someFacts({ parkings: [{ ...parking, restored: 3 }] })).loss.verdict).toBe(
      'possible',
    );
  });

  it.each([
    ['a failover', anEntry({ kind: 'redis.failover' }), /1 failover/],
    ['a restart', anEntry({ kind: 'redis.restarted' }), /1 restart of Redis/],
    ['a removal', aPull('job.remove'), /1 job removed by hand/],
  ])('%s makes loss possible', (_, entry, words) => {
    const { loss } = accountOfIncident(someFacts({ entries: [entry] }));
    expect(loss.verdict).toBe('possible');
    expect(loss.because.join(' ')).toMatch(words);
  });

  it('evicted keys make loss possible, and refused writes are told but were never accepted', () => {
    const evicted = aSpell({ worst: [{ label: 'keys evicted per second', value: 3, unit: 'count/s' }] });
    expect(accountOfIncident(someFacts({ spells: [evicted] })).loss.verdict).toBe('possible');
    const refused = aSpell({ worst: [{ label: 'writes refused', value: 3, unit: 'count/s' }] });
    const { loss } = accountOfIncident(someFacts({ spells: [refused] }));
    expect(loss.verdict).toBe('none-known');
    expect(loss.because.join(' ')).toMatch(/whether those who were refused tried again is not known/);
  });
});

it('queues are those that findings name, also where one finding stands for many', () => {
  const spells = [aSpell({ queue: 'bull:a' }), aSpell({ id: 's2', queues: ['bull:b', 'bull:a'] })];
  expect(accountOfIncident(someFacts({ spells })).queues).toEqual(['bull:a', 'bull:b']);
});
