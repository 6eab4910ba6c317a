import { describe, expect, test } from 'vitest';
import { findAction } from '../../server/actions/index.js';
import { detectFindings } from '../../server/findings/index.js';
import type { CurrentFinding } from '../../server/model/finding.js';
import { DEFAULT_THRESHOLDS } from '../../server/model/finding.js';
import type { Snapshot } from '../../server/model/snapshot.js';
import { type NeighboursOver, neighbours } from '../support/neighbours.js';
import { aFullNode, NOW_MS, someRates } from '../support/snapshot.js';

const findIn = (snapshot: Snapshot) => detectFindings(snapshot, NOW_MS, DEFAULT_THRESHOLDS);
const find = (over: NeighboursOver = {}) => findIn(neighbours(over));
const noisy = (found: readonly CurrentFinding[]) =>
  found.find(({ code }) => code === 'queue.noisy-neighbour');

describe('one queue that holds up the others in its processes (CopperEgg)', () => {
  test('is named with the queues that wait because of it, in one sentence', () => {
    const found = noisy(find());
    expect(found).toMatchObject({
      severity: 'critical',
      queue: 'bull:resync',
      headline: 'resync holds up 2 other queues',
    });
    expect(found?.sentence).toBe(
      'resync keeps 86% of the busy slots of 2 processes that probes-a and probes-b work in too, with resync jobs: their event loops are late by up to 0.2 s, so probe jobs of probes-a wait 2 s instead of under 0.1 s. What to do: cap or pause resync alone, and the rest flows; then give it workers of its own.',
    );
    expect(found?.evidence).toContainEqual({
      name: 'victim',
      label: 'held up: probes-b',
      value: 'probe waits 2 s instead of under 0.1 s, runs 0.2 s instead of under 0.1 s',
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
