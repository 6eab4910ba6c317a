import type { FC } from 'hono/jsx';
import { formatCount, formatRunTime } from '../server/model/format.js';
import type { JobPage, JobRow } from '../server/model/job-view.js';
import type { JobState } from '../server/model/memory.js';
import type { QueueState } from '../server/model/snapshot.js';
import { plainName } from '../server/model/words.js';
import { NumberCell, NumberHeading } from './controls.js';
import { jobPath, jobTypePath, queuePath, replayFormPath } from './links.js';
import { Time } from './time.js';
import { moment, UNKNOWN } from './words.js';

/** Jobs of one page of the table. */
export const JOBS_A_PAGE = 20;

/** What each state is called, how many are in it, and which of a job's moments matters there. */
const STATES: Readonly<
  Record<
    JobState,
    {
      readonly label: string;
      readonly when: string;
      readonly count: (counts: QueueState['counts']) => number;
    }
  >
> = {
  waiting: { label: 'Waiting', when: 'Due', count: ({ waiting }) => waiting },
  active: { label: 'Active', when: 'Started', count: ({ active }) => active },
  prioritized: { label: 'Prioritized', when: 'Due', count: ({ prioritized }) => prioritized },
  delayed: { label: 'Delayed', when: 'Due', count: ({ delayed }) => delayed },
  'waiting-children': {
    label: 'Waiting for children',
    when: 'Started',
    count: ({ waitingChildren }) => waitingChildren,
  },
  completed: { label: 'Completed', when: 'Finished', count: ({ completed }) => completed },
  failed: { label: 'Failed', when: 'Finished', count: ({ failed }) => failed },
};
export const JOB_TABS = Object.keys(STATES) as readonly JobState[];

export interface JobTableProps {
  readonly queue: QueueState;
  readonly instance: string;
  readonly state: JobState;
  /** Jobs before the first that is shown. */
  readonly cursor: number;
  /** null: they could not be read, for the reason in `problem`. */
  readonly page: JobPage | null;
  readonly problem: string | null;
  /** Id of a job that was looked for, and is not in the queue; null: none was. */
  readonly missing: string | null;
  readonly showsData: boolean;
  readonly mayReplay: boolean;
  readonly nowMs: number;
}

/** Jobs of a queue in one state, a page at a time, as they were when the page was asked for. */
export const JobTable: FC<JobTableProps> = (props) => {
  const { queue, instance, state, page, mayReplay } = props;
  const jobs = page?.jobs ?? [];
  const note = noteOf(props);
  return (
    <section class="jobs jobs-by-state" id="jobs" aria-labelledby="jobs-title">
      <div class="queues-head">
        <h2 id="jobs-title">Jobs</h2>
        <search>
          <form method="get" action={queuePath(instance, queue.id)} class="job-search">
            <label class="visually-hidden" for="job-id">
              Id of a job
            </label>
            <input id="job-id" type="search" name="job" placeholder="Job id" maxlength={200} required />
            <button class="small-button" type="submit">
              Open
            </button>
          </form>
        </search>
      </div>
      <States {...props} />
      {jobs.length > 0 && mayReplay && (state === 'failed' || state === 'completed') ? (
        <p>
          <a class="button" href={replayFormPath({ instance, queue: queue.id, from: state })}>
            Replay these
          </a>
        </p>
      ) : null}
      {note === '' ? null : <p class="muted">{note}</p>}
      {jobs.length === 0 ? null : (
        <table class="job-table">
          <thead>
            <tr>
              <th scope="col">Id</th>
              <th scope="col">Type</th>
              <th scope="col">Added</th>
              <th scope="col">{STATES[state].when}</th>
              <NumberHeading label="Duration" />
              <NumberHeading label="Attempts" />
              {state === 'failed' ? <th scope="col">Failed reason</th> : null}
            </tr>
          </thead>
          <tbody>
            {jobs.map((job) => (
              <Row job={job} {...props} />
            ))}
          </tbody>
        </table>
      )}
      <Pager {...props} />
    </section>
  );
};

