import { formatCount, formatNumber, formatRatio, formatRunTime } from '../server/model/format.js';
import type { Estimate, JobTypeState, RunSource } from '../server/model/job-type.js';
import { type TypeTrouble, typeTroubles } from '../server/model/job-type-order.js';
import { plainProblem } from '../server/model/words.js';
import type { IconName } from './icon.js';
import type { State } from './state.js';
import type { Moment } from './time.js';
import { coarseAge, moment, UNKNOWN } from './words.js';

/** "fails 92% since" and the time. */
export interface StateLine {
  readonly text: string;
  readonly at: Moment | null;
}

interface TypeWords {
  readonly state: State;
  readonly icon: IconName;
  /** What is the matter, the worst first; then what is known about it. */
  readonly lines: readonly StateLine[];
}

/** The state of a job type in words. Errors may quote job data: `showsErrors` is false for who may not see that. */
export function typeWordsOf(type: JobTypeState, showsErrors: boolean, nowMs: number): TypeWords {
  const troubles = typeTroubles(type);
  const [worst] = troubles;
  if (worst === undefined) return quietWords(type);
  const words = troubles.map((trouble) => WORDS[trouble](type, nowMs, showsErrors));
  return {
    state: stateOf(type, worst),
    icon: ICONS[worst],
    lines: [...words.flatMap(([headline]) => headline ?? []), ...words.flatMap(([, ...details]) => details)],
  };
}

const ICONS: Readonly<Record<TypeTrouble, IconName>> = {
  failing: 'critical',
  absent: 'blind',
  'batch-wait': 'capped',
  slow: 'rate-limited',
};

function stateOf(type: JobTypeState, worst: TypeTrouble): State {
  if (worst === 'failing') return (type.failing?.sinceRatio ?? 0) >= 0.5 ? 'critical' : 'warning';
  // That a type is most of what waits may just be how the work is.
  return worst === 'slow' && type.slow?.code === 'drain' ? 'info' : 'warning';
}

type Tell = (type: JobTypeState, nowMs: number, showsErrors: boolean) => readonly StateLine[];

const WORDS: Readonly<Record<TypeTrouble, Tell>> = {
  failing({ failing }, nowMs, showsErrors) {
    if (!failing) return [];
    const error =
      showsErrors && failing.error !== null
        ? [line(`${failing.isNewError ? 'New error' : 'Error'}: ${plainProblem(failing.error)}`)]
        : [];
    return [
      {
        text: `fails ${formatRatio(failing.sinceRatio)} since`,
        at: moment(failing.firstFailureAtMs, nowMs),
      },
      line(`${formatRatio(failing.beforeRatio)} before; ${formatCount(failing.failedSince)} failed since`),
      ...error,
    ];
  },
  absent({ absent }, nowMs) {
    if (!absent) return [];
    const [usual, longest] = [formatRunTime(absent.usualGapMs), formatRunTime(absent.longestGapMs)];
    return [
      { text: 'missing since', at: moment(absent.lastCompletedAtMs, nowMs) },
      line(`completed every ${usual} before, ${longest} apart at most`),
    ];
  },
  'batch-wait'({ batchWait }) {
    if (!batchWait) return [];
    const { batchSize, batchSizeAtLeast } = batchWait;
    return [
      line(`waits ${formatRunTime(batchWait.flushTimeoutMs)} for its client to send`),
      line(
        batchSize === null
          ? `a batch takes ${formatCount(batchSizeAtLeast)} or more at once; fewer wait for its timer`
          : `a batch takes ${formatCount(batchSize)} at once in a process; fewer wait for its timer`,
      ),
    ];
  },
  slow({ slow }) {
    switch (slow?.code) {
      case 'threshold':
        return [line(`slow: p95 ${formatRunTime(slow.p95Ms)} over ${formatRunTime(slow.thresholdMs)} set`)];
      case 'baseline':
        return [
          line(`slow: ${formatRunTime(slow.nowP50Ms)} against ${formatRunTime(slow.baselineP50Ms)} usual`),
        ];
      case 'drain':
        return [line(`slow: ${formatRatio(slow.shareOfWork)} of the work that waits`)];
      default:
        return [];
    }
  },
};

