import type { FC } from 'hono/jsx';
import { formatCount, formatThings } from '../server/model/format.js';
import type { JobTypeState } from '../server/model/job-type.js';
import { compareTypes, typesOfQueue, typeTroubles } from '../server/model/job-type-order.js';
import type { QueueState } from '../server/model/snapshot.js';
import { OrderHeld } from './controls.js';
import { SignalMark } from './docs-mark.js';
import { JobTypeRow, type TypeContext } from './job-type-row.js';
import { sourceNotes } from './job-type-words.js';

/** Types of a table; those with less trouble and work are by the API. */
const MAX_ROWS = 40;

/** The job types of a queue that are shown: those in trouble first, then by the work that waits. */
export function shownTypes(queue: QueueState): readonly JobTypeState[] {
  return typesOfQueue(queue)
    .toSorted(compareTypes('slow'))
    .slice(0, MAX_ROWS)
    .map(({ type }) => type);
}

const COLUMNS: readonly {
  readonly label: string;
  readonly hint: string;
  readonly kind: string;
  readonly signal?: string;
}[] = [
  { label: 'Type', hint: 'Name of the job, and where its run times are from', kind: 'name' },
  { label: 'State', hint: 'In trouble first, then by the work that waits', kind: 'verdict' },
  {
    label: 'Waiting',
    hint: 'By samples: the range holds the truth in 95 of 100 cases; and its share of what waits',
    kind: 'estimate',
    signal: 'job_type_waiting_jobs',
  },
  {
    label: 'Active',
    hint: 'Jobs that run; slots that it keeps busy (finished a second × mean run time); how long the oldest runs',
    kind: 'active',
  },
  { label: 'Added /s', hint: 'Jobs that come in a second', kind: 'in' },
  { label: 'Done /s', hint: 'Jobs completed a second', kind: 'done' },
  { label: 'Failed /s', hint: 'Runs that failed a second', kind: 'failed' },
  {
    label: 'Run time',
    hint: 'Of the last minutes: median, p95, and how runs spread from 1 ms to an hour',
    kind: 'run',
    signal: 'job_type_run_p50_seconds',
  },
  { label: 'Wait time', hint: 'From added, or due, to started: median and p95', kind: 'waited' },
  {
    label: 'Slow from',
    hint: 'Run time from which it is called slow, as people have set it',
    kind: 'setting',
  },
];
const TEXT_KINDS: readonly string[] = ['name', 'verdict', 'run'];

/** Job types of a queue: which of them holds it up, fails or has gone missing. */
export const JobTypeTable: FC<TypeContext> = (view) => (
  <section id="job-types" class="queues job-types" aria-labelledby="job-types-title">
    <div class="queues-head">
      <h2 id="job-types-title">Job types</h2>
      <JobTypeSummary queue={view.queue} />
      <OrderHeld of="types" release="Sort now" />
    </div>
    <table class="queue-table type-table">
      <thead>
        <tr>
          {COLUMNS.map(({ label, hint, kind, signal }) => (
            <th scope="col" class={`${TEXT_KINDS.includes(kind) ? '' : 'number '}cell-${kind}`} title={hint}>
              {label}
              <SignalMark name={signal} />
            </th>
          ))}
        </tr>
      </thead>
      <tbody id="type-rows" data-list="types">
        {shownTypes(view.queue).map((type) => (
          <JobTypeRow type={type} {...view} />
        ))}
      </tbody>
    </table>
    <JobTypeNotes queue={view.queue} />
  </section>
);

/** "12 types, 2 in trouble" */
export const JobTypeSummary: FC<Pick<TypeContext, 'queue'>> = ({ queue: { types } }) => {
  const troubled = types.filter((type) => typeTroubles(type).length > 0).length;
  return (
    <p id="job-types-summary" class="range">
      {types.length === 0 ? '' : formatThings(types.length, 'type')}
      {troubled === 0 ? '' : `, ${formatCount(troubled)} in trouble`}
    </p>
  );
};

/** What the numbers can't show, so that nobody takes an estimate for a count. */
export const JobTypeNotes: FC<Pick<TypeContext, 'queue'>> = ({ queue }) => {
  const shown = shownTypes(queue);
  const notes = sourceNotes(shown);
  const all = queue.types.length;
  return (
    <div id="job-types-notes" class="type-notes">
      {all === 0 ? <p class="empty">No job of this queue has been seen yet.</p> : null}
      {all > shown.length ? (
        <p class="hint">
          The first {formatCount(shown.length)} of {formatCount(all)}; all by GET …/job-types.
        </p>
      ) : null}
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
};
