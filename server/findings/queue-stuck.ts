import type { FindingRule } from '../model/finding.js';
import { formatDuration, formatJobs } from '../model/format.js';
import { connectedWorkers, secondsWithoutDeparture } from '../model/queue-verdict.js';
import type { QueueState, Snapshot } from '../model/snapshot.js';
import { jobsWait, magnitude, queueName, workersOf } from '../model/words.js';
import { flowEvidence, forVerdict } from './queue-evidence.js';

export const queueStuck: FindingRule = {
  code: 'queue.stuck',
  about:
    'Jobs wait and none has left for a while, though the queue is neither paused, capped nor rate limited.',
  detect: forVerdict(['stuck', 'blocked-by-memory'], (queue, snapshot, nowMs, thresholds) => {
    const quiet = formatDuration(secondsWithoutDeparture(queue, nowMs));
    const evidence = flowEvidence(queue, snapshot);
    const name = queueName(queue);
    if (snapshot.nodes.some((node) => node.isFull)) {
      // redis.full is the cause and has the remedies; this line only says who is hit.
      return {
        severity: 'warning',
        causedBy: 'redis.full',
        title: 'Stuck because Redis is full',
        sentence: `${jobsWait(queue)} in ${name} and none has left for ${quiet}, because Redis is full and refuses the writes by which ${workersOf(queue)} take jobs: make room in Redis first; restarting workers would not help.`,
        evidence,
        remedies: [],
        rank: 50 + magnitude(queue.backlog),
      };
    }
    const isBusy = queue.counts.active > 0;
    return {
      severity: isBusy ? 'warning' : 'critical',
      title: isBusy ? 'Nothing finishes' : 'Stuck',
      sentence: isBusy
        ? `${jobsWait(queue)} in ${name} behind ${formatJobs(queue.counts.active)} that ${queue.counts.active === 1 ? 'runs' : 'run'}, and none has finished for ${quiet}: either these jobs take that long, or what they call hangs.`
        : `${jobsWait(queue)} in ${name} and none has been taken for ${quiet}${why(countOf(queue, snapshot))}.`,
      evidence,
      remedies: [],
      rank:
        (isBusy ? 600 : 650) +
        magnitude(queue.backlog) +
        (queue.backlog >= thresholds.backlogMinJobs ? 0 : -40),
    };
  }),
};

/** As CLIENT LIST counts them, or as many as are heard: a connection that is being made anew is not listed. */
function countOf(queue: QueueState, snapshot: Snapshot): number | null {
  const heard = connectedWorkers(queue, snapshot).length;
  return queue.workers === null && heard === 0 ? null : Math.max(queue.workers ?? 0, heard);
}

function why(workers: number | null): string {
  if (workers === null) {
    return ': either no worker runs or they hang (this Redis does not let the console list clients, so it can not tell which); look at the worker processes';
  }
  return workers === 1
    ? ', though its 1 worker is connected: it hangs, or its connection is dead; reconnect or restart it, Redis has room'
    : `, though its ${workers} workers are connected: they hang, or their connections are dead; reconnect or restart them, Redis has room`;
}
