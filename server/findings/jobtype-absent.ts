import type { FindingRule } from '../model/finding.js';
import { formatDuration } from '../model/format.js';
import type { Absence, JobTypeState } from '../model/job-type.js';
import { isFull } from '../model/queue-verdict.js';
import type { QueueState, QueueVerdict, Snapshot } from '../model/snapshot.js';
import { plainName, queueName } from '../model/words.js';
import { forTypes } from './for-types.js';

/** What stops the whole queue explains why one of its types does not complete. */
const EXPLAINED: ReadonlySet<QueueVerdict> = new Set([
  'paused-by-spillway',
  'paused',
  'no-workers',
  'workers-paused',
  'blocked-by-memory',
  'stuck',
]);
/** As long as any absence has to last, of what the console itself could have missed. */
const LEAST_MS = 8_000;
const TIMES_LONGEST = 3;
const TIMES_USUAL = 6;
const TIMES_INTERVAL = 3;
/** Nothing of the whole queue completes: a deploy takes its time, and is no news about one type. */
const WHOLE_QUEUE_MS = 120_000;
/** A habit of a few minutes may have been somebody's afternoon: known for longer, its end is an alarm. */
const LONG_KNOWN_MS = 10 * 60_000;
const LATEST_BEAT_MS = 5_000;

export const jobTypeAbsent: FindingRule = {
  code: 'jobtype.absent',
  about: 'A job type that completed regularly has stopped, while its queue goes on.',
  detect: forTypes((type, queue, snapshot, nowMs) => {
    const { absent } = type;
    if (!absent || isFull(snapshot) || EXPLAINED.has(queue.verdict)) return null;
    // Its failures are why it does not complete.
    if (type.failing) return null;
    if (!wouldBeSeen(type, queue, snapshot, nowMs) || !isOfTypeAlone(absent, queue, nowMs)) return null;
    const silentSeconds = (nowMs - absent.lastCompletedAtMs) / 1000;
    const isWaiting = (type.waiting?.low ?? 0) > 0;
    const isLongKnown = type.baseline !== null && nowMs - type.baseline.sinceMs >= LONG_KNOWN_MS;
    const name = plainName(type.name);
    return {
      severity: isLongKnown ? 'warning' : 'info',
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

/** Had one completed, the console would have seen it: silence of its own eyes and subscriber is nobody's absence. */
function wouldBeSeen(type: JobTypeState, queue: QueueState, snapshot: Snapshot, nowMs: number): boolean {
  const { absent, source } = type;
  if (!absent) return false;
  const patienceMs = Math.max(
    LEAST_MS,
    TIMES_LONGEST * absent.longestGapMs,
    TIMES_USUAL * absent.usualGapMs,
    TIMES_INTERVAL * snapshot.poll.intervalMs,
  );
  const isByEar = source === 'agent';
  const sinceMs = Math.max(
    absent.lastCompletedAtMs,
    snapshot.link.sinceMs,
    isByEar ? snapshot.hearing.sinceMs : 0,
  );
  if (nowMs - sinceMs <= patienceMs) return false;
  if (!isByEar) return !queue.types.some(({ isPartial }) => isPartial);
  if (snapshot.hearing.status !== 'hearing') return false;
  return snapshot.workers.some(
    ({ queueId, agent }) =>
      queueId === queue.id && agent !== null && nowMs - agent.lastBeatAtMs <= LATEST_BEAT_MS,
  );
}

/** Jobs of others have left its queue in the later half of the silence; or that lasts longer than any deploy. */
function isOfTypeAlone({ lastCompletedAtMs }: Absence, queue: QueueState, nowMs: number): boolean {
  const silentMs = nowMs - lastCompletedAtMs;
  return silentMs > WHOLE_QUEUE_MS || (queue.lastDepartureAtMs ?? 0) >= lastCompletedAtMs + silentMs / 2;
}
