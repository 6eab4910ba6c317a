import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WorkerState } from '../../server/model/worker.js';
import { judgeFleet, WORKER_HOLD_MS } from '../../server/watch/judge-fleet.js';
import { judgeWorker } from '../../server/watch/judge-worker.js';
import { aWorker, type WorkerOver } from '../support/fleet.js';
import { aJobType } from '../support/job-types.js';
import {
  aFullNode,
  aQueue,
  aSnapshot,
  NOW_MS,
  type QueueOver,
  type SnapshotOver,
} from '../support/snapshot.js';

const rates = (arrivals: number, departures: number, isGrowing: boolean) => ({
  arrivalsPerSecond: arrivals,
  departuresPerSecond: departures,
  growthPerSecond: arrivals - departures,
  isGrowing,
  windowMs: 30_000,
});
const waiting: QueueOver = { counts: { waiting: 500 }, backlogSinceMs: NOW_MS - 60_000 };

function judge(worker: WorkerOver, queue: QueueOver = {}, snapshot: SnapshotOver = {}) {
  const made = aQueue(queue);
  return judgeWorker(aWorker(worker), {
    queue: made,
    snapshot: aSnapshot({ ...snapshot, queues: [made] }),
    nowMs: NOW_MS,
  });
}
const verdict = (...args: Parameters<typeof judge>) => judge(...args).verdict;
const type = (count: number, p99Ms: number) => [
  {
    name: 'send',
    completed: count,
    failed: 0,
    run: { count, p50Ms: p99Ms / 3, p99Ms, longestMs: p99Ms },
    recent: null,
  },
];
const running = (forMs: number) => [{ jobId: '7', type: 'send', startedAtMs: NOW_MS - forMs }];