function quietWords(type: JobTypeState): TypeWords {
  const batch = type.batchWait
    ? [
        line(
          `its client batches requests: runs wait up to ${formatRunTime(type.batchWait.flushTimeoutMs)} for it`,
        ),
      ]
    : [];
  const calm = (icon: IconName, text: string): TypeWords => ({
    state: 'calm',
    icon,
    lines: [line(text), ...batch],
  });
  if ((type.active?.value ?? 0) > 0 || (type.completedPerSecond ?? 0) + (type.failedPerSecond ?? 0) > 0)
    return calm('flowing', 'running');
  if ((type.waiting?.value ?? 0) > 0) return calm('idle', 'waiting');
  return calm('idle', 'quiet');
}

function line(text: string): StateLine {
  return { text, at: null };
}

const SOURCES: Readonly<Record<RunSource, { readonly word: string; readonly limits: string }>> = {
  agent: { word: 'agent', limits: 'every run of the workers that have the agent, none of the others' },
  finished: {
    word: 'finished jobs',
    limits: 'jobs that are kept after they have finished; what is removed at once is not seen',
  },
  events: { word: 'events', limits: 'the queue’s events stream, as far as it reaches back' },
  active: {
    word: 'running jobs',
    limits: 'only the ages of jobs that run: nothing is kept, and no agent tells',
  },
};
const PARTLY = 'partly: more runs ended between two looks than are read, so counts are scaled up';

/** "agent", "finished jobs, partly"; empty where nothing is known. */
export function sourceWords(type: JobTypeState): { readonly text: string; readonly limits: string } {
  if (type.source === null) return { text: '', limits: '' };
  const { word, limits } = SOURCES[type.source];
  return type.isPartial
    ? { text: `${word}, partly`, limits: `${limits}; ${PARTLY}` }
    : { text: word, limits };
}

/** What stands below the table: each source that it names, with what that can't show. */
export function sourceNotes(types: readonly JobTypeState[]): readonly string[] {
  const used = new Set(types.flatMap(({ source }) => source ?? []));
  return [
    ...(Object.keys(SOURCES) as RunSource[])
      .filter((source) => used.has(source))
      .map((source) => `${SOURCES[source].word}: ${SOURCES[source].limits}.`),
    ...(types.some(({ isPartial }) => isPartial) ? [`${PARTLY}.`] : []),
  ];
}

/** What is estimated has as many digits as it deserves. */
export function countInWords(estimate: Estimate | null): string {
  if (estimate === null) return UNKNOWN;
  if (estimate.low === estimate.high) return formatCount(estimate.value);
  return formatCount(Number(estimate.value.toPrecision(2)));
}

/** "1,100–1,400"; empty where it is exact, or not known. */
export function rangeInWords(estimate: Estimate | null): string {
  if (estimate === null || estimate.low === estimate.high) return '';
  return `${formatCount(estimate.low)}–${formatCount(estimate.high)}`;
}

/** "84% of all"; empty: next to nothing, or not known. */
export function shareInWords(ratio: number | null): string {
  return ratio === null || ratio < 0.005 ? '' : `${formatRatio(Math.round(ratio * 100) / 100)} of all`;
}

/** "4.2 busy"; empty where it keeps no slot busy, or that is not known. */
export function busyInWords({ effectiveConcurrency }: JobTypeState): string {
  if (effectiveConcurrency === null || effectiveConcurrency < 0.05) return '';
  return `${formatNumber(effectiveConcurrency)} busy`;
}

/** Ages of running jobs change every second, and every change is sent to every viewer. */
const AGE_STEP_SECONDS = 5;

/** "for 40 s"; a run that has just begun is no news. */
export function longestInWords({ longestRunningMs }: JobTypeState): string {
  const seconds = (longestRunningMs ?? 0) / 1000;
  return seconds < AGE_STEP_SECONDS ? '' : `for ${coarseAge(seconds, AGE_STEP_SECONDS)}`;
}

/** A line across its run times: when its batches are flushed, else from where on it is slow; null: neither. */
export function lineOf({
  batchWait,
  slowThresholdMs,
}: JobTypeState): { readonly ms: number; readonly label: string } | null {
  if (batchWait !== null) return { ms: batchWait.flushTimeoutMs, label: 'batches flushed after' };
  return slowThresholdMs === null ? null : { ms: slowThresholdMs, label: 'slow from' };
}
