import type { FC } from 'hono/jsx';
import { formatBytes, formatRunTime, formatThings } from '../server/model/format.js';
import type { JobTypeState } from '../server/model/job-type.js';
import { plainName } from '../server/model/words.js';
import { DocsMark } from './docs-mark.js';
import { Curve } from './drawn/curve.js';
import { evenly } from './drawn/geometry.js';
import { Histogram } from './drawn/histogram.js';
import { type ErrorGroupRow, ErrorGroups } from './error-groups.js';
import { ReplayLink, ThresholdLink, type TypeContext, TypeStateLines } from './job-type-row.js';
import {
  busyInWords,
  countInWords,
  lineOf,
  longestInWords,
  rangeInWords,
  shareInWords,
  sourceWords,
  typeWordsOf,
} from './job-type-words.js';
import { type Chrome, Layout } from './layout.js';
import { queuePath } from './links.js';
import { type Fact, Facts } from './state.js';
import { rateNumber, UNKNOWN } from './words.js';

export interface JobTypeNowProps extends TypeContext {
  readonly name: string;
  /** null: no job of it is seen any more. */
  readonly type: JobTypeState | null;
}

interface JobTypePageProps extends JobTypeNowProps {
  readonly chrome: Chrome;
  /** Of its newest failed jobs; null: this role may not see them, or they can't be read. */
  readonly errors: readonly ErrorGroupRow[] | null;
}

/** One job type: what is the matter with it and since when, how long its runs take, and with what they fail. */
export const JobTypePage: FC<JobTypePageProps> = ({ chrome, errors, ...now }) => (
  <Layout chrome={chrome}>
    <JobTypeNow {...now} />
    {errors === null ? null : <ErrorGroups groups={errors} nowMs={now.nowMs} />}
  </Layout>
);

/** All of its page that changes. */
export const JobTypeNow: FC<JobTypeNowProps> = ({ name, type, ...context }) => {
  const { queue, instance, showsErrors, nowMs } = context;
  const { state } = type ? typeWordsOf(type, showsErrors, nowMs) : { state: 'info' };
  return (
    <div id="job-type-now" class="worker-now">
      <section class={`panel queue-head state-${state}`} aria-label={`Job type ${name}`}>
        <h1 class="queue-title">
          {plainName(name)}{' '}
          <a class="muted" href={queuePath(instance, queue.id)}>
            {plainName(queue.name)}
          </a>
        </h1>
        {type ? (
          <>
            <div class="type-state">
              <TypeStateLines type={type} {...context} />
            </div>
            <Facts facts={factsOf(type)} />
            <p class="action-row">
              <span>
                Slow from <ThresholdLink type={type} {...context} />
              </span>
              <ReplayLink type={type} {...context} isButton={true} />
            </p>
            <details>
              <summary>More numbers</summary>
              <Facts facts={moreFacts(type)} />
            </details>
          </>
        ) : (
          <p>No job of it has been seen lately.</p>
        )}
      </section>
      {type ? <RunTimes type={type} nowMs={nowMs} /> : null}
    </div>
  );
};

function factsOf(type: JobTypeState): readonly Fact[] {
  const failed = rateNumber(type.failedPerSecond);
  return [
    {
      label: 'Waiting',
      signal: 'job_type_waiting_jobs',
      value: countInWords(type.waiting),
      hint: rangeInWords(type.waiting),
    },
    { label: 'Active', value: countInWords(type.active), hint: longestInWords(type) },
    { label: 'Added /s', value: rateNumber(type.arrivalsPerSecond) },
    { label: 'Done /s', signal: 'job_type_completed_per_second', value: rateNumber(type.completedPerSecond) },
    {
      label: 'Failed /s',
      signal: 'job_type_failed_per_second',
      value: failed,
      ...((type.failedPerSecond ?? 0) >= 0.05 ? { state: 'critical' as const } : {}),
    },
  ];
}

function moreFacts(type: JobTypeState): readonly Fact[] {
  const source = sourceWords(type);
  return [
    { label: 'Share of what waits', value: shareInWords(type.shareOfBacklog) || UNKNOWN },
    { label: 'Slots', value: busyInWords(type) || UNKNOWN },
    {
      label: 'Wait time',
      value: type.waited
        ? `${formatRunTime(type.waited.p50Ms)}, p95 ${formatRunTime(type.waited.p95Ms)}`
        : UNKNOWN,
    },
    { label: 'Memory', value: type.memoryBytes === null ? UNKNOWN : formatBytes(type.memoryBytes) },
    { label: 'Run times are from', value: source.text || UNKNOWN, hint: source.limits },
  ];
}

const TREND_STEP_MS = 10_000;

/** How its runs spread, and how their median went. */
const RunTimes: FC<{ readonly type: JobTypeState; readonly nowMs: number }> = ({ type, nowMs }) => {
  const { run, runTrend, baseline } = type;
  const line = lineOf(type);
  const span = { fromMs: nowMs - Math.max(1, runTrend.length - 1) * TREND_STEP_MS, toMs: nowMs };
  return (
    <div class="charts">
      <figure class="chart">
        <figcaption>
          <span class="chart-title">Run time</span>{' '}
          <DocsMark kind="signals" name="job_type_run_p95_seconds" />{' '}
          {run
            ? `median ${formatRunTime(run.p50Ms)}, p95 ${formatRunTime(run.p95Ms)}, p99 ${formatRunTime(run.p99Ms)}, ${formatThings(run.count, 'run')}`
            : 'none has ended lately'}
        </figcaption>
        {run ? (
          <Histogram
            title={`Run times of ${type.name}`}
            buckets={run.histogram}
            threshold={line}
            size="large"
          />
        ) : null}
      </figure>
      {runTrend.length < 2 ? null : (
        <figure class="chart">
          <figcaption>
            <span class="chart-title">Median run time</span>{' '}
            <DocsMark kind="signals" name="job_type_run_p50_seconds" />{' '}
            {baseline ? `usually ${formatRunTime(baseline.p50Ms)}` : ''}
          </figcaption>
          <Curve
            title={`Median run time of ${type.name}`}
            unit="seconds"
            points={evenly(
              runTrend.map((ms) => (ms === null ? null : ms / 1000)),
              span,
            )}
            span={span}
            limit={line === null ? null : { value: line.ms / 1000, label: line.label }}
          />
        </figure>
      )}
    </div>
  );
};
