import { describe, expect, test } from 'vitest';
import { shownTo } from '../../server/findings/track.js';
import type { FailureRise, JobTypeState } from '../../server/model/job-type.js';
import { about, evidence, wordsOf } from '../support/few-words.js';
import { aWorker } from '../support/fleet.js';
import { aBatchWait, aJobType, exactly, findOfType, someRuns } from '../support/job-types.js';
import {
  aFullNode,
  aNode,
  MB,
  NOW_MS,
  type QueueOver,
  someRates,
  waitingMemory,
} from '../support/snapshot.js';

/** 5,000 jobs behind 5 busy slots of one process, and more come than leave. */
const behind: QueueOver = {
  name: 'analytics',
  counts: { waiting: 5_000, active: 5 },
  lastDepartureAtMs: NOW_MS,
  drainSeconds: 10_000,
  rates: someRates({ departuresPerSecond: 0.5, arrivalsPerSecond: 2, growthPerSecond: 1.5, isGrowing: true }),
};
const fiveSlots = aWorker({
  queueId: 'bull:analytics',
  agent: { concurrency: { deployed: 5, now: 5 }, running: 5 },
});
const waits = { name: 'track', batchWait: aBatchWait(), active: exactly(5) };

describe('runs that wait for a client that batches (Cypress, 10 s a run)', () => {
  test('the flush timeout, the batch, the backlog and the concurrency that fills batches are named, and offered', () => {
    const found = about('jobtype.batch-wait', findOfType(waits, behind, { workers: [fiveSlots] }));
    expect(found).toMatchObject({
      severity: 'critical',
      queue: 'bull:analytics',
      jobType: 'track',
      headline: 'track of analytics: waits 10 s for a batch',
      cause: "5 slots can't fill a batch of 20, so it waits 10 s.",
      effect: '5k jobs wait behind it.',
      action: 'Set its concurrency to 20, or flush batches sooner.',
      detail: 'Each run takes 10 s because its client gathers requests, not because the work is slow.',
    });
    expect(evidence(found, 'batch-wait')).toBe(10);
    expect(evidence(found, 'batch-size')).toBe(20);
    expect(found?.remedies[0]).toMatchObject({
      action: 'workers.concurrency',
      queues: ['bull:analytics'],
      args: { value: 20 },
    });
    expect(found?.remedies[0]?.effect).toMatch(/^Batches of 20 fill: .* instead of 0\.5/);
  });

  test('two workers of one process share its client: together they have to fill the batch', () => {
    const workers = ['a', 'b'].map((id) => ({ ...fiveSlots, id }));
    const found = about('jobtype.batch-wait', findOfType(waits, behind, { workers }));
    expect(found?.remedies[0]?.args).toEqual({ value: 10 });
  });

  test('a batch that was never seen to fill is given as "more than", with a number to try', () => {
    const batchWait = aBatchWait({ batchSize: null, batchSizeAtLeast: 6 });
    const found = about(
      'jobtype.batch-wait',
      findOfType({ ...waits, batchWait }, behind, { workers: [fiveSlots] }),
    );
    expect(wordsOf(found)).toContain('How many fill a batch is not known, but more than 5.');
    expect(found?.action).toContain('Set its concurrency to at least 50');
    expect(evidence(found, 'batch-size-above')).toBe(5);
  });

  test('without an agent, and nothing known of the size, no number is made of it', () => {
    const batchWait = aBatchWait({ batchSize: null, batchSizeAtLeast: 2 });
    const found = about('jobtype.batch-wait', findOfType({ ...waits, batchWait }, behind, { workers: [] }));
    expect(wordsOf(found)).toContain('How many fill a batch is not known.');
    expect(wordsOf(found)).not.toMatch(/more than 1\b|\b1 requests/);
    expect(evidence(found, 'batch-size-above')).toBeUndefined();
  });

  test('what is suggested does not move with noise in what share of the slots the type has', () => {
    const suggested = (batchSize: number | null, share: number): unknown => {
      const batchWait = aBatchWait({ batchSize, batchSizeAtLeast: 6 });
      const active = { value: 100 * share, low: 0, high: 100 };
      const queue = { ...behind, counts: { ...behind.counts, active: 100 } };
      return evidence(
        about(
          'jobtype.batch-wait',
          findOfType({ ...waits, batchWait, active }, queue, { workers: [fiveSlots] }),
        ),
        'suggested-concurrency',
      );
    };
    const shares = [0.52, 0.97, 0.6, 1, 0.55, 0.91];
    expect(new Set(shares.map((share) => suggested(null, share)))).toEqual(new Set([50]));
    expect(new Set(shares.map((share) => suggested(20, share)))).toEqual(new Set([20, 40]));
    expect([0.55, 0.7, 0.85].map((share) => suggested(20, share))).toEqual([40, 40, 40]);
  });

  test('where sleeps of exactly the same length would look alike, it says so', () => {
    const doubtful = findOfType({ ...waits, batchWait: aBatchWait({ confidence: 0.7 }) }, behind);
    expect(wordsOf(about('jobtype.batch-wait', doubtful))).toMatch(
      /probably waits .*every run takes exactly as long: look at one before you scale/,
    );
    expect(wordsOf(about('jobtype.batch-wait', findOfType(waits, behind)))).not.toMatch(
      /probably|exactly as long/,
    );
  });

  test('without the agent it says what to set, and how to do it from here', () => {
    const found = about('jobtype.batch-wait', findOfType(waits, behind));
    expect(wordsOf(found)).toMatch(/Set its concurrency to 20.*Attach the agent to set it from here\./);
    expect(found?.remedies).toEqual([]);
  });

  test('while Redis is full nothing offers more slots before room is made', () => {
    const memory = waitingMemory('track', 80 * MB, 5_000, { eventsBytes: 2 * MB });
    const over = { ...behind, memory, eventsLength: 9_000 };
    const found = findOfType(waits, over, { workers: [fiveSlots], nodes: [aFullNode()] });
    const [first] = found;
    expect(first?.code).toBe('redis.full');
    expect(first?.remedies.map(({ action }) => action)).toEqual([
      'sequence',
      'redis.raise-maxmemory',
      'queue.park',
      'queue.trim-events',
    ]);
    expect(first?.remedies[0]).toMatchObject({
      label: 'Raise maxmemory to 128 MB, then set concurrency to 20',
      args: { steps: [{ action: 'redis.raise-maxmemory' }, { args: { value: 20 } }] },
    });
    expect(first?.next).toBeUndefined();
    expect(first?.cause).toBe("track of analytics: 5 slots can't fill a batch of 20, so it waits 10 s.");
    expect(first?.action).toMatch(/^Make room first, then set its concurrency to 20;/);
    const rest = found.slice(1).flatMap((finding) => finding.remedies.map(({ action }) => action));
    expect(rest).not.toContain('workers.concurrency');
    // Where room can't be made from here, no slots are offered at all.
    const managed = findOfType(
      waits,
      { ...over, memory: { ...memory, eventsBytes: 0 }, eventsLength: 0 },
      {
        workers: [fiveSlots],
        nodes: [aFullNode()],
        capabilities: { canSetConfig: false },
      },
    );
    expect(managed.flatMap(({ remedies }) => remedies.map(({ action }) => action))).not.toContain(
      'workers.concurrency',
    );
  });

  test('the growth that more slots end raises the limit no further than until they act, however fast it is', () => {
    const plan = (over: Parameters<typeof aFullNode>[0], confidence = 0.9) => {
      const type = { ...waits, batchWait: aBatchWait({ confidence, batchSize: null, batchSizeAtLeast: 6 }) };
      const nodes = [aFullNode({ expectedGrowthBytesPerSecond: 3 * MB, ...over })];
      const memory = waitingMemory('track', 80 * MB, 5_000);
      return findOfType(type, { ...behind, memory }, { workers: [fiveSlots], nodes })[0];
    };
    // Ten minutes of it would be 1.8 GB, which nobody is asked for.
    expect(plan({})?.remedies.map(({ label, suffices }) => [label, suffices])).toEqual([
      ['Raise maxmemory to 160 MB, then set concurrency to 50', null],
      ['Park track jobs', false],
    ]);
    expect(plan({})?.remedies[0]?.effect).toBe('Adds 60 MB, then usual batches (15 to 20) fill.');
    // What may not be the cause is what comes after, and no part of the first button.
    const doubtful = plan({}, 0.6);
    expect(doubtful?.remedies.map(({ action }) => action)).toEqual(['redis.raise-maxmemory']);
    expect(doubtful?.remedies[0]?.effect).toContain('less is full again within 10 min');
    expect(doubtful?.next).toMatchObject({ action: 'workers.concurrency' });
    // A host without room for that has jobs parked until then.
    expect(plan({ hostBytes: 120 * MB })?.remedies[0]?.label).toBe(
      'Park track jobs, then set concurrency to 50',
    );
  });

  test('a Redis that is nearly full is shown with what would take the cause away, first', () => {
    const memory = waitingMemory('track', 70 * MB, 5_000);
    const [first, ...others] = findOfType(
      waits,
      { ...behind, memory },
      {
        workers: [fiveSlots],
        nodes: [aNode({ countedBytes: 95 * MB })],
      },
    );
    expect(first?.code).toBe('redis.filling');
    expect(first?.remedies[0]).toMatchObject({ action: 'workers.concurrency', args: { value: 20 } });
    expect(others.map(({ code }) => code)).not.toContain('jobtype.batch-wait');
  });

  test('batches that wait for jobs to come, with slots to spare, are no trouble', () => {
    const slack = aWorker({ queueId: 'bull:analytics', agent: { concurrency: { deployed: 40, now: 40 } } });
    const low = { ...waits, batchWait: aBatchWait({ isStarved: false }) };
    const calm: QueueOver = { name: 'analytics', counts: { active: 3 }, lastDepartureAtMs: NOW_MS };
    expect(findOfType(low, calm, { workers: [slack] })).toEqual([]);
    // Starved by slots with nothing behind it: worth knowing, no alarm.
    expect(findOfType(waits, calm, { workers: [fiveSlots] }).map(({ severity }) => severity)).toEqual([
      'info',
    ]);
  });
});

