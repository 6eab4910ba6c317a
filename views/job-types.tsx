import type { FC } from 'hono/jsx';
import { JobTypeRow, type JobTypeRowProps } from './job-type-row.js';

export interface JobTypesProps {
  readonly rows: readonly JobTypeRowProps[];
  /** "12 types, 2 in trouble" */
  readonly summary: string;
  /** What each source of run times can't show. */
  readonly notes: readonly string[];
  /** Said where there are more than are shown; empty mostly. */
  readonly more: string;
  /** Said in place of rows. */
  readonly empty: string;
}

const COLUMNS = [
  { label: 'Type', hint: 'Name of the job, and where its run times are from', kind: 'name' },
  { label: 'State', hint: 'In trouble first, then by the work that waits', kind: 'verdict' },
  {
    label: 'Waiting',
    hint: 'By samples: the range holds the truth in 95 of 100 cases; and its share of what waits',
    kind: 'estimate',
  },
  {
    label: 'In flight',
    hint: 'Jobs that run; slots that it keeps busy (finished a second × mean run time); how long the oldest runs',
    kind: 'active',
  },
  { label: 'In /s', hint: 'Jobs that come in a second', kind: 'in' },
  { label: 'Done /s', hint: 'Jobs completed a second', kind: 'done' },
  { label: 'Failed /s', hint: 'Runs that failed a second', kind: 'failed' },
  {
    label: 'Run time',
    hint: 'Median and percentiles of the last minutes; how runs spread from 1 ms to an hour; medians as a line',
    kind: 'run',
  },
  { label: 'Waited', hint: 'From added, or due, to started: median and 95th percentile', kind: 'waited' },
  {
    label: 'Memory',
    hint: 'Of its jobs in all states, estimated from samples; and its share of the queue’s',
    kind: 'memory',
  },
  {
    label: 'Slow from',
    hint: 'Run time from which it is called slow, as people have set it',
    kind: 'setting',
  },
] as const;
const TEXT_KINDS: readonly string[] = ['name', 'verdict', 'run'];

/** Job types of a queue: which of them holds it up, fails or has gone missing. */
export const JobTypes: FC<JobTypesProps> = (view) => (
  <section id="job-types" class="queues job-types" aria-labelledby="job-types-title">
    <div class="queues-head">
      <h2 id="job-types-title">Job types</h2>
      <JobTypeSummary {...view} />
      <p class="order-held" data-held="types" hidden>
        <span data-held-text="">Order held while you are here</span>
        <button type="button" class="small-button" data-release="">
          Sort now
        </button>
      </p>
    </div>
    <table class="queue-table type-table">
      <thead>
        <tr>
          {COLUMNS.map(({ label, hint, kind }) => (
            <th scope="col" class={`${TEXT_KINDS.includes(kind) ? '' : 'number '}cell-${kind}`} title={hint}>
              {label}
            </th>
          ))}
        </tr>
      </thead>
      <tbody id="type-rows" data-list="types">
        {view.rows.map((row) => (
          <JobTypeRow {...row} />
        ))}
      </tbody>
    </table>
    <JobTypeNotes {...view} />
  </section>
);

export const JobTypeSummary: FC<JobTypesProps> = ({ summary }) => (
  <p id="job-types-summary" class="range">
    {summary}
  </p>
);

/** What the numbers can't show, so that nobody takes an estimate for a count. */
export const JobTypeNotes: FC<JobTypesProps> = ({ notes, more, empty }) => (
  <div id="job-types-notes" class="type-notes">
    {empty ? <p class="empty">{empty}</p> : null}
    {more ? <p class="hint">{more}</p> : null}
    {notes.length > 0 ? (
      <details>
        <summary>Where these numbers are from</summary>
        <ul>
          {notes.map((note) => (
            <li>{note}</li>
          ))}
        </ul>
      </details>
    ) : null}
  </div>
);
