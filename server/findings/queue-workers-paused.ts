import type { FindingRule } from '../model/finding.js';
import { formatCount, formatDuration, formatRate } from '../model/format.js';
import { connectedWorkers, isFull } from '../model/queue-verdict.js';
import { jobsWait, magnitude, plainName, queueName } from '../model/words.js';
import type { WorkerState } from '../model/worker.js';
import { flowEvidence, forVerdict } from './queue-evidence.js';
import { names, remedyFor } from './worker-evidence.js';

export const queueWorkersPaused: FindingRule = {
  code: 'queue.workers-paused',
  about:
    'Jobs wait, workers are connected, and every one of them is paused: nobody takes a job until one is resumed.',
  detect: forVerdict(['workers-paused'], (queue, snapshot, nowMs) => {
    const paused = connectedWorkers(queue, snapshot);
    const arrivals = queue.rates?.arrivalsPerSecond ?? 0;
    const one = paused.length === 1;
    const more = arrivals > 0 ? `, and ${formatRate(arrivals)} more arrive` : '';
    const then = isFull(snapshot)
      ? 'Redis is full, so make room before you resume'
      : `resume ${one ? 'it' : 'them'}`;
    return {
      severity: arrivals > 0 ? 'critical' : 'warning',
      title: one ? 'Its only worker is paused' : `All ${formatCount(paused.length)} workers are paused`,
      sentence: `${jobsWait(queue)} in ${queueName(queue)}${more}, and ${one ? `its only worker, ${names(paused)}, is` : `all ${formatCount(paused.length)} of its workers (${names(paused)}) are`} paused ${pausedBy(paused, nowMs)}: ${then}.`,
      evidence: [
        ...flowEvidence(queue, snapshot),
        { label: 'workers that are paused', value: paused.length, unit: 'count' },
      ],
      remedies: isFull(snapshot)
        ? []
        : remedyFor(
            'worker.resume',
            paused,
            one ? 'Resume worker' : 'Resume all workers',
            `${one ? 'It takes' : 'They take'} jobs again at once, with ${formatCount(paused.reduce((sum, { agent }) => sum + (agent?.concurrency.now ?? 0), 0))} slots.`,
          ),
      rank: (arrivals > 0 ? 690 : 440) + magnitude(queue.backlog),
    };
  }),
};

/** "by Spillway (ada, 12 min ago: slow)", "by their application". */
function pausedBy(paused: readonly WorkerState[], nowMs: number): string {
  const ordered = paused.filter(({ agent }) => agent?.paused === 'order');
  const order = ordered
    .flatMap(({ agent }) => agent?.overrides ?? [])
    .find(({ setting, isFollowed }) => setting === 'paused' && isFollowed);
  const ago = order ? formatDuration(Math.max(0, nowMs - order.atMs) / 1000) : '';
  const who = order
    ? ` (${plainName(order.by)}, ${ago} ago${order.reason === '' ? '' : `: ${plainName(order.reason)}`})`
    : '';
  if (ordered.length === 0) return paused.length === 1 ? 'by its application' : 'by their application';
  return ordered.length === paused.length ? `by Spillway${who}` : `by Spillway${who} or by their application`;
}
