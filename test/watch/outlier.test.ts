import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findOutliers } from '../../server/watch/judge-fleet.js';
import { aWorker } from '../support/fleet.js';

const worker = (id: string, p50Ms: number, failed = 0, count = 200) =>
  aWorker({
    id,
    label: id,
    agent: {
      types: [
        {
          name: 'send',
          completed: count - failed,
          failed,
          run: { count, p50Ms, p99Ms: p50Ms * 4, longestMs: p50Ms * 4 },
          recent: null,
        },
      ],
    },
  });

describe('the one that drags the rest', () => {
  it('is found among its peers, and nobody else is', () => {
    const anyFleet = fc.record({
      usual: fc.integer({ min: 5, max: 5_000 }),
      noise: fc.array(fc.double({ min: 0.6, max: 1.6, noNaN: true }), { minLength: 4, maxLength: 20 }),
      times: fc.double({ min: 8, max: 50, noNaN: true }),
    });
    fc.assert(
      fc.property(anyFleet, ({ usual, noise, times }) => {
        const peers = noise.map((factor, i) => worker(`peer-${i}`, usual * factor));
        const slow = worker('slow', usual * times + 100);
        expect([...findOutliers([...peers, slow]).keys()]).toEqual(['slow']);
      }),
      { numRuns: 1_000 },
    );
  });

  it('is nobody where all are equal but for noise', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.array(fc.double({ min: 0.6, max: 1.6, noNaN: true }), { minLength: 1, maxLength: 30 }),
        (usual, noise) => {
          const fleet = noise.map((factor, i) => worker(`peer-${i}`, usual * factor));
          expect(findOutliers(fleet).size).toBe(0);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('is nobody for taking longer than those whose runs fail: work that fails at once is not done sooner', () => {
    const failing = ['a', 'b', 'c'].map((id) => worker(id, 0.5, 180));
    expect(findOutliers([...failing, worker('works', 100, 60)]).size).toBe(0);
    expect(findOutliers([...failing, worker('works', 100, 170)]).size).toBe(0);
    const healthy = ['d', 'e'].map((id) => worker(id, 100));
    expect(findOutliers([...failing, ...healthy, worker('works', 110)]).has('works')).toBe(false);
    expect(findOutliers([...failing, ...healthy, worker('slow', 1_000)]).get('slow')?.peers).toBe(100);
  });

  it('is also the one that fails far more than the others', () => {
    const fleet = [worker('a', 100, 2), worker('b', 100, 4), worker('c', 100, 0), worker('bad', 100, 120)];
    expect([...findOutliers(fleet)]).toEqual([
      ['bad', expect.objectContaining({ kind: 'failing', type: 'send' })],
    ]);
  });

  it('is not who was there while everybody failed, beside peers that came afterwards', () => {
    const young = (id: string) => {
      const made = worker(id, 100);
      if (made.agent === null) return made;
      return { ...made, agent: { ...made.agent, attachedAtMs: made.agent.lastBeatAtMs - 60_000 } };
    };
    const there = [worker('a', 100, 120), worker('b', 100, 110)];
    expect(findOutliers([...there, young('new-a'), young('new-b')]).size).toBe(0);
  });

  it('is not judged with too few runs or peers', () => {
    expect(findOutliers([worker('a', 100), worker('slow', 5_000)]).size).toBe(0);
    expect(findOutliers([worker('a', 100), worker('b', 100), worker('slow', 5_000, 0, 10)]).size).toBe(0);
  });

  it('is not one whose queue or job types are others', () => {
    const elsewhere = { ...worker('slow', 5_000), queueId: 'bull:reports' };
    expect(findOutliers([worker('a', 100), worker('b', 100), worker('c', 100), elsewhere]).size).toBe(0);
  });
});
