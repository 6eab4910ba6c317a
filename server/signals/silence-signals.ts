import type { QueueState } from '../model/snapshot.js';
import type { JobTypeSignal, QueueSignal } from './signal.js';

/** How long nothing has come that should: 0 while nothing waits, or the queue is stopped on purpose. */
export const QUEUE_SILENCE_SIGNALS: readonly QueueSignal[] = [
  {
    scope: 'queue',
    name: 'queue_silent_seconds',
    help: 'Time for which jobs wait and none has left; 0 while none waits or the queue is paused, by Spillway or its application.',
    unit: 'seconds',
    kind: 'gauge',
    fold: 'max',
    read: (queue, _snapshot, nowMs) => silentSeconds(queue, queue.lastDepartureAtMs, nowMs),
  },
  {
    scope: 'queue',
    name: 'queue_heartbeat_age_seconds',
    help: 'Time since any worker of the queue with the agent was heard; absent when none ever was.',
    unit: 'seconds',
    kind: 'gauge',
    fold: 'max',
    read: ({ id }, { workers }, nowMs) => {
      const beats = workers.flatMap(({ queueId, agent }) =>
        queueId === id && agent !== null ? [agent.lastBeatAtMs] : [],
      );
      return beats.length === 0 ? null : Math.max(0, nowMs - Math.max(...beats)) / 1000;
    },
  },
];

export const JOB_TYPE_SILENCE_SIGNALS: readonly JobTypeSignal[] = [
  {
    scope: 'job-type',
    name: 'job_type_silent_seconds',
    help: 'Time for which jobs of this type wait and none has completed; 0 while none waits or the queue is paused, by Spillway or its application.',
    unit: 'seconds',
    kind: 'gauge',
    read: ({ waiting, lastCompletedAtMs }, queue, { atMs }) =>
      waiting === null ? null : waiting.low > 0 ? silentSeconds(queue, lastCompletedAtMs, atMs) : 0,
  },
];

/** Never longer than jobs have been seen to wait: what was idle for an hour is not late with its next job. */
function silentSeconds(
  { flow, backlogSinceMs, firstSeenAtMs }: QueueState,
  lastMs: number | null,
  nowMs: number,
): number {
  if (flow !== 'running' || backlogSinceMs === null) return 0;
  return Math.max(0, nowMs - Math.max(lastMs ?? 0, backlogSinceMs, firstSeenAtMs)) / 1000;
}
