import { describe, expect, it } from 'vitest';
import type { CurrentFinding } from '../../server/findings/finding.js';
import { detectFindings } from '../../server/findings/index.js';
import { DEFAULT_THRESHOLDS } from '../../server/findings/thresholds.js';
import { findLever } from '../../server/levers/index.js';
import type { WorkerState } from '../../server/watch/worker-state.js';
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
    source: 'id-counter',
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
    const lever = findLever(remedy.lever);
    expect(lever?.schema.safeParse(remedy.args), remedy.label).toMatchObject({ success: true });
    expect((remedy.workers?.length ?? 0) > 0, remedy.label).toBe(lever?.scope === 'worker');
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
      title: '2 workers crashed',
    });
    expect(finding?.sentence).toMatch(/w0@web and w1@web .*8 jobs stall.*30 slots of 3 other workers/);
    expect(finding?.remedies[0]).toMatchObject({ lever: 'workers.concurrency', args: { value: 17 } });
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
    expect(findings[0]?.remedies[0]).toMatchObject({ lever: 'worker.pause', workers: ['deaf'] });
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
    expect(finding?.remedies[0]).toMatchObject({ lever: 'worker.pause', workers: ['slow'] });
    const paused = aWorker({ id: 'slow', agent: { types: types(1_500), paused: 'order', running: 0 } });
    expect(codes(find([...peers, paused]))).toEqual([]);
  });

  it('call a queue overloaded, not growing, where its workers tell that all slots are busy', () => {
    const busy = { agent: { running: 10, finishedPerSecond: 5 } };
    const findings = find(fleet(3, busy), busyQueue);
    expect(codes(findings)).toEqual(['queue.overloaded']);
    expect(findings[0]?.sentence).toMatch(/all 30 slots of its 3 workers are busy/);
    expect(findings[0]?.remedies.map(({ args }) => args)).toEqual([
      { drainWithinSeconds: 300 },
      { factor: 2 },
    ]);
    expect(codes(find([], busyQueue))).toEqual(['queue.growing']);
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
      { code: 'worker.blocked', queue: null, title: '3 workers are blocked' },
    ]);
    expect(
      findings.flatMap(({ remedies }) => remedies).some(({ lever }) => lever.startsWith('workers.')),
    ).toBe(false);
  });

  it('claim nothing about workers while the console is deaf', () => {
    const gone = fleet(3, { isConnected: false, agent: { lastBeatAtMs: NOW_MS - 60_000 } });
    const hearing = { ...aSnapshot().hearing, status: 'deaf' as const };
    expect(codes(find(gone, {}, { hearing }))).toEqual([]);
  });
});
