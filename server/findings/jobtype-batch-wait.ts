import type { FindingRule } from '../model/finding.js';
import { formatDuration } from '../model/format.js';
import { isFull } from '../model/queue-verdict.js';
import { jobsWait, magnitude, plainName, queueName } from '../model/words.js';
import { batchAdvice } from './batch-advice.js';
import { forTypes } from './for-types.js';
import { holdsMostSlots } from './main-work.js';
import { flowEvidence } from './queue-evidence.js';

/** A backlog that is gone sooner than this hurts nobody, whatever a run takes. */
const LONG_DRAIN_SECONDS = 300;

export const jobTypeBatchWait: FindingRule = {
  code: 'jobtype.batch-wait',
  about:
    'Runs of a job type wait for a client that gathers requests and sends them when a batch is full or a timer ends; with too few in flight every batch waits for the timer.',
  detect: forTypes((type, queue, snapshot, _nowMs, thresholds) => {
    const advice = batchAdvice(queue, type, snapshot);
    const wait = type.batchWait;
    if (!advice || !wait) return null;
    const isBacklog = queue.backlog >= thresholds.backlogMinJobs;
    const isLong = queue.drainSeconds === null ? false : queue.drainSeconds > LONG_DRAIN_SECONDS;
    const isWorse = isBacklog && (isLong || queue.rates?.isGrowing === true);
    const name = plainName(type.name);
    const held = isBacklog ? ` ${jobsWait(queue)} behind it.` : '';
    return {
      severity: isWorse ? 'critical' : isBacklog ? 'warning' : 'info',
      title: `${name} waits ${formatDuration(wait.wallMs / 1000)} for its client to send`,
      sentence: `${name} in ${queueName(queue)}: ${advice.why}.${held} What to do: ${isFull(snapshot) ? 'make room in Redis first, then ' : ''}${advice.todo}${advice.remedy === null ? ' (attach the agent to do it from here)' : ''}, or let the client send sooner.`,
      evidence: [
        { label: 'a run waits', value: wait.wallMs / 1000, unit: 'seconds' },
        ...(wait.batchSize !== null
          ? [{ label: 'batch size', value: wait.batchSize, unit: 'count' as const }]
          : wait.batchSizeAtLeast > 2
            ? [{ label: 'batch holds more than', value: wait.batchSizeAtLeast - 1, unit: 'count' as const }]
            : []),
        { label: 'concurrency to set', value: advice.slotsPerWorker, unit: 'count' },
        { label: 'runs that end together', value: wait.evidence.syncRatio, unit: 'ratio' },
        { label: 'by chance it would be', value: wait.evidence.chanceRatio, unit: 'ratio' },
        { label: 'runs that take just that long', value: wait.evidence.shareAtWall, unit: 'ratio' },
        { label: 'bursts seen', value: wait.evidence.bursts, unit: 'count' },
        { label: 'runs looked at', value: wait.evidence.runs, unit: 'count' },
        { label: 'confidence', value: wait.confidence, unit: 'ratio' },
        ...flowEvidence(queue, snapshot),
      ],
      // While Redis is full more slots only make more errors (facts.md): room comes first, and redis.full offers it.
      remedies: advice.remedy && !isFull(snapshot) ? [advice.remedy] : [],
      rank: 545 + magnitude(queue.backlog) / 10,
      ...(holdsMostSlots(type, queue) ? { accountsFor: [{ queue: queue.id }] } : {}),
    };
  }),
};
