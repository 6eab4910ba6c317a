import { describe, expect, test } from 'vitest';
import type { CurrentFinding } from '../../server/model/finding.js';
import { DEFAULT_THRESHOLDS } from '../../server/model/finding.js';
import type { QueueState } from '../../server/model/snapshot.js';
import { detectFindings, wordsOf } from '../support/few-words.js';
import {
  aNode,
  aQueue,
  aSnapshot,
  MB,
  NOW_MS,
  type QueueOver,
  someMemory,
  someRates,
} from '../support/snapshot.js';

const find = (queues: readonly QueueState[], over = {}): readonly CurrentFinding[] =>
  detectFindings(aSnapshot({ queues, ...over }), NOW_MS, DEFAULT_THRESHOLDS);
/** The findings of a single queue. */
const of = (over: QueueOver): readonly CurrentFinding[] => find([aQueue(over)]);
const secondsAgo = (seconds: number): number => NOW_MS - seconds * 1000;

describe('queue.no-workers', () => {
  test('jobs that arrive where nobody works are critical', () => {
    const [finding] = of({
      workers: 0,
      counts: { waiting: 1204 },
      rates: someRates({ arrivalsPerSecond: 12.3, isGrowing: true }),
    });
    expect(finding).toMatchObject({ code: 'queue.no-workers', severity: 'critical', queue: 'bull:emails' });
    expect(finding).toMatchObject({
      headline: 'emails: no workers',
      cause: 'No worker of it is connected.',
      effect: '1.2k jobs wait, the oldest for 60 s; 12.3/s more are added.',
      action: 'Start workers for it, or find out why they are gone.',
    });
  });

  test('left-over jobs that nobody adds to are a warning', () => {
    expect(of({ workers: 0, counts: { waiting: 3 } })).toMatchObject([
      { code: 'queue.no-workers', severity: 'warning' },
    ]);
  });

  test('workers that restart within seconds are no finding, nor is a queue whose clients may not be listed', () => {
    expect(of({ workers: 0, counts: { waiting: 50 }, oldestWaitingAtMs: secondsAgo(3) })).toEqual([]);
    expect(of({ workers: null, counts: { waiting: 50 }, lastDepartureAtMs: NOW_MS })).toEqual([]);
  });

  test('a name whose workers Redis may not show is named with that doubt', () => {
    expect(wordsOf(of({ name: 'e mail', workers: 0, counts: { waiting: 3 } })[0])).toContain(
      'can be invisible',
    );
  });
});

describe('queue.stuck', () => {
  test('connected workers that take nothing for 20 s are critical', () => {
    const [finding] = of({ workers: 2, counts: { waiting: 300 }, lastDepartureAtMs: secondsAgo(95) });
    expect(finding).toMatchObject({
      code: 'queue.stuck',
      severity: 'critical',
      headline: 'emails: no job taken for 90 s',
    });
    expect(finding?.cause).toContain('Its 2 workers are connected, but hang');
  });

  test('a job that has just come to an idle queue is not stuck, nor one delayed job that has just fallen due', () => {
    expect(
      of({ counts: { waiting: 1 }, lastDepartureAtMs: secondsAgo(3000), oldestWaitingAtMs: secondsAgo(1) }),
    ).toEqual([]);
    expect(
      of({
        counts: { waiting: 1 },
        lastDepartureAtMs: secondsAgo(3000),
        oldestWaitingAtMs: secondsAgo(3600),
        depthTrend: [0, 0, 0, 1],
      }),
    ).toEqual([]);
  });

  test('long jobs in every slot get a minute before anything is said, and then only a warning', () => {
    const busy = { counts: { waiting: 30, active: 4 }, oldestWaitingAtMs: secondsAgo(600) };
    expect(of({ ...busy, lastDepartureAtMs: secondsAgo(45) })).toEqual([]);
    expect(of({ ...busy, lastDepartureAtMs: secondsAgo(75) })).toMatchObject([
      { code: 'queue.stuck', severity: 'warning', headline: 'emails: no completions for 70 s' },
    ]);
  });

  test('a console that has just started does not call a queue stuck', () => {
    expect(of({ counts: { waiting: 300 }, firstSeenAtMs: secondsAgo(5) })).toEqual([]);
  });

  test('where clients can not be listed it does not claim that workers are there', () => {
    const [finding] = of({ workers: null, counts: { waiting: 300 }, lastDepartureAtMs: secondsAgo(95) });
    expect(wordsOf(finding)).toContain('this Redis does not say which');
  });
});

