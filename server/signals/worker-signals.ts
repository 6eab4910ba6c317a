import { workersOf } from '../model/queue-verdict.js';
import type { QueueState, Snapshot } from '../model/snapshot.js';
import type { AgentFacts, WorkerVerdict } from '../model/worker.js';
import { instanceSignals, jobTypeSignals, queueSignals } from './signal.js';

/** How long nothing has come that should: 0 while nothing waits, or the queue is stopped on purpose. */
export const QUEUE_SILENCE_SIGNALS = queueSignals([
  {
    name: 'queue_silent_seconds',
    help: 'Time for which jobs wait and none has left; 0 while none waits or the queue is paused, by Spillway or its application.',
    unit: 'seconds',
    fold: 'max',
    read: (queue, _snapshot, nowMs) => silentSeconds(queue, queue.lastDepartureAtMs, nowMs),
  },
  {
    name: 'queue_heartbeat_age_seconds',
    help: 'Time since any worker of the queue with the agent was heard; absent when none ever was.',
    unit: 'seconds',
    fold: 'max',
    read: ({ id }, { workers }, nowMs) => {
      const beats = workers.flatMap(({ queueId, agent }) =>
        queueId === id && agent !== null ? [agent.lastBeatAtMs] : [],
      );
      return beats.length === 0 ? null : Math.max(0, nowMs - Math.max(...beats)) / 1000;
    },
  },
]);

export const JOB_TYPE_SILENCE_SIGNALS = jobTypeSignals([
  {
    name: 'job_type_silent_seconds',
    help: 'Time for which jobs of this type wait and none has completed; 0 while none waits or the queue is paused, by Spillway or its application.',
    unit: 'seconds',
    read: ({ waiting, lastCompletedAtMs }, queue, { atMs }) =>
      waiting === null ? null : waiting.low > 0 ? silentSeconds(queue, lastCompletedAtMs, atMs) : 0,
  },
]);

/** Never longer than jobs have been seen to wait: what was idle for an hour is not late with its next job. */
function silentSeconds(
  { flow, backlogSinceMs, firstSeenAtMs }: QueueState,
  lastMs: number | null,
  nowMs: number,
): number {
  if (flow !== 'running' || backlogSinceMs === null) return 0;
  return Math.max(0, nowMs - Math.max(lastMs ?? 0, backlogSinceMs, firstSeenAtMs)) / 1000;
}

/** Verdicts for which somebody should get up. */
const TROUBLED: ReadonlySet<WorkerVerdict> = new Set(['crashed', 'stuck', 'silent', 'blocked']);

/** How the console hears the agents of an instance, and what their workers come down to. */
export const FLEET_SIGNALS = instanceSignals([
  {
    name: 'console_hears_agents',
    help: 'Whether what the console says to itself by Redis comes back: 1, or 0 when it is deaf.',
    unit: 'bool',
    read: ({ hearing }) => (hearing.status === 'hearing' ? 1 : 0),
  },
  {
    name: 'agents',
    help: 'Processes with the agent that were heard.',
    unit: 'count',
    read: ({ hearing }) => hearing.agents,
  },
  {
    name: 'workers_troubled',
    help: 'Workers that are crashed, stuck, silent or blocked.',
    unit: 'count',
    read: ({ workers }) => workers.filter(({ verdict }) => TROUBLED.has(verdict)).length,
  },
  {
    name: 'workers_outlying',
    help: 'Workers that are much slower or fail much more than their peers on the same job types.',
    unit: 'count',
    read: ({ workers }) => workers.filter(({ outlier }) => outlier !== null).length,
  },
]);

/** What the workers of a queue can do and do; absent where none has the agent. */
export const QUEUE_WORKER_SIGNALS = queueSignals([
  {
    name: 'queue_worker_slots',
    help: 'Jobs that workers with the agent may run at once, as it is now.',
    unit: 'count',
    fold: 'sum',
    read: (queue, snapshot) => sum(queue, snapshot, (agent) => agent.concurrency.now),
  },
  {
    name: 'queue_worker_slots_deployed',
    help: 'The same as it was deployed.',
    unit: 'count',
    fold: 'sum',
    read: (queue, snapshot) => sum(queue, snapshot, (agent) => agent.concurrency.deployed),
  },
  {
    name: 'queue_worker_slots_busy',
    help: 'Jobs that workers with the agent run.',
    unit: 'count',
    fold: 'sum',
    read: (queue, snapshot) => sum(queue, snapshot, (agent) => agent.running),
  },
  {
    name: 'queue_workers_troubled',
    help: 'Workers of this queue that are crashed, stuck, silent or blocked.',
    unit: 'count',
    fold: 'sum',
    read: (queue, snapshot) => {
      const workers = workersOf(snapshot, queue.id);
      return workers.length === 0 ? null : workers.filter(({ verdict }) => TROUBLED.has(verdict)).length;
    },
  },
]);

function sum(queue: QueueState, snapshot: Snapshot, read: (agent: AgentFacts) => number): number | null {
  const agents = workersOf(snapshot, queue.id).flatMap(({ agent, verdict }) =>
    verdict === 'crashed' ? [] : (agent ?? []),
  );
  return agents.length === 0 ? null : agents.reduce((total, agent) => total + read(agent), 0);
}
