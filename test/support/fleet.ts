import type { AgentFacts, SeenWorker, WorkerState } from '../../server/model/worker.js';
import { NOW_MS } from './snapshot.js';

export type WorkerOver = Partial<Omit<SeenWorker, 'agent'>> & {
  readonly agent?: Partial<AgentFacts> | null;
};

/** A healthy worker of bull:emails with the agent: 3 of 10 slots busy, finishing 5 jobs a second. `agent: null`: without it. aSnapshot judges it. */
export function aWorker(over: WorkerOver = {}): WorkerState {
  const { agent, ...rest } = over;
  return {
    id: 'worker-1',
    queueId: 'bull:emails',
    label: 'mailer@web-1',
    name: 'mailer',
    host: 'web-1',
    pid: 4711,
    isConnected: true,
    firstSeenAtMs: NOW_MS - 3_600_000,
    lastSeenAtMs: NOW_MS - 300,
    idleSeconds: 0,
    locks: null,
    verdict: 'healthy',
    verdictSinceMs: NOW_MS - 3_600_000,
    sentence: 'Nothing to do.',
    otherSinceMs: null,
    evidence: [],
    outlier: null,
    outlierSeenAtMs: null,
    replacedBy: null,
    ...rest,
    agent:
      agent === null
        ? null
        : {
            agentId: 'agent-1',
            agentVersion: '0.2.0',
            protocol: 1,
            nodeVersion: 'v20.20.2',
            bullmqVersion: '6.7.0',
            key: 'mailer@web-1',
            labels: {},
            attachedAtMs: rest.firstSeenAtMs ?? NOW_MS - 3_600_000,
            lastBeatAtMs: NOW_MS - 300,
            clockOffsetMs: 0,
            concurrency: { deployed: 10, now: 10 },
            maxConcurrency: null,
            paused: null,
            isClosing: false,
            asksForOrders: false,
            limiter: { deployed: null, now: null },
            isRateLimited: false,
            running: 3,
            oldest: [],
            lastStartedAtMs: NOW_MS - 200,
            lastFinishedAtMs: NOW_MS - 250,
            finishedPerSecond: 5,
            failedPerSecond: 0,
            types: [],
            wait: null,
            loopDelayP99Ms: 22,
            loopDelayMaxMs: 25,
            delay: { heldUpRatio: 0, cpuRatio: 0.2 },
            rssBytes: 90 * 1024 * 1024,
            errorsPerSecond: { oom: 0, connection: 0, lock: 0, other: 0 },
            guard: { sinceMs: null, times: 0 },
            overrides: [],
            ignored: { unsigned: 0, forged: 0, replayed: 0, late: 0, malformed: 0 },
            resubscribed: 0,
            finishedTrend: [],
            runningTrend: [],
            ...agent,
          },
  };
}