describe('a worker is', () => {
  it('healthy when it works, and when there is nothing to do', () => {
    expect(verdict({})).toBe('healthy');
    expect(verdict({ agent: { running: 0, finishedPerSecond: 0 } })).toBe('healthy');
  });

  it('crashed when it neither beats nor is connected, as was seen, and its stalling jobs and their time are reported', () => {
    const gone: WorkerOver = {
      isConnected: false,
      agent: { lastBeatAtMs: NOW_MS - 3_000, running: 2 },
      locks: { readAtMs: NOW_MS, jobs: 2, held: 2, orphaned: 0, lastExpiryAtMs: NOW_MS + 27_000 },
    };
    expect(judge(gone)).toMatchObject({
      verdict: 'crashed',
      sentence: expect.stringMatching(
        /^No heartbeat since 3 s ago, no farewell, and its connections to Redis are closed.* 2 jobs that it had in hand stall within 27 s/,
      ),
    });
    expect(verdict({ ...gone, agent: { lastBeatAtMs: NOW_MS - 2_400 } })).not.toBe('crashed');
  });

  it('stuck when its process says nothing though it is connected: its event loop is blocked', () => {
    expect(judge({ agent: { lastBeatAtMs: NOW_MS - 3_000 } })).toMatchObject({
      verdict: 'stuck',
      sentence: expect.stringMatching(/event loop is blocked/),
    });
    expect(verdict({ isConnected: null, agent: { lastBeatAtMs: NOW_MS - 3_000 } })).toBe('stuck');
  });

  it('unknown, and never crashed, while the console itself is deaf or Redis can’t be read', () => {
    const silent: WorkerOver = { isConnected: false, agent: { lastBeatAtMs: NOW_MS - 60_000 } };
    const deaf = { ...aSnapshot().hearing, status: 'deaf' as const };
    expect(verdict(silent, {}, { hearing: deaf })).toBe('unknown');
    expect(verdict(silent, {}, { link: { status: 'stale' } })).toBe('unknown');
  });

  it('unknown, and not stuck, where more is said on the channels of agents than is read', () => {
    const overflow = { messages: 3, workers: 0, types: 0, sinceMs: NOW_MS };
    const hearing = { ...aSnapshot().hearing, overflow };
    const silent: WorkerOver = { agent: { lastBeatAtMs: NOW_MS - 3_000 } };
    expect(verdict(silent, {}, { hearing })).toBe('unknown');
    expect(verdict({ ...silent, isConnected: false }, {}, { hearing })).toBe('crashed');
    expect(verdict(silent, {}, { hearing: { ...hearing, overflow: { ...overflow, messages: 0 } } })).toBe(
      'stuck',
    );
    expect(verdict({}, {}, { hearing })).toBe('healthy');
  });

  it('stuck when its jobs run far longer than is usual for them and none finishes', () => {
    const hung = {
      running: 1,
      types: type(100, 2_000),
      lastFinishedAtMs: NOW_MS - 9_000,
      finishedPerSecond: 0,
    };
    expect(verdict({ agent: { ...hung, oldest: running(9_000) } })).toBe('stuck');
    expect(verdict({ agent: { ...hung, oldest: running(5_900), lastFinishedAtMs: NOW_MS - 5_900 } })).toBe(
      'healthy',
    );
  });

  it('not stuck while a few runs wait for a timer as long as others did lately, though most are quick', () => {
    const [quick] = type(5_000, 200);
    const types = quick?.run ? [{ ...quick, run: { ...quick.run, longestMs: 10_000 } }] : [];
    const agent = { running: 5, finishedPerSecond: 0, lastFinishedAtMs: NOW_MS - 30_000, types };
    expect(verdict({ agent: { ...agent, oldest: running(9_900) } })).not.toBe('stuck');
    expect(verdict({ agent: { ...agent, oldest: running(16_000) } })).toBe('stuck');
  });

  it('not stuck while a few runs wait as long as others of their type did lately in a process that has ended', () => {
    const agent = {
      running: 5,
      finishedPerSecond: 0,
      lastFinishedAtMs: NOW_MS - 30_000,
      types: type(5_000, 200),
    };
    const histogram = [
      { upToMs: 250, count: 5_000 },
      { upToMs: 10_000, count: 4 },
      { upToMs: 20_000, count: 0 },
    ];
    const run = { count: 5_004, meanMs: 200, p50Ms: 200, p95Ms: 200, p99Ms: 200, histogram };
    const queue = { types: [aJobType({ name: 'send', run })] };
    expect(verdict({ agent: { ...agent, oldest: running(9_900) } }, queue)).not.toBe('stuck');
    expect(verdict({ agent: { ...agent, oldest: running(16_000) } }, queue)).toBe('stuck');
  });

  it('not stuck by jobs that rightly take long, nor while too few have run to know', () => {
    const agent = { running: 1, lastFinishedAtMs: NOW_MS - 50_000, oldest: running(50_000) };
    expect(verdict({ agent: { ...agent, types: type(100, 30_000) } })).toBe('healthy');
    expect(verdict({ agent: { ...agent, types: type(5, 100) } })).toBe('healthy');
    expect(
      verdict({ agent: { ...agent, types: [], oldest: running(61_000), lastFinishedAtMs: NOW_MS - 61_000 } }),
    ).toBe('stuck');
  });

  it('healthy with a note when some slots hang while others finish', () => {
    const agent = {
      running: 3,
      types: type(100, 1_000),
      oldest: running(60_000),
      lastFinishedAtMs: NOW_MS - 100,
    };
    expect(judge({ agent })).toMatchObject({
      verdict: 'healthy',
      sentence: expect.stringMatching(/1 of its 3 running jobs takes far longer than usual/),
    });
  });

  it('silent when it is free and connected and starts nothing while jobs wait', () => {
    const idle = { running: 0, lastStartedAtMs: NOW_MS - 30_000, lastFinishedAtMs: NOW_MS - 30_000 };
    expect(verdict({ agent: idle }, waiting)).toBe('silent');
    expect(verdict({ agent: idle }, { ...waiting, backlogSinceMs: NOW_MS - 3_900 })).toBe('healthy');
    expect(verdict({ agent: idle }, { ...waiting, oldestWaitingAtMs: NOW_MS - 3_900 })).toBe('healthy');
    expect(verdict({ agent: { ...idle, lastStartedAtMs: NOW_MS - 3_900 } }, waiting)).toBe('healthy');
    expect(verdict({ agent: { ...idle, attachedAtMs: NOW_MS - 4_000 } }, waiting)).toBe('healthy');
    // Read ten seconds ago: nobody knows whether jobs have waited since.
    expect(verdict({ agent: idle }, { ...waiting, readAtMs: NOW_MS - 10_000 })).toBe('healthy');
  });

  it('not silent where a pause, a rate limit, a full Redis or a pause explains that it starts nothing', () => {
    const idle = { running: 0, lastStartedAtMs: NOW_MS - 30_000, lastFinishedAtMs: NOW_MS - 30_000 };
    expect(verdict({ agent: idle }, { ...waiting, flow: 'paused-by-spillway', concurrency: 0 })).toBe(
      'capped',
    );
    expect(verdict({ agent: idle }, { ...waiting, flow: 'paused' })).toBe('healthy');
    expect(verdict({ agent: idle }, { ...waiting, rateLimit: { max: 1, durationMs: 60_000 } })).toBe(
      'healthy',
    );
    expect(verdict({ agent: { ...idle, isRateLimited: true } }, waiting)).toBe('rate-limited');
    expect(verdict({ agent: idle }, waiting, { nodes: [aFullNode()] })).toBe('healthy');
    expect(verdict({ agent: { ...idle, paused: 'order' } }, waiting)).toBe('paused');
    expect(verdict({ agent: { ...idle, paused: 'application' } }, waiting)).toBe('paused');
  });

  it('blocked when a full Redis refuses it', () => {
    const oom = { oom: 50, connection: 0, lock: 0, other: 0 };
    expect(
      verdict({ agent: { guard: { sinceMs: NOW_MS - 1_000, times: 1 }, paused: 'guard' } }, waiting),
    ).toBe('blocked');
    expect(verdict({ agent: { errorsPerSecond: oom } }, waiting, { nodes: [aFullNode()] })).toBe('blocked');
    expect(verdict({ agent: { errorsPerSecond: oom } }, waiting)).not.toBe('blocked');
  });

  it('draining while it finishes what it has in hand, and paused after', () => {
    expect(verdict({ agent: { isClosing: true, running: 2 } })).toBe('draining');
    expect(verdict({ agent: { paused: 'order', running: 2 } })).toBe('draining');
    expect(verdict({ agent: { paused: 'order', running: 0 } })).toBe('paused');
  });

  it('capped when the queue’s global concurrency is used up while it has free slots', () => {
    expect(
      verdict({ agent: { running: 3 } }, { ...waiting, counts: { waiting: 500, active: 6 }, concurrency: 6 }),
    ).toBe('capped');
    expect(
      verdict({ agent: { running: 3 } }, { ...waiting, counts: { waiting: 500, active: 5 }, concurrency: 6 }),
    ).toBe('healthy');
  });

  it('overloaded when all its slots are busy and finishing and the queue grows or drains too slowly', () => {
    const busy = { running: 10, finishedPerSecond: 5 };
    expect(verdict({ agent: busy }, { ...waiting, rates: rates(20, 5, true) })).toBe('overloaded');
    expect(verdict({ agent: busy }, { ...waiting, rates: rates(0, 5, false), drainSeconds: 100 })).toBe(
      'overloaded',
    );
    expect(verdict({ agent: busy }, { ...waiting, rates: rates(0, 50, false), drainSeconds: 10 })).toBe(
      'healthy',
    );
    expect(verdict({ agent: { ...busy, running: 9 } }, { ...waiting, rates: rates(20, 5, true) })).toBe(
      'healthy',
    );
    expect(
      verdict({ agent: busy }, { ...waiting, backlogSinceMs: NOW_MS - 1_000, rates: rates(20, 5, true) }),
    ).toBe('healthy');
  });

  it('judged without the agent only as far as Redis shows it, and says what can’t be seen', () => {
    const plain: WorkerOver = { agent: null, idleSeconds: 3 };
    expect(judge(plain)).toMatchObject({
      verdict: 'unknown',
      sentence: expect.stringMatching(/No agent is attached/),
    });
    expect(verdict(plain, waiting)).toBe('silent');
    expect(verdict(plain, { ...waiting, counts: { waiting: 500, active: 1 } })).toBe('unknown');
    expect(verdict(plain, { ...waiting, backlogSinceMs: NOW_MS - 14_000 })).toBe('unknown');
  });
});

