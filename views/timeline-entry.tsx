import type { FC } from 'hono/jsx';
import { type State, StateIcon } from './state.js';
import { type Moment, Time } from './time.js';

export interface TimelineDayProps {
  readonly id: string;
  /** "Friday, 2026-01-02" */
  readonly title: string;
  /** "2 critical, 1 warning"; empty: nothing bad. */
  readonly worst: string;
  readonly state: State;
  readonly entries: readonly TimelineEntryProps[];
}

export interface TimelineNoteProps {
  readonly id: string;
  readonly at: Moment;
  readonly actor: string;
  readonly text: string;
  /** May this viewer change it? */
  readonly isOwn: boolean;
}

export interface TimelineEntryProps {
  /** Of the element. */
  readonly id: string;
  /** Of the entry. */
  readonly entry: string;
  readonly atMs: number;
  readonly at: Moment;
  /** "Finding", "Action"… */
  readonly label: string;
  readonly state: State | null;
  /** The state in a word, for those who don't see its sign. */
  readonly stateWord: string;
  readonly text: string;
  readonly subject: { readonly text: string; readonly href: string } | null;
  readonly actor: string;
  readonly why: string;
  readonly status: string;
  readonly changes: readonly { readonly label: string; readonly before: string; readonly after: string }[];
  readonly measured: string;
  readonly notes: readonly TimelineNoteProps[];
  readonly href: string;
  /** The reader came for this one. */
  readonly isTarget: boolean;
  readonly canWrite: boolean;
  /** It was entered by this viewer, who may change its text. */
  readonly isOwn: boolean;
}

export const TimelineDay: FC<TimelineDayProps> = ({ id, title, worst, state, entries }) => (
  <section id={id} class="account-day" aria-labelledby={`${id}-title`}>
    <h2 id={`${id}-title`} class={`account-day-title state-${state}`}>
      {title}{' '}
      {worst ? (
        <span class="state-word">
          <StateIcon state={state} /> {worst}
        </span>
      ) : null}
    </h2>
    <ol class="account-entries">
      {entries.map((entry) => (
        <TimelineLine {...entry} />
      ))}
    </ol>
  </section>
);

const TimelineLine: FC<TimelineEntryProps> = (entry) => (
  <li
    id={entry.id}
    class={`activity-entry${entry.state ? ` has-state state-${entry.state}` : ''}${entry.isTarget ? ' is-target' : ''}`}
    data-at-ms={String(entry.atMs)}
    aria-current={entry.isTarget ? 'true' : undefined}
  >
    {entry.canWrite ? (
      <label class="account-tick">
        <input type="checkbox" name="entry" value={entry.entry} form="mark" />
        <span class="visually-hidden">
          Part of an incident: {entry.at.text} {entry.text}
        </span>
      </label>
    ) : null}
    <div class="account-body">
      <p class="account-head">
        <a class="account-link" href={entry.href} aria-label={`Link to this entry, ${entry.at.text}`}>
          <Time {...entry.at} />
        </a>{' '}
        <span class="account-label">{entry.label}</span>{' '}
        {entry.state ? (
          <span class="state-word">
            <StateIcon state={entry.state} /> {entry.stateWord}
          </span>
        ) : null}{' '}
        {entry.subject ? <a href={entry.subject.href}>{entry.subject.text}</a> : null}
      </p>
      <p class="account-text">
        {entry.text} {entry.status ? <strong>{entry.status}</strong> : null}
      </p>
      {entry.changes.length > 0 ? (
        <ul class="changes">
          {entry.changes.map((change) => (
            <li>
              {change.label}: <span class="before">{change.before || '–'}</span> →{' '}
              <strong>{change.after || '–'}</strong>
            </li>
          ))}
        </ul>
      ) : null}
      {entry.measured ? <p class="muted">Measured after: {entry.measured}</p> : null}
      {entry.actor ? (
        <p class="muted">
          By {entry.actor}
          {entry.why ? `. Why: ${entry.why}` : ''}
        </p>
      ) : null}
      {entry.notes.length > 0 ? (
        <ul class="account-notes">
          {entry.notes.map((note) => (
            <Note {...note} />
          ))}
        </ul>
      ) : null}
      {entry.canWrite ? <Annotate entry={entry.entry} at={entry.at.text} /> : null}
      {entry.isOwn ? <EditNote id={entry.entry} text={entry.text} /> : null}
    </div>
  </li>
);

const Note: FC<TimelineNoteProps> = (note) => (
  <li>
    <strong>{note.actor}</strong> <Time {...note.at} />: {note.text}
    {note.isOwn ? <EditNote id={note.id} text={note.text} /> : null}
  </li>
);

const Annotate: FC<{ readonly entry: string; readonly at: string }> = ({ entry, at }) => (
  <details class="account-note">
    <summary>
      Annotate<span class="visually-hidden"> the entry of {at}</span>
    </summary>
    <form method="post" action="/timeline/notes">
      <input type="hidden" name="about" value={entry} />
      <label>
        Note
        <input type="text" name="text" required maxlength={200} />
      </label>
      <button type="submit" class="button">
        Add
      </button>
    </form>
  </details>
);

const EditNote: FC<{ readonly id: string; readonly text: string }> = ({ id, text }) => (
  <details class="account-note">
    <summary>Change</summary>
    <form method="post" action={`/timeline/notes/${encodeURIComponent(id)}`}>
      <label>
        Note
        <input type="text" name="text" value={text} required maxlength={200} />
      </label>
      <button type="submit" class="button">
        Save
      </button>
      <button type="submit" class="button" name="remove" value="yes" formnovalidate>
        Remove
      </button>
    </form>
  </details>
);
