import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { foldExplained } from '../../server/findings/explained.js';
import { detectFindings, FINDING_RULES, withCode } from '../../server/findings/index.js';
import type { CurrentFinding, FindingRule } from '../../server/model/finding.js';
import { DEFAULT_THRESHOLDS } from '../../server/model/finding.js';
import type { JobTypeState } from '../../server/model/job-type.js';
import { anySnapshot } from '../support/any-snapshot.js';
import { wordsOf } from '../support/few-words.js';
import { aWorker, type WorkerOver } from '../support/fleet.js';
import { aBatchWait, aJobType, exactly, someRuns } from '../support/job-types.js';
import {
  aFullNode,
  aNode,
  aQueue,
  aSnapshot,
  MB,
  NOW_MS,
  type QueueOver,
  type SnapshotOver,
  someMemory,
  someRates,
  someType,
} from '../support/snapshot.js';

const growing: QueueOver = {
  name: 'analytics',
  counts: { waiting: 5_000, active: 20 },
  lastDepartureAtMs: NOW_MS,
  drainSeconds: 10_000,
  rates: someRates({ departuresPerSecond: 2, arrivalsPerSecond: 12, growthPerSecond: 10, isGrowing: true }),
};
/** Two workers with all slots busy and finishing. */
const busy = (over: WorkerOver['agent'] = {}) =>
  ['a', 'b'].map((id) =>
    aWorker({
      id,
      queueId: 'bull:analytics',
      agent: { agentId: id, concurrency: { deployed: 10, now: 10 }, running: 10, ...over },
    }),
  );
const track: Partial<JobTypeState> = { name: 'track', active: exactly(20) };
const batches = { ...track, batchWait: aBatchWait() };
const held = someMemory({
  backlogBytes: 80 * MB,
  eventsBytes: 2 * MB,
  types: [someType({ type: 'track', backlogBytes: 80 * MB, unfinished: 5_000 })],
});

function find(
  types: readonly Partial<JobTypeState>[],
  queue: QueueOver = {},
  over: SnapshotOver = {},
): readonly CurrentFinding[] {
  const made = aQueue({ ...growing, types: types.map((type) => aJobType(type)), ...queue });
  return detectFindings(aSnapshot({ queues: [made], workers: busy(), ...over }), NOW_MS, DEFAULT_THRESHOLDS);
}
const told = (findings: readonly CurrentFinding[]) =>
  findings.map(({ code, explains = [] }) => [code, ...explains.map((line) => line.code)]);

