import { describe, expect, test } from 'vitest';
import { findAction } from '../../server/actions/index.js';
import type { CurrentFinding } from '../../server/model/finding.js';
import { DEFAULT_THRESHOLDS } from '../../server/model/finding.js';
import type { Snapshot } from '../../server/model/snapshot.js';
import { detectFindings } from '../support/few-words.js';
import { type NeighboursOver, neighbours } from '../support/neighbours.js';
import { aFullNode, NOW_MS, someRates } from '../support/snapshot.js';

const findIn = (snapshot: Snapshot) => detectFindings(snapshot, NOW_MS, DEFAULT_THRESHOLDS);
const find = (over: NeighboursOver = {}) => findIn(neighbours(over));
const noisy = (found: readonly CurrentFinding[]) =>
  found.find(({ code }) => code === 'queue.noisy-neighbour');

describe('one queue that holds up the others in its processes (CopperEgg)', () => {
  test('is named with the queues that wait because of it', () => {
    const found = noisy(find());
    expect(found).toMatchObject({
      severity: 'critical',
      queue: 'bull:resync',
      headline: 'resync holds up 2 other queues',
    });
    expect(found).toMatchObject({
      cause: 'It keeps 86% of busy slots in processes that others share.',
      effect: 'probe jobs of probes-a wait 2 s instead of 3 ms.',
      action: 'Limit or pause it alone, then give it workers of its own.',
      detail:
        'Held up in 2 processes: probes-a and probes-b, as their event loops are late by up to 180 ms. Most of its jobs are resync.',
    });
    expect(found?.evidence).toContainEqual({
      name: 'victim',
      label: 'held up: probes-b',
      value: 'probe waits 2 s instead of 3 ms, runs 190 ms instead of 6 ms',
    });
  });

  test('can be capped at a tenth of its rate, or paused, and nobody else is touched', () => {
    const remedies = noisy(find())?.remedies ?? [];
    expect(remedies).toMatchObject([
      { action: 'queue.rate-limit', queues: ['bull:resync'], args: { max: 10, durationMs: 1000 } },
      { action: 'queue.pause', queues: ['bull:resync'], args: {} },
    ]);
    for (const remedy of remedies)
      expect(findAction(remedy.action)?.schema.safeParse(remedy.args)).toMatchObject({ success: true });
    expect(remedies[0]?.effect).toContain('10/s instead of 100/s');
  });

  test('that has a rate limit, or with Redis full, can only be paused', () => {
    const actions = (snapshot: Snapshot) => noisy(findIn(snapshot))?.remedies.map(({ action }) => action);
    const limited = neighbours({ source: { rateLimit: { max: 500, durationMs: 1000 } } });
    expect(actions(limited)).toEqual(['queue.pause']);
    expect(actions({ ...neighbours(), nodes: [aFullNode()] })).toEqual(['queue.pause']);
  });

  test('whose rate is not known has none to cut: it can be paused', () => {
    const remedies = noisy(find({ source: { rates: null } }))?.remedies;
    expect(remedies?.map(({ action }) => action)).toEqual(['queue.pause']);
  });

  test('explains that its victims, and it itself, grow: more slots for them are not offered', () => {
    const growing = { rates: someRates({ isGrowing: true, growthPerSecond: 5, arrivalsPerSecond: 9 }) };
    const found = find({
      victim: { counts: { waiting: 90, active: 2 }, lastDepartureAtMs: NOW_MS, ...growing },
      source: { rates: { ...growing.rates, departuresPerSecond: 100 } },
    });
    expect(found.map(({ code }) => code)).toEqual(['queue.noisy-neighbour']);
    expect(found[0]?.explains?.map(({ queue }) => queue).toSorted()).toEqual([
      'bull:probes-a',
      'bull:probes-b',
      'bull:resync',
    ]);
    const actions = found[0]?.remedies.map(({ action }) => action);
    expect(actions).toEqual(['queue.rate-limit', 'queue.pause']);
  });

  test('has the same key from tick to tick', () => {
    expect(noisy(find())?.key).toBe(noisy(find({ loopDelayP99Ms: 90 }))?.key);
  });
});
