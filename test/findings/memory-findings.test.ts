import { describe, expect, test } from 'vitest';
import { findAction } from '../../server/actions/index.js';
import { DEFAULT_THRESHOLDS } from '../../server/model/finding.js';
import type { QueueState, RedisNode } from '../../server/model/snapshot.js';
import { detectFindings, wordsOf } from '../support/few-words.js';
import {
  aFullNode,
  aNode,
  aQueue,
  aSnapshot,
  MB,
  NOW_MS,
  someKind,
  someMemory,
  someNodeMemory,
  someType,
} from '../support/snapshot.js';

const find = (nodes: readonly RedisNode[], queues: readonly QueueState[] = []) =>
  detectFindings(aSnapshot({ nodes, queues }), NOW_MS, DEFAULT_THRESHOLDS);
const about = (code: string, nodes: readonly RedisNode[], queues: readonly QueueState[] = []) =>
  find(nodes, queues).filter((finding) => finding.code === code);

/** 48 MB of `track` that wait, beside 4 MB of `mail`. */
const track = aQueue({
  name: 'analytics',
  counts: { waiting: 50_000 },
  lastDepartureAtMs: NOW_MS,
  memory: someMemory({
    backlogBytes: 52 * MB,
    types: [
      someType({ backlogBytes: 48 * MB, errorBytes: 2 * MB, unfinished: 46_000, bytesPerJob: 1094 }),
      someType({ type: 'mail', backlogBytes: 4 * MB, unfinished: 4_000 }),
    ],
  }),
});

describe('memory.job-type', () => {
  test('names the type that holds most, with its error and share, before Redis is near its limit', () => {
    const [finding] = about('memory.job-type', [aNode({ countedBytes: 65 * MB })], [track]);
    expect(finding).toMatchObject({
      severity: 'warning',
      queue: 'bull:analytics',
      headline: 'track of analytics: top memory consumer',
      cause: 'They take 48 MB, 74% of used memory, mostly 46k pending jobs.',
    });
    expect(finding?.evidence[0]).toEqual({
      name: 'held',
      label: 'all',
      value: 48 * MB,
      unit: 'bytes',
      error: 2 * MB,
    });
    // Nothing is there to clean: only the limit, or the disk, can give room to jobs that have to run.
    expect(finding?.remedies.map(({ action }) => action)).toEqual(['redis.raise-maxmemory', 'queue.park']);
  });

  test('says nothing while there is room, or where the samples can’t tell', () => {
    expect(about('memory.job-type', [aNode({ countedBytes: 55 * MB })], [track])).toEqual([]);
    const vague = {
      ...track,
      memory: someMemory({ types: [someType({ backlogBytes: 28 * MB, errorBytes: 8 * MB })] }),
    };
    expect(about('memory.job-type', [aNode({ countedBytes: 65 * MB })], [vague])).toEqual([]);
  });

  test('a Redis that is filling names the type itself, and the type is no second alarm', () => {
    const found = find([aNode({ countedBytes: 85 * MB })], [track]);
    const filling = found.find(({ code }) => code === 'redis.filling');
    expect(wordsOf(filling)).toContain('Pending track jobs of analytics take 48 MB');
    expect(found.map(({ code }) => code)).not.toContain('memory.job-type');
    expect(filling?.explains).toMatchObject([{ code: 'memory.job-type', queue: 'bull:analytics' }]);
  });

  test('232 large completed jobs are one finding and not three', () => {
    const queue = aQueue({
      name: 'workflow',
      counts: { completed: 232 },
      memory: someMemory({
        completedBytes: 71 * MB,
        types: [someType({ type: 'run', completedBytes: 71 * MB, bytesPerJob: 321_000 })],
      }),
    });
    const found = find([aNode({ countedBytes: 78 * MB })], [queue]);
    expect(found.map(({ code }) => code)).toEqual(['memory.job-type']);
    expect(wordsOf(found[0])).toContain('set removeOnComplete');
    expect(found[0]?.remedies[0]).toMatchObject({
      action: 'queue.clean-finished',
      args: { state: 'completed' },
    });
    expect(found[0]?.remedies[0]?.predictedFreedBytes).toBeGreaterThan(30 * MB);
  });
});

describe('memory.stack-traces', () => {
  const failed = aQueue({
    name: 'sync',
    counts: { failed: 149_000 },
    memory: someMemory({
      failedBytes: 30 * MB,
      kinds: [someKind('stack-traces', 24 * MB, MB), someKind('payload', 6 * MB)],
    }),
  });

  test('149,000 failed jobs with long traces are reported as what they are, and not as retention too', () => {
    const found = find([aNode({ countedBytes: 40 * MB })], [failed]);
    expect(found.map(({ code }) => code)).toEqual(['memory.stack-traces']);
    expect(found[0]).toMatchObject({
      headline: 'sync: stack traces hold 24 MB',
      cause: 'Each failed attempt leaves its stack trace: it has 149k failed jobs.',
      effect: 'They take 24 MB, 60% of used memory.',
    });
    expect(found[0]?.evidence[0]).toMatchObject({ value: 24 * MB, error: MB });
    expect(wordsOf(found[0])).toContain('stackTraceLimit');
    expect(found[0]?.remedies).toMatchObject([{ action: 'queue.clean-finished', args: { state: 'failed' } }]);
  });

  test('a few are no finding', () => {
    const few = {
      ...failed,
      memory: someMemory({
        failedBytes: 60 * MB,
        kinds: [someKind('stack-traces', 9 * MB)],
        totalBytes: 60 * MB,
      }),
    };
    expect(about('memory.stack-traces', [aNode()], [few])).toEqual([]);
  });
});