describe('one trouble is shown once', () => {
  test('a full Redis explains the type that fills it, its batches, its overload and the workers it blocks', () => {
    const blocked = aWorker({
      id: 'idle',
      queueId: 'bull:api',
      agent: { running: 0, paused: 'guard', guard: { sinceMs: NOW_MS - 5_000, times: 1 } },
    });
    const found = find(
      [batches],
      { memory: held, eventsLength: 9_000 },
      {
        nodes: [aFullNode()],
        workers: [...busy(), blocked],
      },
    );
    expect(told(found)).toEqual([
      ['redis.full', 'jobtype.batch-wait', 'queue.overloaded', 'memory.job-type', 'worker.blocked'].map(
        (code) => code,
      ),
    ]);
    const [full] = found;
    expect(full?.severity).toBe('critical');
    expect(wordsOf(full)).toContain('track');
    expect(full?.explains?.[0]).toEqual({
      code: 'jobtype.batch-wait',
      queue: 'bull:analytics',
      jobType: 'track',
      headline: 'track of analytics: waits 10 s for a batch',
    });
  });

  test('a full Redis does not explain another queue that is overloaded', () => {
    const other = aQueue({ ...growing, name: 'mail', memory: someMemory({ backlogBytes: 1 * MB }) });
    const made = aSnapshot({
      nodes: [aFullNode()],
      queues: [aQueue({ name: 'analytics', memory: held, types: [aJobType(batches)] }), other],
    });
    const found = detectFindings(made, NOW_MS, DEFAULT_THRESHOLDS);
    expect(found.map(({ code, queue }) => [code, queue])).toContainEqual(['queue.growing', 'bull:mail']);
  });

  test('a Redis that fills explains the type that fills it, and keeps the way out first', () => {
    const [filling, ...others] = find(
      [batches],
      { memory: held },
      { nodes: [aNode({ countedBytes: 95 * MB })] },
    );
    expect(filling?.code).toBe('redis.filling');
    expect(filling?.remedies[0]).toMatchObject({ action: 'workers.concurrency', args: { value: 20 } });
    expect(filling?.explains?.map(({ code }) => code)).toEqual([
      'jobtype.batch-wait',
      'queue.overloaded',
      'memory.job-type',
    ]);
    expect(others).toEqual([]);
  });

  test('a Redis that fills far from its limit is no more urgent for a critical queue, which is reported by itself', () => {
    // 42% used, and a trend that reaches the limit within the hour.
    const forecast = {
      growthBytesPerSecond: MB / 32,
      growthRange: [MB / 32, MB / 32] as const,
      fullInSeconds: 1_856,
      fullInRange: [1_856, 1_856] as const,
      notKnown: null,
      windowMs: 600_000,
    };
    const found = find([batches], { memory: held }, { nodes: [aNode({ countedBytes: 42 * MB, forecast })] });
    expect(found.map(({ code, severity }) => [code, severity])).toEqual([
      ['jobtype.batch-wait', 'critical'],
      ['redis.filling', 'warning'],
    ]);
    expect(told(found)).toEqual([
      ['jobtype.batch-wait', 'queue.overloaded'],
      ['redis.filling', 'memory.job-type'],
    ]);
  });

  test('batches that wait for their timer explain the overload: one finding, the concurrency that fills them first', () => {
    const found = find([batches]);
    expect(told(found)).toEqual([['jobtype.batch-wait', 'queue.overloaded']]);
    expect(found[0]?.severity).toBe('critical');
    // It stands where the overload would, and what the overload offers comes after its own.
    const alone = find([track])[0];
    expect(found[0]?.rank).toBeGreaterThanOrEqual(alone?.rank ?? Number.NaN);
    expect(found[0]?.remedies).toHaveLength(1 + (alone?.remedies.length ?? Number.NaN));
    expect(found[0]?.remedies[0]).toMatchObject({ action: 'workers.concurrency', args: { value: 20 } });
  });

  test('batches of a type that few slots are busy with explain nothing about the others', () => {
    const found = find([{ ...batches, active: exactly(2) }]);
    expect(found.map(({ code }) => code).toSorted()).toEqual(['jobtype.batch-wait', 'queue.overloaded']);
  });

  test('a type that takes most of the time is named by the overload, and is no finding of its own', () => {
    const run = someRuns({ p50Ms: 8_000, meanMs: 8_000 });
    const slow = { code: 'drain' as const, shareOfWork: 0.83 };
    const found = find([{ ...track, run, slow }]);
    expect(told(found)).toEqual([['queue.overloaded', 'jobtype.slow']]);
    expect(wordsOf(found[0])).toContain('Most of the work is track: 83% of what is pending, 8 s a run.');
  });

  test('a type that has become slow explains the overload, with the overload’s remedies', () => {
    const run = someRuns({ p50Ms: 8_000, meanMs: 8_000 });
    const slow = { code: 'baseline' as const, baselineP50Ms: 500, nowP50Ms: 8_000 };
    const found = find([{ ...track, run, slow }]);
    expect(told(found)).toEqual([['jobtype.slow', 'queue.overloaded']]);
    // It stands where the overload would, though slow types rank lower.
    expect(found[0]?.rank).toBeGreaterThan(520);
    expect(found[0]?.severity).toBe('critical');
    expect(found[0]?.remedies.map(({ action }) => action)).toContain('workers.concurrency');
  });

  test('retries of what fails explain that the queue grows, and no slots are offered to fail more', () => {
    const failing = {
      firstFailureAtMs: NOW_MS - 60_000,
      beforeRatio: 0,
      sinceRatio: 0.8,
      failedSince: 400,
      error: 'no such host',
      isNewError: true,
    };
    const found = find([{ ...track, failing, failedPerSecond: 8 }], {}, { workers: [] });
    expect(told(found)).toEqual([['jobtype.failing', 'queue.growing']]);
    expect(wordsOf(found[0])).toContain('retries take the slots, and 5k jobs wait');
    expect(found[0]?.remedies).toEqual([]);
    const few = find([{ ...track, failing, failedPerSecond: 1 }], {}, { workers: [] });
    expect(few.map(({ code }) => code)).toEqual(['jobtype.failing', 'queue.growing']);
  });

  test('crashed workers and the overload of those left stay two findings: the overload says why', () => {
    const gone = aWorker({
      id: 'gone',
      queueId: 'bull:analytics',
      isConnected: false,
      agent: { lastBeatAtMs: NOW_MS - 10_000, running: 4 },
    });
    const found = find([track], {}, { workers: [...busy(), gone] });
    expect(found.map(({ code }) => code)).toEqual(['worker.crashed', 'queue.overloaded']);
    expect(wordsOf(found[1])).toContain('1 worker crashed, and all 20 slots of 2 workers are busy');
  });
});