describe('a type that takes longer', () => {
  const slower = {
    run: someRuns({ p50Ms: 4_000, meanMs: 4_000, p95Ms: 6_000, p99Ms: 7_000 }),
    baseline: { p50Ms: 500, p95Ms: 900, count: 400, sinceMs: NOW_MS - 3_600_000 },
    slow: { code: 'baseline' as const, baselineP50Ms: 500, nowP50Ms: 4_000 },
  };

  test('than it used to is named with how many times, and what to look at', () => {
    const found = about('jobtype.slow', findOfType(slower, { counts: { waiting: 3, active: 2 } }));
    expect(found).toMatchObject({
      severity: 'warning',
      jobType: 'digest',
      headline: 'digest of emails: slow, 4 s a run',
      cause: 'A run takes 4 s, 8 times the usual 500 ms.',
      effect: '3 jobs wait in its queue.',
      action: 'Look at what it calls, and at the last deploy.',
    });
    expect(evidence(found, 'usual-p50')).toBe(0.5);
    expect(evidence(found, 'source')).toBe('the agents of its workers');
  });

  test('than a person set for it is held against that', () => {
    const slow = { code: 'threshold' as const, thresholdMs: 2_000, p95Ms: 6_000 };
    const found = about('jobtype.slow', findOfType({ ...slower, slow, slowThresholdMs: 2_000 }));
    expect(found?.cause).toBe('5% of runs take 6 s or longer, over its slow threshold of 2 s.');
  });

  test('because its client batches is said to be that, and not as slow', () => {
    const found = findOfType({ ...slower, ...waits }, behind, { workers: [fiveSlots] });
    expect(about('jobtype.slow', found)).toBeUndefined();
  });
});

