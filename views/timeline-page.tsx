import type { FC } from 'hono/jsx';
import { type Chrome, Layout } from './layout.js';
import { TimelineDay, type TimelineDayProps } from './timeline-entry.js';

export interface TimelineFilterProps {
  readonly groups: readonly { readonly value: string; readonly label: string; readonly isOn: boolean }[];
  /** Names; empty where there is one only. */
  readonly instances: readonly string[];
  readonly instance: string;
  readonly queue: string;
  /** As `datetime-local` takes it, in UTC. */
  readonly from: string;
  readonly to: string;
  readonly search: string;
  readonly isFiltered: boolean;
}

export interface TimelinePageProps {
  readonly filter: TimelineFilterProps;
  readonly days: readonly TimelineDayProps[];
  readonly newerHref: string | null;
  readonly olderHref: string | null;
  /** New entries come in at the top: this page shows the newest. */
  readonly isNewest: boolean;
  /** What the page was made from; the script looks again when there is more. */
  readonly version: number;
  /** May it be annotated, and incidents marked? */
  readonly canWrite: boolean;
  readonly draftHref: string | null;
}

/** What happened and what was done, day by day, newest first. */
export const TimelinePage: FC<{ readonly chrome: Chrome; readonly view: TimelinePageProps }> = ({
  chrome,
  view,
}) => (
  <Layout chrome={chrome}>
    <h1>Timeline</h1>
    <Filter {...view.filter} />
    {view.canWrite ? <Tools /> : null}
    {view.newerHref ? (
      <p>
        <a class="page-link" href={view.newerHref}>
          Newest
        </a>
      </p>
    ) : null}
    <div
      id="account"
      class="account"
      data-account-version={String(view.version)}
      data-account-newest={view.isNewest ? '' : undefined}
    >
      {view.days.map((day) => (
        <TimelineDay {...day} />
      ))}
    </div>
    <p id="account-empty" class="empty" hidden={view.days.length > 0}>
      {view.filter.isFiltered
        ? 'Nothing like this happened.'
        : 'Nothing has happened since this console first ran.'}
    </p>
    <p class="account-foot">
      {view.olderHref ? (
        <a class="page-link" href={view.olderHref}>
          Older
        </a>
      ) : null}{' '}
      {view.draftHref ? (
        <a class="page-link" href={view.draftHref}>
          This range as a post-mortem draft
        </a>
      ) : null}
    </p>
  </Layout>
);

const Filter: FC<TimelineFilterProps> = (filter) => (
  <form class="account-filter panel" method="get" action="/timeline" aria-label="Filter">
    <fieldset class="account-groups">
      <legend>Show</legend>
      {filter.groups.map((group) => (
        <label class="check">
          <input type="checkbox" name="g" value={group.value} checked={group.isOn} /> {group.label}
        </label>
      ))}
    </fieldset>
    <div class="account-fields">
      <label>
        Text
        <input id="search" type="search" name="search" value={filter.search} maxlength={200} />
      </label>
      <label>
        Queue
        <input type="text" name="queue" value={filter.queue} maxlength={300} />
      </label>
      {filter.instances.length > 0 ? (
        <label>
          Redis
          <select name="instance">
            <option value="">all</option>
            {filter.instances.map((name) => (
              <option value={name} selected={name === filter.instance}>
                {name}
              </option>
            ))}
          </select>
        </label>
      ) : null}
      <label>
        From (UTC)
        <input type="datetime-local" step={1} name="from" value={filter.from} />
      </label>
      <label>
        To (UTC)
        <input type="datetime-local" step={1} name="to" value={filter.to} />
      </label>
      <div class="account-buttons">
        <button type="submit" class="button is-primary">
          Filter
        </button>
        {filter.isFiltered ? (
          <a class="button" href="/timeline">
            Show all
          </a>
        ) : null}
      </div>
    </div>
  </form>
);

/** Entries are ticked below; their boxes belong to this form. */
const Tools: FC = () => (
  <div class="account-tools">
    <form id="mark" method="get" action="/incidents/new">
      <button type="submit" class="button">
        Mark as incident
      </button>{' '}
      <span class="hint">From the first to the last that you tick; none: from now on.</span>
    </form>
    <details class="account-note">
      <summary>Enter a note</summary>
      <form method="post" action="/timeline/notes">
        <label>
          What happened
          <input type="text" name="text" required maxlength={200} />
        </label>
        <label>
          When (UTC), now if empty
          <input type="datetime-local" step={1} name="at" />
        </label>
        <button type="submit" class="button">
          Enter
        </button>
      </form>
    </details>
  </div>
);
