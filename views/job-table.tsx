import type { FC } from 'hono/jsx';
import { type Moment, Time } from './time.js';

export interface JobRowProps {
  readonly id: string;
  readonly href: string;
  readonly name: string;
  readonly typeHref: string;
  readonly added: Moment | null;
  /** What matters in this state: started, due, or finished. */
  readonly when: Moment | null;
  /** How long it ran, or runs. */
  readonly duration: string;
  readonly attempts: string;
  /** Why it failed; null where it has not or where the role may not see it. */
  readonly reason: string | null;
}

export interface JobTableProps {
  readonly states: readonly {
    readonly label: string;
    readonly count: string;
    readonly href: string;
    readonly isCurrent: boolean;
  }[];
  readonly rows: readonly JobRowProps[];
  readonly whenLabel: string;
  readonly hasReasons: boolean;
  /** "1–50 of 1,234" */
  readonly range: string;
  readonly newer: string | null;
  readonly older: string | null;
  /** The form that brings these back; null: they can't be, or this role may not. */
  readonly replayHref: string | null;
  /** Where a job is looked for by its id. */
  readonly search: string;
  /** What is said where there is no job, or where they can't be read. */
  readonly note: string;
}

/** Jobs of a queue in one state, a page at a time, as they were when the page was asked for. */
export const JobTable: FC<JobTableProps> = ({
  states,
  rows,
  whenLabel,
  hasReasons,
  range,
  newer,
  older,
  replayHref,
  search,
  note,
}) => (
  <section class="jobs jobs-by-state" id="jobs" aria-labelledby="jobs-title">
    <div class="queues-head">
      <h2 id="jobs-title">Jobs</h2>
      <search>
        <form method="get" action={search} class="job-search">
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
    <nav class="tabs" aria-label="Jobs by state">
      {states.map((state) => (
        <a
          href={state.href}
          class={state.count === '0' && !state.isCurrent ? 'is-empty' : undefined}
          aria-current={state.isCurrent ? 'page' : undefined}
        >
          {state.label} <span class="count">{state.count}</span>
        </a>
      ))}
    </nav>
    {replayHref ? (
      <p>
        <a class="button" href={replayHref}>
          Replay these
        </a>
      </p>
    ) : null}
    {note === '' ? null : <p class="muted">{note}</p>}
    {rows.length === 0 ? null : (
      <table class="job-table">
        <thead>
          <tr>
            <th scope="col">Id</th>
            <th scope="col">Type</th>
            <th scope="col">Added</th>
            <th scope="col">{whenLabel}</th>
            <th scope="col" class="number">
              Duration
            </th>
            <th scope="col" class="number">
              Attempts
            </th>
            {hasReasons ? <th scope="col">Failed reason</th> : null}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <JobRow {...row} hasReason={hasReasons} />
          ))}
        </tbody>
      </table>
    )}
    <p class="pager">
      {newer ? <a href={newer}>Previous</a> : null} <span class="muted">{range}</span>{' '}
      {older ? <a href={older}>Next</a> : null}
    </p>
  </section>
);

const JobRow: FC<JobRowProps & { readonly hasReason: boolean }> = (row) => (
  <tr>
    <th scope="row" data-label="Id">
      <a href={row.href}>{row.id}</a>
    </th>
    <td data-label="Type">
      <a href={row.typeHref}>{row.name}</a>
    </td>
    <td data-label="Added">{row.added ? <Time {...row.added} /> : '–'}</td>
    <td data-label="When">{row.when ? <Time {...row.when} /> : '–'}</td>
    <td class="number" data-label="Duration">
      {row.duration}
    </td>
    <td class="number" data-label="Attempts">
      {row.attempts}
    </td>
    {row.hasReason ? (
      <td class="reason" data-label="Failed reason">
        {row.reason ?? '–'}
      </td>
    ) : null}
  </tr>
);