/** A small, repeatable source of noise. */
function noise(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}

describe('ten minutes of healthy, noisy load', () => {
  it('bring no false verdict: every second of every worker is healthy', () => {
    const random = noise(42);
    const wrong: string[] = [];
    let backlogSinceMs: number | null = null;
    const lastStart = Array.from({ length: 20 }, () => NOW_MS);
    for (let second = 0; second < 600; second += 1) {
      const nowMs = NOW_MS + second * 1000;
      // Bursts every minute that are drained within seconds, and lulls.
      const isBurst = second % 60 < 6;
      const backlog = isBurst
        ? Math.round(random() * 400)
        : random() < 0.3
          ? 1 + Math.round(random() * 3)
          : 0;
      backlogSinceMs = backlog > 0 ? (backlogSinceMs ?? nowMs) : null;
      const isLull = second % 60 > 50;
      const workers = lastStart.map((last, i) => {
        const isBusy = isBurst || (!isLull && random() < 0.7);
        const slots = isBusy ? (isBurst ? 10 : Math.ceil(random() * 9)) : 0;
        if (slots > 0) lastStart[i] = nowMs - Math.round(random() * 900);
        return aWorker({
          id: `worker-${i}`,
          lastSeenAtMs: nowMs - Math.round(random() * 1_200),
          agent: {
            lastBeatAtMs: nowMs - Math.round(random() * 1_200),
            running: slots,
            finishedPerSecond: slots * 2,
            lastStartedAtMs: lastStart[i] ?? last,
            lastFinishedAtMs: (lastStart[i] ?? last) - 100,
            types: type(1_000, 900 + random() * 200),
            oldest: slots > 0 ? [{ jobId: '1', type: 'send', startedAtMs: nowMs - random() * 2_500 }] : [],
          },
        });
      });
      const queue = aQueue({
        counts: {
          waiting: backlog,
          active: workers.reduce((sum, one) => sum + (one.agent?.running ?? 0), 0),
        },
        backlogSinceMs,
        oldestWaitingAtMs: backlog > 0 ? nowMs - random() * 2_000 : null,
        readAtMs: nowMs - Math.round(random() * 900),
        rates: rates(50, 50, false),
        drainSeconds: backlog / 100,
      });
      const snapshot = aSnapshot({ atMs: nowMs, queues: [queue], workers });
      for (const { id, verdict: said, outlier } of snapshot.workers)
        if (said !== 'healthy' || outlier) wrong.push(`${second} s: ${id} ${said} ${outlier?.kind ?? ''}`);
    }
    expect(wrong).toEqual([]);
  });
});

