import { describe, expect, it } from 'vitest';
import { findAction } from '../../server/actions/index.js';
import type { CurrentFinding } from '../../server/model/finding.js';
import { DEFAULT_THRESHOLDS } from '../../server/model/finding.js';
import { noDelay, type SelfDelay } from '../../server/model/self-delay.js';
import type { WorkerState } from '../../server/model/worker.js';
import { verdictsInWords } from '../../views/worker-words.js';
import { detectFindings, wordsOf } from '../support/few-words.js';
import { aWorker, type WorkerOver } from '../support/fleet.js';
import {
  aFullNode,
  aQueue,
  aSnapshot,
  NOW_MS,
  type QueueOver,
  type SnapshotOver,
} from '../support/snapshot.js';

const busyQueue: QueueOver = {
  counts: { waiting: 5_000, active: 30 },
  lastDepartureAtMs: NOW_MS,
  rates: {
    arrivalsPerSecond: 40,
    departuresPerSecond: 15,
    growthPerSecond: 25,
    isGrowing: true,
    windowMs: 30_000,
  },
};
const fleet = (count: number, over: WorkerOver): WorkerState[] =>
  Array.from({ length: count }, (_, i) => aWorker({ ...over, id: `w${i}`, label: `w${i}@web` }));

function find(
  workers: readonly WorkerState[],
  queue: QueueOver = {},
  snapshot: SnapshotOver = {},
): readonly CurrentFinding[] {
  const made = aSnapshot({ queues: [aQueue(queue)], workers, ...snapshot });
  const findings = detectFindings(made, NOW_MS, DEFAULT_THRESHOLDS);
  for (const remedy of findings.flatMap((finding) => finding.remedies)) {
    const action = findAction(remedy.action);
    expect(action?.schema.safeParse(remedy.args), remedy.label).toMatchObject({ success: true });
    expect((remedy.workers?.length ?? 0) > 0, remedy.label).toBe(action?.scope === 'worker');
  }
  return findings;
}
const codes = (findings: readonly CurrentFinding[]) => findings.map(({ code }) => code);