describe('memory.large-jobs', () => {
  test('jobs of 2 MB are named, with what to do about them', () => {
    const queue = aQueue({
      name: 'render',
      counts: { waiting: 10 },
      lastDepartureAtMs: NOW_MS,
      memory: someMemory({
        backlogBytes: 20 * MB,
        types: [someType({ type: 'pdf', backlogBytes: 20 * MB, unfinished: 10, bytesPerJob: 2 * MB })],
        largest: { jobId: '7', type: 'pdf', bytes: 9 * MB, state: 'waiting' },
      }),
    });
    const [finding] = about('memory.large-jobs', [aNode({ countedBytes: 30 * MB })], [queue]);
    expect(finding?.headline).toBe('pdf of render: 2.0 MB a job');
    expect(finding?.evidence).toContainEqual({
      ...{ name: 'largest-job', label: 'largest', value: 9 * MB, unit: 'bytes' },
    });
    // No action makes a job that has to run smaller.
    expect(finding?.remedies).toEqual([]);
  });
});

describe('memory.events', () => {
  const listening = (name: string): QueueState =>
    aQueue({
      name,
      eventsLength: 10_000,
      memory: someMemory({ eventsBytes: 1.5 * MB, backlogBytes: 2 * MB }),
    });

  test('a hundred streams that no finding would name alone are reported together', () => {
    const queues = Array.from({ length: 100 }, (_, i) => listening(`q${i}`));
    const [finding] = about(
      'memory.events',
      [aNode({ countedBytes: 360 * MB, maxBytes: 1000 * MB })],
      queues,
    );
    expect(finding).toMatchObject({ queue: null, headline: 'Events of 100 queues hold 150 MB' });
    expect(finding?.remedies).toMatchObject([{ action: 'queue.trim-events' }]);
    expect(finding?.remedies[0]?.predictedFreedBytes).toBeGreaterThan(140 * MB);
  });

  test('the usual 1.5 MB of a queue are nothing to tell', () => {
    expect(about('memory.events', [aNode({ countedBytes: 30 * MB })], [listening('q')])).toEqual([]);
  });
});

describe('memory beside queues', () => {
  test('a client that does not read is found before Redis is full', () => {
    const [finding] = about('memory.output-buffers', [
      aNode({ clientOutputBytes: 12 * MB, memory: someNodeMemory() }),
    ]);
    expect(finding).toMatchObject({ severity: 'warning', headline: 'Redis: clients leave 12 MB unread' });
    expect(finding?.effect).toContain('12% of the limit');
    expect(finding?.remedies.map(({ action }) => action)).toEqual(['redis.raise-maxmemory']);
    expect(about('memory.output-buffers', [aFullNode({ clientOutputBytes: 12 * MB })])[0]?.severity).toBe(
      'critical',
    );
    expect(about('memory.output-buffers', [aNode({ clientOutputBytes: 9 * MB })])).toEqual([]);
  });

  test('keys of others are named with their number and error, without the ids in their names', () => {
    const foreign = {
      bytes: 40 * MB,
      errorBytes: 3 * MB,
      keys: 12_000,
      largest: [{ key: 'report:cache:…', bytes: 20 * MB }],
    };
    const node = aNode({ countedBytes: 85 * MB, memory: someNodeMemory({ foreign }) });
    const [finding] = about('memory.foreign-keys', [node]);
    expect(finding?.headline).toBe('Redis: other keys hold 40 MB');
    expect(finding?.cause).toBe('12k keys of no queue take 47% of used memory.');
    expect(finding?.evidence).toMatchObject([
      { name: 'held', error: 3 * MB },
      { name: 'redis-share' },
      { name: 'keys', value: 12_000 },
      { name: 'largest-key', value: 20 * MB },
      { name: 'largest-key-name', value: 'report:cache:…' },
    ]);
    expect(finding?.remedies.map(({ action }) => action)).toEqual(['redis.raise-maxmemory']);
    const little = aNode({ memory: someNodeMemory({ foreign: { ...foreign, bytes: 6 * MB } }) });
    expect(about('memory.foreign-keys', [little])).toEqual([]);
  });
});

test('every remedy of a memory finding is a call that its action accepts and says what it frees', () => {
  const queues = [
    track,
    aQueue({
      name: 'old',
      counts: { completed: 9000, failed: 9000 },
      eventsLength: 10_000,
      memory: someMemory({
        completedBytes: 20 * MB,
        failedBytes: 20 * MB,
        eventsBytes: 12 * MB,
        kinds: [someKind('stack-traces', 18 * MB)],
      }),
    }),
  ];
  const found = find([aNode({ countedBytes: 99 * MB })], queues).filter(({ code }) =>
    code.startsWith('memory.'),
  );
  expect(found.length).toBeGreaterThan(2);
  for (const remedy of found.flatMap(({ remedies }) => remedies)) {
    expect(findAction(remedy.action)?.schema.safeParse(remedy.args), remedy.label).toMatchObject({
      success: true,
    });
    if (remedy.action !== 'redis.raise-maxmemory') expect(remedy.predictedFreedBytes).toBeGreaterThan(0);
  }
});
