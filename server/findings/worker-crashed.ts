import type { FindingRule } from '../model/finding.js';
import { formatCount, formatJobs, formatThings } from '../model/format.js';
import { formatUtcTime } from '../model/format-time.js';
import { evidenceOf, forWorkers, names, placeName, remedyFor, slotsLeft } from './worker-evidence.js';

export const workerCrashed: FindingRule = {
  code: 'worker.crashed',
  about:
    'A worker with the agent sends no heartbeat and is not connected to Redis any more, without a farewell: its process has crashed, was killed, or lost its host or its way to Redis. Over once a successor (another of its name) works on the queue, or somebody dismisses it.',
  detect: forWorkers(
    ({ verdict, replacedBy }) => verdict === 'crashed' && replacedBy === null,
    (found, queue, snapshot) => {
      const [first] = found;
      // Who went last is the news.
      const latest = [...found].sort((a, b) => b.lastSeenAtMs - a.lastSeenAtMs);
      const queueId = first?.queueId ?? '';
      const left = slotsLeft(snapshot, queueId, found);
      const jobs = found.reduce(
        (sum, { locks, agent }) =>
          sum + (locks === null ? (agent?.running ?? 0) : locks.held + locks.orphaned),
        0,
      );
      const stalling =
        jobs === 0
          ? 'none of their jobs is still open'
          : `${formatJobs(jobs)} stall until a live worker’s check brings them back`;
      const isServed = left.workers > 0;
      const lost = found.reduce((sum, { agent }) => sum + (agent?.concurrency.now ?? 0), 0);
      return {
        severity: isServed && jobs === 0 ? 'warning' : 'critical',
        title: `${formatCount(found.length)} of ${formatThings(left.workers + found.length, 'worker')} gone since ${formatUtcTime(Math.min(...found.map(({ lastSeenAtMs }) => lastSeenAtMs)))}`,
        sentence: `${names(latest)} of ${placeName(queue, queueId)} ${found.length === 1 ? 'sends no heartbeat and is' : 'send no heartbeat and are'} not connected to Redis any more; ${stalling}, and ${isServed ? `${left.slots} slots of ${left.workers} other ${left.workers === 1 ? 'worker is' : 'workers are'} left` : 'no other worker with the agent is left'}: find out why, and start ${found.length === 1 ? 'it' : 'them'} again, or dismiss what is not to come back.`,
        evidence: evidenceOf(found),
        remedies: [
          ...(isServed && lost > 0 && (queue?.backlog ?? 0) > 0
            ? [
                {
                  action: 'workers.concurrency',
                  label: `Raise the other ${left.workers === 1 ? 'worker' : 'workers'}`,
                  effect: `Each of the ${left.workers} left runs ${Math.ceil((left.slots + lost) / left.workers)} jobs at once, which makes up for the ${lost} slots that are gone.`,
                  queues: [queueId],
                  args: { value: Math.ceil((left.slots + lost) / left.workers) },
                },
              ]
            : []),
          ...remedyFor(
            'worker.dismiss',
            found,
            'Dismiss',
            `${found.length === 1 ? 'It is' : 'They are'} not missed any more; nothing in Redis changes.`,
          ),
        ],
        rank: 720 + Math.min(49, found.length),
      };
    },
  ),
};