describe('findings about workers', () => {
  it('say nothing while all are healthy', () => {
    expect(codes(find(fleet(5, {})))).toEqual([]);
  });

  it('name crashed workers once a queue, what stalls, and who is left to do their work', () => {
    const gone = fleet(2, { isConnected: false, agent: { lastBeatAtMs: NOW_MS - 10_000, running: 4 } });
    const live = fleet(3, {}).map((one) => ({ ...one, id: `${one.id}-live` }));
    const [finding] = find([...gone, ...live], { counts: { waiting: 50 }, lastDepartureAtMs: NOW_MS });
    expect(finding).toMatchObject({
      code: 'worker.crashed',
      severity: 'critical',
      headline: 'emails: 2 of 5 workers gone',
      cause: 'w0@web and w1@web went without a shutdown signal at 03:04 UTC: crashed or cut off.',
      effect: '8 jobs stall; 30 slots of 3 others are left.',
    });
    expect(finding?.remedies[0]).toMatchObject({ action: 'workers.concurrency', args: { value: 17 } });
  });

  it('name the silent one and the way to renew its connection', () => {
    const deaf = aWorker({
      id: 'deaf',
      agent: { running: 0, lastStartedAtMs: null, lastFinishedAtMs: null },
    });
    const findings = find([deaf, ...fleet(2, {})], {
      counts: { waiting: 50, active: 6 },
      lastDepartureAtMs: NOW_MS,
    });
    expect(findings[0]).toMatchObject({ code: 'worker.silent', severity: 'critical', worker: 'deaf' });
    expect(findings[0]?.remedies[0]).toMatchObject({ action: 'worker.reconnect', workers: ['deaf'] });
  });

  it('name the outlier and offer to take it out of the pool; paused, it is nobody’s trouble any more', () => {
    const types = (p50Ms: number) => [
      {
        name: 'send',
        completed: 100,
        failed: 0,
        run: { count: 100, p50Ms, p99Ms: p50Ms * 2, longestMs: p50Ms * 2 },
        recent: null,
      },
    ];
    const peers = fleet(3, { agent: { types: types(100) } });
    const slow = aWorker({ id: 'slow', label: 'slow@web', agent: { types: types(1_500) } });
    const [finding] = find([...peers, slow]);
    expect(finding).toMatchObject({ code: 'worker.outlier', worker: 'slow' });
    expect(finding?.remedies[0]).toMatchObject({ action: 'worker.pause', workers: ['slow'] });
    const paused = aWorker({ id: 'slow', agent: { types: types(1_500), paused: 'order', running: 0 } });
    expect(codes(find([...peers, paused]))).toEqual([]);
  });

  it('say that all workers are paused, and offer to resume them; never that none is connected', () => {
    const order = {
      orderId: 'o',
      scope: 'w0@web',
      setting: 'paused' as const,
      value: true,
      by: 'ada',
      atMs: NOW_MS - 720_000,
      reason: 'slow',
      untilMs: null,
      refusal: null,
      isFollowed: true,
    };
    const paused = fleet(2, { agent: { paused: 'order', running: 0, overrides: [order] } });
    // A connection that is being made anew is not in CLIENT LIST, and the worker is there all the same.
    for (const workers of [0, 2]) {
      const [finding, ...others] = find(paused, { counts: { waiting: 50 }, workers });
      expect(others).toEqual([]);
      expect(finding).toMatchObject({
        code: 'queue.workers-paused',
        headline: 'emails: all 2 workers are paused',
        cause: 'Paused by ada from here 12 min ago: "slow".',
        detail: 'Paused: w0@web and w1@web.',
      });
      expect(finding?.remedies).toMatchObject([{ action: 'worker.resume', workers: ['w0', 'w1'] }]);
    }
    const working = aWorker({ id: 'works' });
    const moving = { counts: { waiting: 50, active: 3 }, lastDepartureAtMs: NOW_MS };
    expect(codes(find([...paused, working], moving))).toEqual([]);
    const own = fleet(1, { agent: { paused: 'application', running: 0 } });
    expect(find(own, { counts: { waiting: 50 } })[0]).toMatchObject({
      headline: 'emails: its only worker is paused',
      cause: 'Its application paused it.',
    });
    const idle = { running: 0, lastStartedAtMs: NOW_MS - 100, lastFinishedAtMs: NOW_MS - 100 };
    const seen = fleet(1, { agent: idle });
    expect(codes(find(seen, { counts: { waiting: 50 }, workers: 0, lastDepartureAtMs: NOW_MS }))).toEqual([]);
  });

  it('call a queue overloaded, not growing, where its workers tell that all slots are busy', () => {
    const busy = { agent: { running: 10, finishedPerSecond: 5 } };
    const findings = find(fleet(3, busy), busyQueue);
    expect(codes(findings)).toEqual(['queue.overloaded']);
    expect(wordsOf(findings[0])).toMatch(/All 30 slots of 3 workers are busy/);
    expect(findings[0]?.remedies.map(({ args }) => args)).toEqual([
      { drainWithinSeconds: 300 },
      { factor: 2 },
    ]);
    expect(codes(find([], busyQueue))).toEqual(['queue.growing']);
    // Half of them have slots to spare, or it is held against noise: what is said is what is so.
    const half = [...fleet(2, busy), aWorker({ id: 'c', agent: { agentId: 'c', running: 4 } })];
    const [finding] = find(half, busyQueue);
    expect(finding?.headline).toBe('emails: 3 workers saturated');
    expect(wordsOf(finding)).toMatch(/24 of 30 slots of 3 workers are busy/);
  });

  it('offer no more slots while Redis is full, and tell blocked workers once', () => {
    const blocked = {
      agent: { running: 0, paused: 'guard' as const, guard: { sinceMs: NOW_MS - 5_000, times: 1 } },
    };
    const findings = find(fleet(3, blocked), { counts: { waiting: 500 } }, { nodes: [aFullNode()] });
    expect(codes(findings)[0]).toBe('redis.full');
    expect(codes(findings)).not.toContain('worker.blocked');
    expect(findings[0]?.explains).toEqual([
      expect.objectContaining({ code: 'queue.stuck' }),
      { code: 'worker.blocked', queue: null, headline: '3 workers blocked, as Redis is full' },
    ]);
    expect(
      findings.flatMap(({ remedies }) => remedies).some(({ action }) => action.startsWith('workers.')),
    ).toBe(false);
  });

  it('claim nothing about workers while the console is deaf', () => {
    const gone = fleet(3, { isConnected: false, agent: { lastBeatAtMs: NOW_MS - 60_000 } });
    const hearing = { ...aSnapshot().hearing, status: 'deaf' as const };
    expect(codes(find(gone, {}, { hearing }))).toEqual([]);
  });
});

