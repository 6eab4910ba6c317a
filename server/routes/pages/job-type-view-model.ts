import { OTHER_TYPES } from '../../../agent/protocol.js';
import type { JobTypeRowProps, Value } from '../../../views/job-type-row.js';
import type { JobTypesProps } from '../../../views/job-types.js';
import { actionPath, replayFormPath } from '../../../views/links.js';
import { coarseAge, elementId, rateNumber, UNKNOWN } from '../../../views/words.js';
import {
  formatBytes,
  formatCount,
  formatNumber,
  formatRatio,
  formatRunTime,
  formatThings,
} from '../../model/format.js';
import type { Estimate, JobTypeState, RunTimes } from '../../model/job-type.js';
import { compareTypes, typesOfQueue, typeTroubles } from '../../model/job-type-order.js';
import { includesRole, type Role } from '../../model/role.js';
import type { QueueState } from '../../model/snapshot.js';
import { plainName } from '../../model/words.js';
import { sourceNotes, sourceWords, typeWordsOf } from './job-type-words.js';

export interface TypeRowContext {
  readonly instance: string;
  readonly role: Role;
  readonly jobDataRole: Role;
  readonly nowMs: number;
}

/** Types of a table; those with less trouble and work are by the API. */
const MAX_ROWS = 40;
/** Ages of running jobs change every second, and every change is sent to every viewer. */
const AGE_STEP_SECONDS = 5;

/** The job types of a queue: those in trouble first, then by the work that waits. */
export function jobTypesOf(queue: QueueState, context: TypeRowContext): JobTypesProps {
  const types = typesOfQueue(queue)
    .toSorted(compareTypes('slow'))
    .map(({ type }) => type);
  const shown = types.slice(0, MAX_ROWS);
  const troubled = types.filter((type) => typeTroubles(type).length > 0).length;
  return {
    rows: shown.map((type) => typeRowOf(type, queue, context)),
    summary:
      types.length === 0
        ? ''
        : `${formatThings(types.length, 'type')}${troubled === 0 ? '' : `, ${formatCount(troubled)} in trouble`}`,
    notes: sourceNotes(shown),
    more:
      types.length > shown.length
        ? `The first ${formatCount(shown.length)} of ${formatCount(types.length)}; all by GET …/job-types.`
        : '',
    empty: types.length === 0 ? 'No job of this queue has been seen yet.' : '',
  };
}

/** One job type as a row. */
export function typeRowOf(type: JobTypeState, queue: QueueState, context: TypeRowContext): JobTypeRowProps {
  const words = typeWordsOf(type, includesRole(context.role, context.jobDataRole), context.nowMs);
  const source = sourceWords(type);
  const memory = queue.memory?.totalBytes ?? 0;
  return {
    id: elementId('type', `${context.instance}/${queue.id}/${type.name}`),
    name: plainName(type.name),
    source: source.text,
    limits: source.limits,
    ...words,
    waiting: {
      text: countOf(type.waiting),
      details: linesOf(rangeOf(type.waiting), shareOf(type.shareOfBacklog)),
    },
    active: { text: countOf(type.active), details: linesOf(slotsOf(type), longestOf(type)) },
    arrivals: rateNumber(type.arrivalsPerSecond),
    completed: rateNumber(type.completedPerSecond),
    failed: rateNumber(type.failedPerSecond),
    replayHref: replayHrefOf(type, queue, context),
    run: runOf(type.run),
    histogram: type.run?.histogram ?? [],
    trendMs: type.runTrend,
    line: lineOf(type),
    waited: {
      text: type.waited ? formatRunTime(type.waited.p50Ms) : UNKNOWN,
      details: type.waited ? [`p95 ${formatRunTime(type.waited.p95Ms)}`] : [],
    },
    memory: {
      text: type.memoryBytes === null ? UNKNOWN : formatBytes(type.memoryBytes),
      details: linesOf(
        type.memoryBytes === null || memory <= 0 ? '' : shareOf(Math.min(1, type.memoryBytes / memory)),
      ),
    },
    threshold: thresholdOf(type, queue, context),
  };
}

function lineOf({ batchWait, slowThresholdMs }: JobTypeState): JobTypeRowProps['line'] {
  if (batchWait !== null) return { ms: batchWait.flushTimeoutMs, label: 'batches flushed after' };
  return slowThresholdMs === null ? null : { ms: slowThresholdMs, label: 'slow from' };
}

function runOf(run: RunTimes | null): Value {
  if (!run) return { text: UNKNOWN, details: [] };
  return {
    text: formatRunTime(run.p50Ms),
    details: [`p95 ${formatRunTime(run.p95Ms)}`, `p99 ${formatRunTime(run.p99Ms)}`],
  };
}

/** Where jobs of it have failed lately: once it is mended they can be brought back. */
function replayHrefOf(
  { name, failing, failedPerSecond, lastError }: JobTypeState,
  queue: QueueState,
  { instance, role }: TypeRowContext,
): string | null {
  const hasFailed = failing !== null || lastError !== null || (failedPerSecond ?? 0) > 0;
  if (!hasFailed || queue.counts.failed === 0 || name === OTHER_TYPES) return null;
  if (!includesRole(role, 'operator')) return null;
  const since = failing === null ? {} : { fromMs: failing.firstFailureAtMs };
  return replayFormPath({ instance, queue: queue.id, jobType: name, ...since });
}

function slotsOf({ effectiveConcurrency }: JobTypeState): string {
  if (effectiveConcurrency === null || effectiveConcurrency < 0.05) return '';
  return `${formatNumber(effectiveConcurrency)} busy`;
}

/** A run that has just begun is no news, and its age would change every second. */
function longestOf({ longestRunningMs }: JobTypeState): string {
  const seconds = (longestRunningMs ?? 0) / 1000;
  return seconds < AGE_STEP_SECONDS ? '' : `for ${coarseAge(seconds, AGE_STEP_SECONDS)}`;
}

function linesOf(...lines: readonly string[]): readonly string[] {
  return lines.filter((line) => line !== '');
}

/** What is estimated has as many digits as it deserves. */
function countOf(estimate: Estimate | null): string {
  if (estimate === null) return UNKNOWN;
  if (estimate.low === estimate.high) return formatCount(estimate.value);
  return formatCount(Number(estimate.value.toPrecision(2)));
}

function rangeOf(estimate: Estimate | null): string {
  if (estimate === null || estimate.low === estimate.high) return '';
  return `${formatCount(estimate.low)}–${formatCount(estimate.high)}`;
}

function shareOf(ratio: number | null): string {
  return ratio === null || ratio < 0.005 ? '' : `${formatRatio(Math.round(ratio * 100) / 100)} of all`;
}

function thresholdOf(type: JobTypeState, queue: QueueState, { instance, role }: TypeRowContext) {
  const { name, slowThresholdMs } = type;
  const value = slowThresholdMs === null ? 'none' : formatRunTime(slowThresholdMs);
  const canSet = includesRole(role, 'operator') && name !== OTHER_TYPES;
  return {
    value,
    label: `Change from which run time ${plainName(name)} is slow, now ${value}`,
    href: canSet
      ? actionPath({
          action: 'jobtype.threshold',
          instance,
          queues: [queue.id],
          args: { type: name, slowThresholdMs },
        })
      : null,
  };
}
