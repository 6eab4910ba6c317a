import { formatDuration } from '../model/format.js';
import type { FindingRule } from './finding.js';
import { forTypes } from './for-types.js';
import { isFull, type QueueVerdict, queueVerdict } from './verdict.js';
import { plainName, queueName } from './words.js';

/** What stops the whole queue explains why one of its types does not complete. */
const EXPLAINED: ReadonlySet<QueueVerdict> = new Set([
  'halted',
  'paused',
  'no-workers',
  'blocked-by-memory',
  'stuck',
]);

export const jobTypeAbsent: FindingRule = {
  code: 'jobtype.absent',
  about: 'A job type that completed regularly has stopped, while its queue goes on.',
  detect: forTypes((type, queue, snapshot, nowMs, thresholds) => {
    const { absent } = type;
    if (!absent || isFull(snapshot) || EXPLAINED.has(queueVerdict(queue, snapshot, nowMs, thresholds)))
      return null;
    // Its failures are why it does not complete.
    if (type.failing) return null;
    const silentSeconds = (nowMs - absent.lastCompletedAtMs) / 1000;
    const isWaiting = (type.waiting?.low ?? 0) > 0;
    const name = plainName(type.name);
    return {
      severity: 'warning',
      title: `${name} is missing`,
      sentence: `No ${name} job of ${queueName(queue)} has completed for ${formatDuration(silentSeconds)}, where one came every ${formatDuration(absent.usualGapMs / 1000)} (${formatDuration(absent.longestGapMs / 1000)} at the longest): ${isWaiting ? 'some wait, so look at what holds them back' : 'none waits, so whatever adds them has stopped'}.`,
      evidence: [
        { label: 'silent for', value: silentSeconds, unit: 'seconds' },
        { label: 'usually every', value: absent.usualGapMs / 1000, unit: 'seconds' },
        { label: 'longest gap before', value: absent.longestGapMs / 1000, unit: 'seconds' },
        { label: 'last completed', value: new Date(absent.lastCompletedAtMs).toISOString() },
      ],
      remedies: [],
      rank: 350,
    };
  }),
};