function noteOf({ problem, missing, page }: JobTableProps): string {
  if (problem !== null) return problem;
  if (missing !== null) return `No job ${plainName(missing)} is in this queue.`;
  return (page?.jobs ?? []).length === 0 ? 'No job is in this state.' : '';
}

function pageHref({ instance, queue, state }: JobTableProps, cursor = 0): string {
  const query = new URLSearchParams({ state, ...(cursor > 0 ? { cursor: String(cursor) } : {}) });
  return `${queuePath(instance, queue.id)}?${query}#jobs`;
}

const States: FC<JobTableProps> = (props) => (
  <nav class="tabs" aria-label="Jobs by state">
    {JOB_TABS.map((state) => {
      const isCurrent = state === props.state;
      const count = isCurrent && props.page ? props.page.total : STATES[state].count(props.queue.counts);
      return (
        <a
          href={pageHref({ ...props, state })}
          class={count === 0 && !isCurrent ? 'is-empty' : undefined}
          aria-current={isCurrent ? 'page' : undefined}
        >
          {STATES[state].label} <span class="count">{formatCount(count)}</span>
        </a>
      );
    })}
  </nav>
);

const Pager: FC<JobTableProps> = (props) => {
  const { cursor, page } = props;
  const shown = page?.jobs.length ?? 0;
  const next = page?.nextCursor ?? null;
  return (
    <p class="pager">
      {cursor > 0 ? <a href={pageHref(props, Math.max(0, cursor - JOBS_A_PAGE))}>Previous</a> : null}{' '}
      {shown === 0 ? null : (
        <span class="muted">
          {formatCount(cursor + 1)}–{formatCount(cursor + shown)} of {formatCount(page?.total ?? 0)}
        </span>
      )}{' '}
      {next === null ? null : <a href={pageHref(props, next)}>Next</a>}
      {/* A phone shows the first of them until it is asked for all. */}
      <a class="all-jobs" href="#jobs">
        All {formatCount(shown)}
      </a>
    </p>
  );
};

const Row: FC<JobTableProps & { readonly job: JobRow }> = (props) => {
  const { job, queue, instance, state, showsData, nowMs } = props;
  return (
    <tr>
      <th scope="row" data-label="Id">
        <a href={jobPath(instance, queue.id, job.id)}>{job.id}</a>
      </th>
      <td data-label="Type">
        <a href={jobTypePath(instance, queue.id, job.name)}>{job.name}</a>
      </td>
      <td data-label="Added">{momentOf(job.timestampMs, nowMs)}</td>
      <td data-label="When">{momentOf(whenOf(job, state), nowMs)}</td>
      <NumberCell label="Duration">{durationOf(job, state, nowMs)}</NumberCell>
      <NumberCell label="Attempts">{formatCount(job.attemptsMade)}</NumberCell>
      {state === 'failed' ? (
        <td class="reason" data-label="Failed reason">
          {/* What a job failed with often quotes its data. */}
          {(showsData ? job.failedReason : null) ?? UNKNOWN}
        </td>
      ) : null}
    </tr>
  );
};

function momentOf(atMs: number | null, nowMs: number) {
  return atMs === null ? UNKNOWN : <Time {...moment(atMs, nowMs)} />;
}

/** From its start to its end, or until now. */
function durationOf({ processedAtMs, finishedAtMs }: JobRow, state: JobState, nowMs: number): string {
  const endMs =
    state === 'active' ? nowMs : state === 'completed' || state === 'failed' ? finishedAtMs : null;
  return processedAtMs === null || endMs === null
    ? UNKNOWN
    : formatRunTime(Math.max(0, endMs - processedAtMs));
}

function whenOf(job: JobRow, state: JobState): number | null {
  if (state === 'completed' || state === 'failed') return job.finishedAtMs;
  if (state === 'active' || state === 'waiting-children') return job.processedAtMs;
  return job.timestampMs === null ? null : job.timestampMs + job.delayMs;
}
