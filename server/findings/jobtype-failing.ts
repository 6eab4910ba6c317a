import type { FindingRule } from '../model/finding.js';
import { formatCount, formatDuration, formatRatio } from '../model/format.js';
import type { FailureRise, JobTypeState } from '../model/job-type.js';
import type { Marker } from '../model/marker.js';
import type { QueueState, Snapshot } from '../model/snapshot.js';
import { jobsWait, magnitude, plainName, plainProblem, queueName } from '../model/words.js';
import { forTypes } from './for-types.js';

/** A deploy counts as being beside a first failure when it was at most so long before it, or a little after by another clock. */
const MARKER_BEFORE_MS = 30 * 60_000;
const MARKER_AFTER_MS = 60_000;
const CRITICAL_RATIO = 0.5;
const RETRIES_SHARE = 0.5;

export const jobTypeFailing: FindingRule = {
  code: 'jobtype.failing',
  about:
    'A job type fails much more than before, since a moment that is told with the error and the deploy beside it.',
  detect: forTypes((type, queue, snapshot, nowMs) => {
    const rise = type.failing;
    if (!rise) return null;
    const name = plainName(type.name);
    const marker = markerBeside(snapshot, queue.id, rise.firstFailureAtMs);
    const ago = Math.max(0, nowMs - rise.firstFailureAtMs) / 1000;
    const error = rise.error === null ? null : plainProblem(rise.error);
    const isWhyItGrows = doRetriesPileUp(type, queue);
    return {
      severity: rise.sinceRatio >= CRITICAL_RATIO ? 'critical' : 'warning',
      title: `${name} fails: ${formatRatio(rise.sinceRatio)} of its runs`,
      sentence: `${formatRatio(rise.sinceRatio)} of ${name} runs in ${queueName(queue)} have failed since ${clock(rise.firstFailureAtMs)} UTC (${formatDuration(ago)} ago), before it was ${formatRatio(rise.beforeRatio)}${marker ? `; ${markerInWords(marker, rise)}` : ''}. ${formatCount(rise.failedSince)} runs are to be made up for once it is mended${isWhyItGrows ? `; its retries take the slots and the queue grows: ${jobsWait(queue)}` : ''}.`,
      evidence: [
        { label: 'first failure', value: new Date(rise.firstFailureAtMs).toISOString() },
        { label: 'failed since', value: rise.failedSince, unit: 'jobs' },
        { label: 'share that fails', value: rise.sinceRatio, unit: 'ratio' },
        { label: 'share before', value: rise.beforeRatio, unit: 'ratio' },
        ...(marker
          ? [
              { label: marker.kind, value: plainProblem(marker.text) },
              { label: `${marker.kind} at`, value: new Date(marker.atMs).toISOString() },
            ]
          : []),
        ...(type.failedPerSecond === null
          ? []
          : [{ label: 'failing', value: type.failedPerSecond, unit: 'jobs/s' as const }]),
      ],
      ...(error === null
        ? {}
        : {
            fromJobData: {
              sentence: `The error: "${error}"${rise.isNewError ? ', which was not seen before' : ''}.`,
              evidence: [{ label: rise.isNewError ? 'new error' : 'error', value: error }],
            },
          }),
      remedies: [],
      rank: 600 + magnitude(rise.failedSince),
      ...(isWhyItGrows ? { accountsFor: [{ queue: queue.id }] } : {}),
    };
  }),
};

/** Each run that fails is a job that did not leave: failures that make up half of the growth are why it grows. */
function doRetriesPileUp({ failedPerSecond }: JobTypeState, { rates }: QueueState): boolean {
  if (rates?.isGrowing !== true || failedPerSecond === null || failedPerSecond <= 0) return false;
  return failedPerSecond >= rates.growthPerSecond * RETRIES_SHARE;
}

/** The nearest one before, else the nearest after; a deploy before a note. */
function markerBeside(snapshot: Snapshot, queueId: string, atMs: number): Marker | null {
  const near = snapshot.markers.filter(
    (marker) =>
      (marker.queue === null || marker.queue === queueId) &&
      atMs - marker.atMs <= MARKER_BEFORE_MS &&
      marker.atMs - atMs <= MARKER_AFTER_MS,
  );
  const weigh = (marker: Marker): number =>
    (marker.kind === 'deploy' ? 0 : MARKER_BEFORE_MS) +
    (marker.atMs <= atMs ? atMs - marker.atMs : 10 * (marker.atMs - atMs));
  return [...near].sort((a, b) => weigh(a) - weigh(b))[0] ?? null;
}

function markerInWords(marker: Marker, rise: FailureRise): string {
  const seconds = (rise.firstFailureAtMs - marker.atMs) / 1000;
  const what = marker.kind === 'deploy' ? 'the deploy' : 'the note';
  const when = seconds >= 0 ? `${formatDuration(seconds)} after` : `${formatDuration(-seconds)} before`;
  return `${when} ${what} "${plainProblem(marker.text)}"`;
}

function clock(atMs: number): string {
  return new Date(atMs).toISOString().slice(11, 19);
}