describe('queue.growing', () => {
  const growing = {
    counts: { waiting: 1204, active: 5 },
    lastDepartureAtMs: NOW_MS,
    rates: someRates({
      arrivalsPerSecond: 12.3,
      departuresPerSecond: 4.1,
      growthPerSecond: 8.2,
      isGrowing: true,
    }),
  };

  test('it reports what comes, what goes and that it never drains', () => {
    const [finding] = of(growing);
    expect(finding).toMatchObject({
      code: 'queue.growing',
      severity: 'warning',
      headline: 'emails: backlog growing by 8.2/s',
    });
    expect(finding?.cause).toBe('Jobs are added at 12.3/s, but processed at 4.1/s.');
    expect(finding?.effect).toMatch(/^1\.2k jobs wait.*it never drains like this\.$/);
  });

  test('a known cause takes its place: one finding a queue, not two', () => {
    expect(of({ ...growing, concurrency: 5 }).map((finding) => finding.code)).toEqual(['queue.capped']);
    expect(of({ ...growing, rateLimitedForMs: 400 }).map((finding) => finding.code)).toEqual([
      'queue.rate-limited',
    ]);
    expect(of({ ...growing, workers: 0 }).map((finding) => finding.code)).toEqual(['queue.no-workers']);
    expect(of({ ...growing, flow: 'paused-by-spillway' }).map((finding) => finding.code)).toEqual([
      'queue.paused-with-backlog',
    ]);
  });

  test('a handful of jobs is no finding', () => {
    expect(of({ ...growing, counts: { waiting: 6 } })).toEqual([]);
  });
});

describe('queue.paused-with-backlog', () => {
  test('a pause from this console names who and when, and offers to resume with what stood before', () => {
    const [finding] = of({
      flow: 'paused-by-spillway',
      concurrency: 0,
      pause: { formerConcurrency: 4, atMs: secondsAgo(720), actor: 'ana' },
      counts: { waiting: 200 },
    });
    expect(finding?.cause).toBe('ana paused it from here 12 min ago.');
    expect(finding?.effect).toContain('200 jobs wait');
    expect(finding?.remedies).toMatchObject([{ action: 'queue.resume', queues: ['bull:emails'], args: {} }]);
    expect(finding?.remedies[0]?.effect).toContain('former global concurrency of 4');
  });

  test("the application's own pause is reported as such", () => {
    const [finding] = of({ flow: 'paused', counts: { waiting: 200, legacyPaused: 200 } });
    expect(finding).toMatchObject({
      code: 'queue.paused-with-backlog',
      severity: 'warning',
      headline: 'emails: paused, and jobs wait',
    });
    expect(wordsOf(finding)).toContain('Its application paused it');
  });

  test('a paused queue without jobs is nobody’s trouble', () => {
    expect(of({ flow: 'paused', counts: { active: 1 } })).toEqual([]);
  });
});

describe('queue.capped', () => {
  test('all slots in use and jobs that wait: the cap is named, with the way to raise it', () => {
    const [finding] = of({ concurrency: 4, counts: { waiting: 1200, active: 4 }, lastDepartureAtMs: NOW_MS });
    expect(finding).toMatchObject({ code: 'queue.capped', severity: 'info' });
    expect(wordsOf(finding)).toContain('All 4 slots');
    expect(finding?.remedies.map((remedy) => remedy.args)).toEqual([{ value: 8 }, { value: null }]);
  });

  test('a cap with slots to spare is not to blame', () => {
    expect(of({ concurrency: 40, counts: { waiting: 1200, active: 4 }, lastDepartureAtMs: NOW_MS })).toEqual(
      [],
    );
  });

  test('a concurrency of 0 that the console did not set stops the queue, and is reported with a single waiting job', () => {
    const [finding] = of({ concurrency: 0, counts: { waiting: 1 } });
    expect(finding).toMatchObject({
      code: 'queue.capped',
      severity: 'warning',
      headline: 'emails: global concurrency is 0',
    });
    expect(finding?.remedies.map((remedy) => remedy.args)).toEqual([{ value: null }]);
  });
});