const rise: FailureRise = {
  firstFailureAtMs: NOW_MS - 120_000,
  beforeRatio: 0.01,
  sinceRatio: 0.9,
  failedSince: 340,
  error: 'cache entry for monitor 7 has the wrong type.',
  isNewError: true,
};
const deploy = { id: 1, text: 'release 42', kind: 'deploy' as const, queue: null, actor: 'ci' };

describe('a type that fails since a deploy (Axiom)', () => {
  test('is named with its share, its first failure, the new error, the deploy beside it and what is to retry', () => {
    const markers = [{ ...deploy, atMs: rise.firstFailureAtMs - 8_000 }];
    const found = about('jobtype.failing', findOfType({ failing: rise }, { name: 'monitors' }, { markers }));
    expect(found).toMatchObject({
      severity: 'critical',
      headline: 'digest of monitors: 90% of attempts fail',
      cause: 'It began 2 min ago, 8 s after deploy "release 42".',
      effect: '340 jobs failed and are to retry once it is fixed.',
      action: 'Roll back the deploy, or fix it, then retry the failed jobs.',
    });
    expect(evidence(found, 'failure-ratio-before')).toBe(0.01);
    expect(evidence(found, 'first-failure')).toBe('2026-01-02T03:02:05.000Z');
    expect(evidence(found, 'marker')).toBe('release 42');
  });

  test('is shown with the error to those alone who may see job data', () => {
    const found = about('jobtype.failing', findOfType({ failing: rise }, { name: 'monitors' }));
    if (!found) throw new Error('not found');
    const finding = { ...found, sinceMs: NOW_MS };
    expect(JSON.stringify(shownTo(finding, false))).not.toContain('wrong type');
    const shown = shownTo(finding, true);
    expect(shown.cause).toBe('A new error, "cache entry for monitor 7…", began 2 min ago.');
    expect(shown.evidence.find(({ name }) => name === 'error')).toMatchObject({
      label: 'new error',
      value: 'cache entry for monitor 7 has the wrong type',
    });
  });

  test('a deploy of an hour before, of another queue, or well after it, is not blamed', () => {
    for (const marker of [
      { ...deploy, atMs: rise.firstFailureAtMs - 3_600_000 },
      { ...deploy, atMs: rise.firstFailureAtMs - 8_000, queue: 'bull:other' },
      { ...deploy, atMs: rise.firstFailureAtMs + 90_000 },
    ]) {
      const found = about('jobtype.failing', findOfType({ failing: rise }, {}, { markers: [marker] }));
      expect(wordsOf(found)).not.toContain('release 42');
    }
  });

  test('of two deploys the one just before the first failure is named', () => {
    const markers = [
      { ...deploy, id: 1, text: 'release 41', atMs: rise.firstFailureAtMs - 600_000 },
      { ...deploy, id: 2, text: 'release 42', atMs: rise.firstFailureAtMs - 5_000 },
      { ...deploy, id: 3, text: 'release 43', atMs: rise.firstFailureAtMs + 30_000 },
    ];
    const found = about('jobtype.failing', findOfType({ failing: rise }, {}, { markers }));
    expect(wordsOf(found)).toContain('release 42');
    expect(wordsOf(found)).not.toMatch(/release 4[13]/);
  });

  test('some more failures are a warning, most of them critical', () => {
    const some = about('jobtype.failing', findOfType({ failing: { ...rise, sinceRatio: 0.3 } }));
    expect(some?.severity).toBe('warning');
  });
});

test('of many types in the same trouble five are named, and the same five whatever order they come in', () => {
  const types = Array.from({ length: 9 }, (_, i) => aJobType({ name: `t${i}`, failing: rise }));
  const named = (order: JobTypeState[]) => findOfType({}, { types: order }).map(({ jobType }) => jobType);
  expect(named(types)).toHaveLength(5);
  expect(named(types.toReversed())).toEqual(named(types));
});

test('a queue of quiet, healthy types has nothing to tell', () => {
  expect(
    findOfType({ completedPerSecond: 3 }, { counts: { waiting: 2, active: 1 }, lastDepartureAtMs: NOW_MS }),
  ).toEqual([]);
});
