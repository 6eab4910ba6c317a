import type { FC } from 'hono/jsx';
import { ACTIVITY_GROUPS } from '../server/model/activity-entry.js';
import type { ActivityRow } from '../server/model/activity-row.js';
import { includesRole } from '../server/model/role.js';
import { ActivityLanes } from './activity-lanes.js';
import { ActivityRows } from './activity-row.js';
import { Options } from './controls.js';
import { Curve, type CurveProps } from './drawn/curve.js';
import type { Span } from './drawn/geometry.js';
import { type Chrome, Layout } from './layout.js';
import { entryElementId } from './links.js';
import type { ActivityReader } from './timeline-entry.js';
import { moment } from './words.js';

/** What is asked of the timeline, as it stands in its address. */
interface TimelineAsk {
  /** Groups that are shown; empty: all. */
  readonly groups: readonly string[];
  readonly instance: string;
  readonly queue: string;
  readonly search: string;
}

export interface TimelinePageProps {
  readonly ask: TimelineAsk;
  readonly span: Span;
  /** The preset that the span is of, such as `6h`; null: its ends were given. */
  readonly preset: string | null;
  /** Presets, earlier, later and the span as it is, with the same filter. */
  readonly hrefs: {
    readonly presets: readonly { readonly name: string; readonly label: string; readonly href: string }[];
    readonly earlier: string;
    /** null: nothing is later than now. */
    readonly later: string | null;
    readonly fixed: string;
    readonly draft: string;
  };
  readonly rows: readonly ActivityRow[];
  /** Of the Redis that is chosen, beneath the bars. */
  readonly curves: readonly CurveProps[];
  /** Names; empty where there is one only. */
  readonly instances: readonly string[];
  readonly reader: ActivityReader;
  /** Older ones of this time are not read. */
  readonly isCut: boolean;
  /** What the page was made from; the script looks again when there is more. */
  readonly version: number;
}

/** What happened and what was done in a stretch of time: as bars, and row by row, newest first. */
export const TimelinePage: FC<{ readonly chrome: Chrome; readonly view: TimelinePageProps }> = ({
  chrome,
  view,
}) => (
  <Layout chrome={chrome}>
    <div class="section-head">
      <h1>Timeline</h1>
      <Times {...view} />
    </div>
    <div
      id="activity"
      data-activity-version={String(view.version)}
      data-activity-newest={view.hrefs.later === null ? '' : undefined}
    >
      <Picture {...view} />
      <Tools {...view} />
      <ActivityRows rows={view.rows} reader={view.reader} />
      <p id="activity-empty" class="empty" hidden={view.rows.length > 0}>
        {isFiltered(view.ask) ? 'Nothing like this happened in this time.' : 'Nothing happened in this time.'}{' '}
        <a href={view.hrefs.presets.at(-1)?.href}>Look back {view.hrefs.presets.at(-1)?.label}</a>
      </p>
    </div>
    <p class="activity-foot">
      <a class="page-link" href={view.hrefs.earlier}>
        {view.isCut ? 'Older' : 'Earlier'}
      </a>{' '}
      <a class="page-link" href={view.hrefs.draft}>
        This time as a post-mortem draft
      </a>
    </p>
  </Layout>
);

/** Which time is shown, and the ways to others. */
const Times: FC<TimelinePageProps> = ({ span, preset, hrefs, reader }) => (
  <nav class="activity-times" aria-label="Time">
    {hrefs.presets.map(({ name, label, href }) => (
      <a class="small-button" href={href} aria-current={name === preset ? 'true' : undefined}>
        {label}
      </a>
    ))}
    <a class="small-button" href={hrefs.earlier}>
      Earlier
    </a>
    {hrefs.later === null ? null : (
      <a class="small-button" href={hrefs.later}>
        Later
      </a>
    )}
    <a class="page-link" href={hrefs.fixed}>
      Link to {moment(span.fromMs, reader.nowMs).text.replace(' UTC', '')} –{' '}
      {moment(span.toMs, reader.nowMs).text}
    </a>
  </nav>
);

/** Bars in time, and beneath them what memory and backlog did. */
const Picture: FC<TimelinePageProps> = ({ rows, curves, span, reader }) => (
  <section id="activity-picture" class="panel activity-picture" aria-label="Bars in time">
    {rows.length > 0 ? (
      <ActivityLanes
        title="What happened"
        rows={rows}
        span={span}
        nowMs={Math.min(reader.nowMs, span.toMs)}
        hrefOf={(entry) => `#${entryElementId(entry)}`}
      />
    ) : null}
    {curves.map((curve) => (
      <>
        <h2 class="activity-curve-title">{curve.title}</h2>
        <Curve {...curve} />
      </>
    ))}
  </section>
);

function isFiltered({ groups, instance, queue, search }: TimelineAsk): boolean {
  return groups.length > 0 || instance !== '' || queue !== '' || search !== '';
}

/** Rows are ticked below; their boxes belong to this form. */
const Tools: FC<TimelinePageProps> = (view) => (
  <div class="activity-tools">
    <Filter {...view} />
    {includesRole(view.reader.actor.role, 'operator') ? (
      <>
        <details class="activity-note">
          <summary>Add note</summary>
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
              Add
            </button>
          </form>
        </details>
        <form id="declare" method="get" action="/incidents/new">
          <button type="submit" class="button">
            Declare incident
          </button>{' '}
          <span class="hint">from the rows you tick</span>
        </form>
      </>
    ) : null}
  </div>
);

const Filter: FC<TimelinePageProps> = ({ ask, instances, preset, span }) => (
  <details class="activity-note activity-filter-box" open={isFiltered(ask)}>
    <summary>Filter</summary>
    <form class="activity-filter" method="get" action="/timeline" aria-label="Filter">
      <fieldset class="activity-groups">
        <legend>Show</legend>
        {Object.entries(ACTIVITY_GROUPS).map(([name, { label }]) => (
          <label class="check">
            <input
              type="checkbox"
              name="g"
              value={name}
              checked={ask.groups.length === 0 || ask.groups.includes(name)}
            />{' '}
            {label}
          </label>
        ))}
      </fieldset>
      <div class="activity-fields">
        <label>
          Text
          <input id="search" type="search" name="search" value={ask.search} maxlength={200} />
        </label>
        <label>
          Queue
          <input type="text" name="queue" value={ask.queue} maxlength={300} />
        </label>
        {instances.length > 0 ? (
          <label>
            Redis
            <select name="instance">
              <option value="">all</option>
              <Options of={instances} chosen={ask.instance ?? undefined} />
            </select>
          </label>
        ) : null}
        <label>
          From (UTC)
          <input
            type="datetime-local"
            step={1}
            name="from"
            value={preset === null ? localTime(span.fromMs) : ''}
          />
        </label>
        <label>
          To (UTC)
          <input
            type="datetime-local"
            step={1}
            name="to"
            value={preset === null ? localTime(span.toMs) : ''}
          />
        </label>
        {preset === null ? null : <input type="hidden" name="range" value={preset} />}
        <div class="activity-buttons">
          <button type="submit" class="button is-primary">
            Filter
          </button>
          {isFiltered(ask) ? (
            <a class="button" href="/timeline">
              Show all
            </a>
          ) : null}
        </div>
      </div>
    </form>
  </details>
);

/** As `datetime-local` takes it, in UTC, whole seconds. */
export function localTime(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 19);
}
