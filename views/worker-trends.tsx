import type { Child, FC } from 'hono/jsx';
import { DocsMark } from './docs-mark.js';
import { Curve } from './drawn/curve.js';
import type { Point, Span } from './drawn/geometry.js';
import { Time } from './time.js';
import { moment } from './words.js';

/** What its agent said over time: points of `running` and `finishedPerSecond`. */
export interface WorkerCourse {
  readonly atMs: readonly number[];
  readonly values: Readonly<Record<string, readonly (number | null)[]>>;
}

const SHOWN_MS = 30 * 60_000;

/** How busy a worker was in the last half hour and what it finished; of a shorter time it says since when it is heard. */
export const WorkerTrends: FC<{
  readonly course: WorkerCourse | null;
  readonly slots: number;
  readonly nowMs: number;
}> = ({ course, slots, nowMs }) => {
  const sinceMs = course?.atMs[0];
  if (!course || sinceMs === undefined || course.atMs.length < 2) return null;
  const span = { fromMs: nowMs - SHOWN_MS, toMs: nowMs };
  const points = (name: string): readonly Point[] =>
    course.atMs.map((atMs, i) => ({ atMs, value: course.values[name]?.[i] ?? null }));
  return (
    <div class="charts">
      <Trend title="Slots busy" signal="queue_worker_slots_busy" span={span} sinceMs={sinceMs}>
        <Curve
          title="Slots busy"
          unit="count"
          points={points('running')}
          span={span}
          size="small"
          limit={{ value: slots, label: 'slots' }}
        />
      </Trend>
      <Trend
        title="Jobs finished per second"
        signal="queue_departures_per_second"
        span={span}
        sinceMs={sinceMs}
      >
        <Curve
          title="Jobs finished per second"
          unit="jobs/s"
          points={points('finishedPerSecond')}
          span={span}
          size="small"
        />
      </Trend>
    </div>
  );
};

const Trend: FC<{
  readonly title: string;
  /** What it is of one worker, whose page says what it means. */
  readonly signal: string;
  readonly span: Span;
  readonly sinceMs: number;
  readonly children?: Child;
}> = ({ title, signal, span, sinceMs, children }) => (
  <figure class="chart">
    <figcaption>
      <span class="chart-title">{title}, last 30 min</span>
      <DocsMark kind="signals" name={signal} />{' '}
      {sinceMs <= span.fromMs ? null : (
        <span>
          heard since <Time {...moment(sinceMs, span.toMs)} />
        </span>
      )}
    </figcaption>
    {children}
  </figure>
);