describe('a host without CPU to spare', () => {
  const late = { delay: { heldUpRatio: 0.7, cpuRatio: 0.05 } };
  const stopped = { lastBeatAtMs: NOW_MS - 4_000 };
  const starvedSelf: SelfDelay = {
    ...noDelay('vm-1'),
    isStarved: true,
    sinceMs: NOW_MS - 20_000,
    heldUpRatio: 0.9,
    longestStallMs: 1_900,
    cpuRatio: 0.04,
  };
  const codes = (found: readonly CurrentFinding[]) =>
    found.map(({ code, explains = [] }) => [code, ...explains.map((line) => line.code).sort()]);

  it('is one finding, and what its workers do late follows from it', () => {
    const workers = fleet(4, { host: 'web-7', agent: late }).map((worker, i) =>
      worker.agent === null
        ? worker
        : { ...worker, agent: { ...worker.agent, agentId: `a${i}`, ...(i === 0 ? stopped : {}) } },
    );
    const found = find(workers, busyQueue);
    expect(codes(found)).toEqual([['host.starved', 'queue.growing', 'worker.stuck']]);
    expect(found[0]).toMatchObject({ node: 'web-7', headline: 'web-7 has no CPU to spare', remedies: [] });
  });

  it('is none where a process is held up by its own work, or one is late among others on time', () => {
    const own = fleet(2, { host: 'web-7', agent: { delay: { heldUpRatio: 0.7, cpuRatio: 0.97 } } });
    expect(codes(find(own)).flat()).not.toContain('host.starved');
    const workers = fleet(3, { host: 'web-7' }).map((worker, i) =>
      worker.agent === null
        ? worker
        : { ...worker, agent: { ...worker.agent, agentId: `a${i}`, ...(i === 0 ? late : {}) } },
    );
    expect(codes(find(workers)).flat()).not.toContain('host.starved');
  });

  it('of the console: nobody is called stuck, crashed or silent by who could not look, and old numbers follow from it', () => {
    const workers = fleet(3, { isConnected: false, agent: stopped });
    const link = {
      status: 'stale' as const,
      problem: 'Redis does not answer in time',
      sinceMs: NOW_MS - 4_000,
      lastReadAtMs: NOW_MS - 9_000,
    };
    const seen = codes(find(workers, busyQueue, { self: starvedSelf, link }));
    expect(seen[0]).toEqual(['console.starved', 'console.stale']);
    expect(seen.flat().join(' ')).not.toMatch(/worker\./);
  });

  it('of the console says whether the CPU is taken by others or by itself', () => {
    const of = (cpuRatio: number) =>
      find([], {}, { self: { ...starvedSelf, cpuRatio } }).find(({ code }) => code === 'console.starved');
    expect(of(0.04)?.headline).toBe("The console's host has no CPU to spare");
    expect(of(0.98)?.headline).toBe("The console can't keep up");
  });

  it('a beat that may not have been read yet is no silence', () => {
    const stalls = [{ fromMs: NOW_MS - 3_900, toMs: NOW_MS - 100 }];
    const workers = fleet(1, { agent: stopped });
    expect(codes(find(workers, {}, { self: { ...noDelay('vm-1'), stalls } })).flat()).not.toContain(
      'worker.stuck',
    );
    expect(codes(find(workers, {}, { self: noDelay('vm-1') })).flat()).toContain('worker.stuck');
  });
});

it('an outlier is called so in the finding and above the table, and counted once', () => {
  const runs = (p50Ms: number) => [
    {
      name: 'send',
      completed: 200,
      failed: 0,
      run: { count: 200, p50Ms, p99Ms: 4 * p50Ms, longestMs: 4 * p50Ms },
      recent: null,
    },
  ];
  const workers = fleet(4, { agent: { types: runs(100) } }).map((worker, i) =>
    i > 0 || worker.agent === null ? worker : { ...worker, agent: { ...worker.agent, types: runs(2_000) } },
  );
  const snapshot = aSnapshot({ queues: [aQueue()], workers });
  const [found] = detectFindings(snapshot, NOW_MS, DEFAULT_THRESHOLDS);
  expect(found?.headline).toBe('w0@web of emails: an outlier');
  expect(verdictsInWords(snapshot.workers)).toBe('1 outlier, 3 healthy');
});