describe('queue.rate-limited', () => {
  const limited = {
    counts: { waiting: 600 },
    rateLimit: { max: 10, durationMs: 1000 },
    lastDepartureAtMs: NOW_MS,
  };

  test('it reports what the limit makes of the backlog', () => {
    const [finding] = of({
      ...limited,
      rateLimitedForMs: 700,
      rates: someRates({ arrivalsPerSecond: 4, departuresPerSecond: 10 }),
    });
    expect(finding).toMatchObject({ code: 'queue.rate-limited', severity: 'info' });
    expect(wordsOf(finding)).toContain('10 per second');
    expect(wordsOf(finding)).toContain('at 10/s they are gone in 100 s');
    expect(finding?.remedies).toMatchObject([
      { action: 'queue.rate-limit', args: { max: 20, durationMs: 1000 } },
    ]);
  });

  test('between two windows the measured rate gives it away', () => {
    expect(of({ ...limited, rates: someRates({ departuresPerSecond: 9.8 }) })[0]?.code).toBe(
      'queue.rate-limited',
    );
  });

  test("a worker's own window stretches the limit, and is named", () => {
    const [finding] = of({ ...limited, rateLimitedForMs: 3000, observedLimiterMs: 5000 });
    expect(wordsOf(finding)).toContain("stretched to 5 s by the workers' own setting");
    expect(wordsOf(finding)).toContain('at 2/s');
    // Twice of what it really is, not of what is written.
    expect(finding?.remedies).toMatchObject([{ args: { max: 20, durationMs: 5000 } }]);
  });

  test("a limit in the workers' code is reported, but not guessed at", () => {
    const [finding] = of({ ...limited, rateLimit: null, rateLimitedForMs: 700 });
    expect(wordsOf(finding)).toContain("in the workers' own code");
    expect(finding?.remedies).toEqual([]);
  });
});

describe('memory.retention', () => {
  test('232 completed jobs that fill Redis while nothing waits', () => {
    const found = find(
      [aQueue({ counts: { completed: 232 }, memory: someMemory({ completedBytes: 71 * MB }) })],
      { nodes: [aNode({ countedBytes: 78 * MB })] },
    );
    expect(found).toMatchObject([
      {
        code: 'memory.retention',
        severity: 'warning',
        headline: 'emails: 71 MB of finished jobs and events',
      },
    ]);
    expect(wordsOf(found[0])).toContain('71 MB in 232 completed');
    expect(wordsOf(found[0])).toContain('71 MB, 91% of used memory');
    expect(found[0]?.remedies).toMatchObject([
      { action: 'queue.clean-finished', args: { state: 'completed', keep: 100 } },
    ]);
  });

  test('less than the backlog, or little at all, is no finding', () => {
    expect(of({ memory: someMemory({ completedBytes: 20 * MB, backlogBytes: 30 * MB }) })).toEqual([]);
    expect(of({ memory: someMemory({ eventsBytes: 1.5 * MB }) })).toEqual([]);
  });
});

describe('many queues with one trouble', () => {
  const idle = (count: number): QueueState[] =>
    Array.from({ length: count }, (_, i) =>
      aQueue({ name: `q${i}`, flow: 'paused', counts: { waiting: 30 + i } }),
    );

  test('300 paused queues are one finding that names the worst and acts on all it names', () => {
    const found = find(idle(300));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({
      queue: null,
      headline: '300 queues: paused, and jobs wait',
      key: 'queue.paused-with-backlog|default||',
    });
    expect(found[0]?.effect).toBe('54k jobs wait in these 300 queues.');
    expect(found[0]?.detail).toContain('Of the worst, q299: paused, and jobs wait: 329 jobs wait');
    expect(found[0]?.evidence).toContainEqual({ name: 'queues', label: 'queues', value: 300, unit: 'count' });
    expect(found[0]?.queues?.[0]).toBe('bull:q299');
    expect(found[0]?.queues).toHaveLength(100);
    expect(found[0]?.remedies).toMatchObject([
      { action: 'queue.resume', label: 'Resume: the 100 worst queues' },
    ]);
    expect(found[0]?.remedies[0]?.queues).toHaveLength(100);
  });

  test('ten are still reported one by one', () => {
    expect(find(idle(10))).toHaveLength(10);
  });
});