test('whatever is found, nothing is lost: each finding is reported by itself or in one line of another', () => {
  fc.assert(
    fc.property(anySnapshot, (snapshot) => {
      const found = FINDING_RULES.flatMap((rule) =>
        rule.detect(snapshot, NOW_MS, DEFAULT_THRESHOLDS).map((finding) => withCode(finding, rule.code)),
      );
      const folded = foldExplained(found);
      const lines = folded.flatMap(({ explains = [] }) => explains);
      const nameOf = ({ code, queue, headline }: { code: string; queue: string | null; headline: string }) =>
        JSON.stringify([code, queue, headline]);
      expect([...folded, ...lines].map(nameOf).toSorted()).toEqual(found.map(nameOf).toSorted());
      expect(folded.every(({ severity }, i) => severity !== undefined && i >= 0)).toBe(true);
    }),
    { numRuns: 200 },
  );
});

/** The same rule, with other words for people. */
function reworded({ code, about, detect }: FindingRule): FindingRule {
  return {
    code,
    about,
    detect: (...of) =>
      detect(...of).map((finding) => ({
        ...finding,
        headline: 'xxx',
        cause: 'yyy',
        effect: 'eee',
        action: 'aaa',
        ...(finding.detail === undefined ? {} : { detail: 'ddd' }),
        ...(finding.what === undefined ? {} : { what: 'www' }),
        evidence: finding.evidence.map((piece, i) => ({ ...piece, label: `label ${i % 2}` })),
        remedies: (finding.remedies ?? []).map((remedy) => ({ ...remedy, label: 'zzz', effect: 'zz' })),
      })),
  };
}

/** What is decided about a finding, without its words. */
const decided = (found: readonly CurrentFinding[]) =>
  found.map(({ fromJobData: _, evidence, remedies, next, explains = [], ...rest }) => ({
    ...rest,
    ...{ headline: '', cause: '', effect: '', action: '', detail: '' },
    evidence: evidence.map(({ label: _l, ...piece }) => piece),
    remedies: remedies.map(({ label: _l, effect: _e, ...call }) => call),
    ...(next ? { next: { ...next, label: '', effect: '' } } : {}),
    explains: explains.map(({ headline: _t, ...line }) => line),
  }));

test('words for people decide nothing: with others the same is found, folded, merged, ranked and offered', () => {
  const rules = FINDING_RULES.map(reworded);
  fc.assert(
    fc.property(anySnapshot, (snapshot) => {
      const found = detectFindings(snapshot, NOW_MS, DEFAULT_THRESHOLDS);
      expect(decided(detectFindings(snapshot, NOW_MS, DEFAULT_THRESHOLDS, { rules }))).toEqual(
        decided(found),
      );
    }),
    { numRuns: 200 },
  );
});
