import type { FC } from 'hono/jsx';
import type { ActivityEntry, ActivityNote } from '../server/model/activity-entry.js';
import { type Actor, includesRole } from '../server/model/role.js';
import { plainName, plainSentence } from '../server/model/words.js';
import { BriefLines } from './brief-lines.js';
import { entryElementId, entryPath } from './links.js';
import { Time } from './time.js';
import { moment } from './words.js';

/** Who reads the activity, and of what. */
export interface ActivityReader {
  readonly actor: Actor;
  readonly nowMs: number;
  readonly hasManyInstances: boolean;
  /** Id of the entry that the reader came for. */
  readonly target: string | null;
  /** What an action is called. */
  readonly titleOf: (action: string) => string;
}

const LABELS: Readonly<Record<string, string>> = {
  'marker.deploy': 'Deploy',
  'finding.began': 'Began',
  'finding.worsened': 'Worse',
  'finding.ended': 'Resolved',
  'alert.firing': 'Alert',
  'alert.resolved': 'Alert resolved',
};
const GROUP_LABELS: Readonly<Record<ActivityEntry['group'], string>> = {
  findings: 'Problem',
  alerts: 'Alert',
  actions: 'Action',
  markers: 'Note',
  redis: 'Redis',
  replays: 'Replay',
  workers: 'Worker',
  console: 'Spillway',
  incidents: 'Incident',
  other: 'Event',
};

/** One thing that happened, as it was recorded, with what people wrote on it. */
export const TimelineRow: FC<{ readonly entry: ActivityEntry; readonly reader: ActivityReader }> = ({
  entry,
  reader,
}) => {
  const { actor, audited } = entry;
  const isTarget = entry.id === reader.target;
  const canWrite = includesRole(reader.actor.role, 'operator');
  const at = moment(entry.atMs, reader.nowMs);
  const label = audited ? reader.titleOf(audited.action) : (LABELS[entry.kind] ?? GROUP_LABELS[entry.group]);
  return (
    <li
      id={entryElementId(entry.id)}
      class={`activity-entry${isTarget ? ' is-target' : ''}`}
      data-at-ms={String(entry.atMs)}
      aria-current={isTarget ? 'true' : undefined}
    >
      <p class="activity-entry-text">
        <a class="activity-link" href={entryPath(entry.id)} aria-label={`Link to this entry, ${at.text}`}>
          <Time {...at} />
        </a>{' '}
        <strong>{label}</strong> {plainSentence(entry.text)}{' '}
        {audited && audited.status !== 'applied' ? <strong>{audited.status}</strong> : null}{' '}
        {actor === null ? null : (
          <span class="muted">
            By {plainName(actor)}
            {audited ? `. Reason: ${audited.reason || 'none given'}` : ''}
          </span>
        )}
      </p>
      {entry.brief ? <BriefLines {...entry.brief} /> : null}
      {audited && audited.changes.length > 0 ? (
        <ul class="changes">
          {audited.changes.map((change) => (
            <li>
              {change.label}: <span class="before">{change.before || '–'}</span> →{' '}
              <strong>{change.after || '–'}</strong>
            </li>
          ))}
        </ul>
      ) : null}
      {audited?.measured ? <p class="muted">Measured after: {audited.measured}</p> : null}
      {entry.notes.length > 0 ? (
        <ul class="activity-notes">
          {entry.notes.map((note) => (
            <Note note={note} reader={reader} />
          ))}
        </ul>
      ) : null}
      {canWrite ? <AddNote entry={entry.id} at={at.text} /> : null}
      {entry.group === 'markers' && isOwn(entry.actor, reader) ? (
        <EditNote id={entry.id} text={entry.text} />
      ) : null}
    </li>
  );
};

function isOwn(by: string | null, { actor }: ActivityReader): boolean {
  return (
    by !== null &&
    includesRole(actor.role, 'operator') &&
    (by === actor.name || includesRole(actor.role, 'admin'))
  );
}

const Note: FC<{ readonly note: ActivityNote; readonly reader: ActivityReader }> = ({ note, reader }) => (
  <li>
    <strong>{plainName(note.actor)}</strong> <Time {...moment(note.atMs, reader.nowMs)} />: {note.text}
    {isOwn(note.actor, reader) ? <EditNote id={note.id} text={note.text} /> : null}
  </li>
);

const AddNote: FC<{ readonly entry: string; readonly at: string }> = ({ entry, at }) => (
  <details class="activity-note">
    <summary>
      Add note<span class="visually-hidden"> to the entry of {at}</span>
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
  <details class="activity-note">
    <summary>Edit</summary>
    <form method="post" action={`/timeline/notes/${encodeURIComponent(id)}`}>
      <label>
        Note
        <input type="text" name="text" value={text} required maxlength={200} />
      </label>
      <button type="submit" class="button">
        Save
      </button>
      <button type="submit" class="button" name="remove" value="yes" formnovalidate>
        Delete
      </button>
    </form>
  </details>
);
