import type { FC } from 'hono/jsx';
import type { ActivityEntry } from '../server/model/activity-entry.js';
import type { ActivityRow } from '../server/model/activity-row.js';
import { formatDuration, formatThings } from '../server/model/format.js';
import { includesRole } from '../server/model/role.js';
import { ALL_INSTANCES } from '../server/model/timeline-entry.js';
import { plainName, plainSentence } from '../server/model/words.js';
import { aboutPath } from './links.js';
import { StateIcon } from './state.js';
import { Time } from './time.js';
import { type ActivityReader, TimelineRow } from './timeline-entry.js';
import { elementId, moment } from './words.js';

const STATE_WORDS: Readonly<Record<NonNullable<ActivityEntry['state']>, string>> = {
  critical: 'critical',
  warning: 'warning',
  info: 'info',
  calm: 'resolved',
};

/** Rows newest first; each opens to what happened in it. */
export const ActivityRows: FC<{ readonly rows: readonly ActivityRow[]; readonly reader: ActivityReader }> = ({
  rows,
  reader,
}) => (
  <ol id="activity-rows" class="activity-rows">
    {rows.map((row) => (
      <Row row={row} reader={reader} />
    ))}
  </ol>
);

const Row: FC<{ readonly row: ActivityRow; readonly reader: ActivityReader }> = ({ row, reader }) => {
  const [first, last] = [row.entries[0], row.entries.at(-1)];
  const about = first && aboutPath(first);
  const isBad = row.state === 'critical' || row.state === 'warning';
  const isTarget = row.entries.some(({ id }) => id === reader.target);
  return (
    <li
      id={elementId('row', row.id)}
      class={`activity-row${isBad ? ` has-state state-${row.state}` : ''}${row.follows === null ? '' : ' follows'}`}
      data-at-ms={String(row.fromMs)}
    >
      {includesRole(reader.actor.role, 'operator') ? (
        <label class="activity-tick">
          <input type="checkbox" name="entry" value={`${row.id},${last?.id ?? row.id}`} form="declare" />
          <span class="visually-hidden">Part of an incident: {row.headline}</span>
        </label>
      ) : null}
      <details open={isTarget}>
        <summary class="activity-summary">
          <span class="activity-when">
            <Time {...moment(row.fromMs, reader.nowMs)} />
          </span>{' '}
          <span class="activity-what">
            {row.follows === null ? '' : '↳ '}
            {row.state && row.state !== 'calm' && isBad ? (
              <span class="state-word">
                <StateIcon state={row.state} /> {STATE_WORDS[row.state]}
              </span>
            ) : null}{' '}
            <strong>{plainSentence(row.headline)}</strong>{' '}
            <span class="muted">
              {[lastedInWords(row, reader.nowMs), plainSentence(row.detail), countsInWords(row)]
                .filter(Boolean)
                .join(' · ')}
            </span>
          </span>
        </summary>
        <ol class="activity-entries">
          {row.entries.map((entry) => (
            <TimelineRow entry={entry} reader={reader} />
          ))}
        </ol>
      </details>
      {about ? (
        <a class="activity-about" href={about}>
          {placeInWords(row, reader.hasManyInstances)}
        </a>
      ) : null}
    </li>
  );
};

/** "lasted 1 min 24 s", "since 12 s"; empty: it is a moment. */
function lastedInWords({ fromMs, toMs }: ActivityRow, nowMs: number): string {
  const seconds = Math.max(0, (toMs ?? nowMs) - fromMs) / 1000;
  if (toMs === null) return `for ${formatDuration(seconds)}, not over`;
  return seconds < 1 ? '' : `lasted ${formatDuration(seconds)}`;
}

function countsInWords({ alerts, entries, group }: ActivityRow): string {
  const notes = entries.reduce((sum, { notes: of }) => sum + of.length, 0);
  return [
    alerts > 0 && group !== 'alerts' ? formatThings(alerts, 'alert') : '',
    notes > 0 ? formatThings(notes, 'note') : '',
  ]
    .filter(Boolean)
    .join(' · ');
}

function placeInWords({ group, instance, queue, entries }: ActivityRow, hasManyInstances: boolean): string {
  if (group === 'incidents') return 'Open';
  if (group === 'replays' || entries[0]?.kind.startsWith('action.replay.')) return 'Replays';
  const where = instance === ALL_INSTANCES ? 'Workers' : `Redis ${instance}`;
  if (queue === null) return group === 'workers' ? 'Workers' : where;
  const name = plainName(entries[0]?.worker ?? queue.replace(/^bull:/, ''));
  return hasManyInstances ? `${where} · ${name}` : name;
}