describe('a verdict holds against noise', () => {
  const pressed: QueueOver = { ...waiting, rates: rates(20, 5, true) };
  const busy = { running: 10, finishedPerSecond: 5 };
  const at = (ms: number, worker: WorkerState['agent'], before: readonly WorkerState[], queue = pressed) => {
    const nowMs = NOW_MS + ms;
    const seen = aWorker({ lastSeenAtMs: nowMs, agent: { ...worker, lastBeatAtMs: nowMs } });
    const made = aQueue({ ...queue, readAtMs: nowMs });
    return judgeFleet([seen], aSnapshot({ queues: [made] }), nowMs, before);
  };

  it('whatever a worker at its limit says from beat to beat: once overloaded it is so until it was not for 10 s', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 7, max: 10 }), { minLength: 20, maxLength: 120 }), (beats) => {
        let judged: readonly WorkerState[] = [];
        let lastFullMs = Number.NEGATIVE_INFINITY;
        let [sinceMs, verdict] = [0, 'healthy'];
        beats.forEach((running, second) => {
          const ms = second * 1_000;
          if (running === 10) lastFullMs = ms;
          judged = at(ms, { ...aWorker().agent, ...busy, running } as WorkerState['agent'], judged);
          const [worker] = judged;
          const isOverloaded = ms - lastFullMs <= WORKER_HOLD_MS;
          expect(worker?.verdict).toBe(isOverloaded ? 'overloaded' : 'healthy');
          if (worker?.verdict !== verdict) [sinceMs, verdict] = [NOW_MS + ms, worker?.verdict ?? ''];
          if (second > 0) expect(worker?.verdictSinceMs).toBe(sinceMs || NOW_MS);
        });
      }),
    );
  });

  it('but not against a fact, nor once nothing waits', () => {
    const full = { ...aWorker().agent, ...busy } as WorkerState['agent'];
    const overloaded = at(0, full, []);
    expect(overloaded[0]?.verdict).toBe('overloaded');
    const paused = { ...full, paused: 'order' as const } as WorkerState['agent'];
    expect(at(1_000, paused, overloaded)[0]?.verdict).toBe('draining');
    const free = { ...full, running: 2 } as WorkerState['agent'];
    expect(at(1_000, free, overloaded)[0]?.verdict).toBe('overloaded');
    expect(at(1_000, free, overloaded, {})[0]?.verdict).toBe('healthy');
    // All slots busy, it said: now none is.
    const empty = { ...full, running: 0 } as WorkerState['agent'];
    expect(at(1_000, empty, overloaded)[0]?.verdict).toBe('healthy');
  });

  it('a deaf worker is silent until it starts a job, though others empty the queue for a moment', () => {
    const idle = {
      ...aWorker().agent,
      running: 0,
      lastStartedAtMs: NOW_MS - 30_000,
      lastFinishedAtMs: NOW_MS - 30_000,
    } as WorkerState['agent'];
    const silent = at(0, idle, [], waiting);
    expect(silent[0]?.verdict).toBe('silent');
    const emptied = at(1_000, idle, silent, {});
    expect(emptied[0]).toMatchObject({ verdict: 'silent', verdictSinceMs: NOW_MS });
    const works = { ...idle, running: 1, lastStartedAtMs: NOW_MS + 2_000 } as WorkerState['agent'];
    expect(at(2_000, works, emptied, {})[0]?.verdict).toBe('healthy');
  });
});
