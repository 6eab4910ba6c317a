import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatRunTime } from '../../server/model/format.js';
import { compareTypes, TYPE_SORTS, typesOfQueue, typeTroubles } from '../../server/model/job-type-order.js';
import { firstOf } from '../../server/model/words.js';
import { anyQueue } from '../support/any-snapshot.js';
import { aBatchWait, aJobType, exactly, someRuns } from '../support/job-types.js';
import { aQueue, NOW_MS } from '../support/snapshot.js';

describe('the order of job types', () => {
  it('is by the work that waits, and a type that has not run yet is taken for average', () => {
    const queue = aQueue({
      types: [
        aJobType({ name: 'many', waiting: exactly(100), run: someRuns({ count: 10, meanMs: 10 }) }),
        aJobType({ name: 'long', waiting: exactly(10), run: someRuns({ count: 10, meanMs: 1_000 }) }),
        aJobType({ name: 'new', waiting: exactly(10), run: null }),
      ],
    });
    const sorted = typesOfQueue(queue).toSorted(compareTypes('work'));
    expect(sorted.map(({ type, workSeconds }) => [type.name, workSeconds])).toEqual([
      ['long', 10],
      ['new', 5.05],
      ['many', 1],
    ]);
  });

  it('is total and the same whatever the order that the types come in', () => {
    fc.assert(
      fc.property(fc.array(anyQueue, { maxLength: 4 }), fc.constantFrom(...TYPE_SORTS), (queues, sort) => {
        const types = queues.map((queue, i) => ({ ...queue, id: `${i}:${queue.id}` })).flatMap(typesOfQueue);
        const compare = compareTypes(sort);
        const sorted = types.toSorted(compare);
        expect(types.toReversed().sort(compare)).toEqual(sorted);
        for (let most = 0; most <= types.length + 1; most += 1)
          expect(firstOf(types, most, compare)).toEqual(sorted.slice(0, most));
      }),
    );
  });

  it('is cut as if all had been sorted', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50), { maxLength: 200 }), fc.nat(20), (numbers, most) => {
        const compare = (a: number, b: number): number => b - a;
        expect(firstOf(numbers, most, compare)).toEqual(numbers.toSorted(compare).slice(0, most));
      }),
    );
  });
});

describe('a job type is in trouble', () => {
  it('when it fails, is missing, starves a batch or is slow, and not when its batches have the slots they need', () => {
    const absent = { lastCompletedAtMs: NOW_MS, usualGapMs: 1, longestGapMs: 2 };
    expect(typeTroubles(aJobType())).toEqual([]);
    expect(typeTroubles(aJobType({ batchWait: aBatchWait({ isStarved: false }) }))).toEqual([]);
    expect(
      typeTroubles(aJobType({ absent, batchWait: aBatchWait(), slow: { code: 'drain', shareOfWork: 0.9 } })),
    ).toEqual(['absent', 'batch-wait', 'slow']);
  });
});

describe('a run time', () => {
  it('is shown to the digit that counts', () => {
    const told = [0, 0.4, 1, 23.4, 999.4, 999.6, 1_234, 10_100, 59_900, 59_990, 95_000].map(formatRunTime);
    expect(told).toEqual([
      '0 ms',
      'under 1 ms',
      '1 ms',
      '23 ms',
      '999 ms',
      '1 s',
      '1.2 s',
      '10.1 s',
      '59.9 s',
      '1 min',
      '1 min 35 s',
    ]);
    fc.assert(fc.property(fc.double(), (ms) => !/NaN|Infinity/.test(formatRunTime(ms))));
  });
});
