import type { FindingRule } from '../model/finding.js';
import { formatCount, formatDuration, formatRatio } from '../model/format.js';
import type { JobTypeState, SlowReason } from '../model/job-type.js';
import { jobsWait, magnitude, plainName, queueName } from '../model/words.js';
import { forTypes } from './for-types.js';
import { holdsMostSlots } from './main-work.js';

export const jobTypeSlow: FindingRule = {
  code: 'jobtype.slow',
  about:
    'A job type takes longer than the threshold that was set for it, or than it used to, or sets the time that its queue needs to drain.',
  detect: forTypes((type, queue) => {
    // A client that batches is why, and is told as that.
    if (!type.slow || !type.run || type.batchWait) return null;
    const name = plainName(type.name);
    const inSeconds = (ms: number): string => formatDuration(ms / 1000);
    return {
      severity: type.slow.code === 'drain' ? 'info' : 'warning',
      title: `${name} is slow: ${inSeconds(type.run.p50Ms)} a run`,
      sentence: `${name} in ${queueName(queue)} ${reasonInWords(type.slow)}; ${queue.backlog > 0 ? `${jobsWait(queue)} in its queue` : 'nothing waits for it now'}. ${adviceFor(type)}`,
      evidence: [
        { label: 'run time, median', value: type.run.p50Ms / 1000, unit: 'seconds' },
        { label: 'run time, 95 of 100 within', value: type.run.p95Ms / 1000, unit: 'seconds' },
        { label: 'run time, 99 of 100 within', value: type.run.p99Ms / 1000, unit: 'seconds' },
        { label: 'runs seen', value: type.run.count, unit: 'count' },
        ...(type.baseline
          ? [{ label: 'usual median', value: type.baseline.p50Ms / 1000, unit: 'seconds' as const }]
          : []),
        ...(type.effectiveConcurrency === null
          ? []
          : [{ label: 'slots it keeps busy', value: type.effectiveConcurrency, unit: 'count' as const }]),
        ...(type.source === null ? [] : [{ label: 'known from', value: SOURCE[type.source] }]),
      ],
      remedies: [],
      rank: (type.slow.code === 'drain' ? 150 : 450) + magnitude(queue.backlog),
      // It has become slow, and most slots are busy with it: that is why its queue falls behind.
      ...(type.slow.code !== 'drain' && holdsMostSlots(type, queue)
        ? { accountsFor: [{ queue: queue.id }] }
        : {}),
    };
  }),
};

const SOURCE: Readonly<Record<NonNullable<JobTypeState['source']>, string>> = {
  agent: 'the agents of its workers',
  finished: 'finished jobs that are kept',
  events: "the queue's events",
  active: 'jobs that run now',
};

function reasonInWords(slow: SlowReason): string {
  if (slow.code === 'threshold')
    return `takes ${formatDuration(slow.p95Ms / 1000)} in 5 of 100 runs or longer, over the ${formatDuration(slow.thresholdMs / 1000)} that were set for it`;
  if (slow.code === 'baseline')
    return `takes ${formatDuration(slow.nowP50Ms / 1000)} a run where ${formatDuration(slow.baselineP50Ms / 1000)} are usual (${formatCount(Math.round((slow.nowP50Ms / Math.max(1, slow.baselineP50Ms)) * 10) / 10)} times)`;
  return `is ${formatRatio(slow.shareOfWork)} of the work that waits, so it sets how long the queue takes to drain`;
}

function adviceFor(type: JobTypeState): string {
  if (type.slow?.code === 'baseline')
    return 'Look at what it calls and at the last deploy; more slots help only if what it calls can bear them.';
  return 'More slots shorten the wait if what it calls can bear them; a queue of its own keeps it from holding up the others.';
}
