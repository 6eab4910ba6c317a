import type { State } from '../../../views/state.js';
import type { TimelineDayProps, TimelineEntryProps } from '../../../views/timeline-entry.js';
import { moment } from '../../../views/words.js';
import { findAction } from '../../actions/index.js';
import { formatThings } from '../../model/format.js';
import { type Actor, includesRole } from '../../model/role.js';
import { ALL_INSTANCES } from '../../model/timeline-entry.js';
import { plainName } from '../../model/words.js';
import type { ActivityEntry } from '../../timeline/activity.js';
import { entryElementId, entryLinks } from '../entry-links.js';

export interface ActivityContext {
  readonly actor: Actor;
  readonly hasManyInstances: boolean;
  /** Id of the entry that the reader came for. */
  readonly target: string | null;
}

const LABELS: Readonly<Record<string, string>> = {
  'marker.deploy': 'Deploy',
  'marker.note': 'Note',
  'finding.began': 'Finding',
  'finding.worsened': 'Finding, worse',
  'finding.ended': 'Finding, over',
  'alert.firing': 'Alert',
  'alert.resolved': 'Alert, over',
  'incident.opened': 'Incident',
  'incident.closed': 'Incident, closed',
};
const GROUP_LABELS: Readonly<Record<ActivityEntry['group'], string>> = {
  findings: 'Finding',
  alerts: 'Alert',
  actions: 'Action',
  markers: 'Note',
  redis: 'Redis',
  replays: 'Replay',
  workers: 'Worker',
  console: 'Console',
  incidents: 'Incident',
  other: 'Event',
};
const STATE_WORDS: Readonly<Record<NonNullable<ActivityEntry['state']>, string>> = {
  critical: 'critical',
  warning: 'warning',
  info: 'info',
  calm: 'better',
};

/** Entries, newest first, under their days. */
export function daysOf(
  entries: readonly ActivityEntry[],
  context: ActivityContext,
): readonly TimelineDayProps[] {
  const days = new Map<string, ActivityEntry[]>();
  for (const entry of entries) {
    const day = new Date(entry.atMs).toISOString().slice(0, 10);
    const known = days.get(day);
    if (known) known.push(entry);
    else days.set(day, [entry]);
  }
  return [...days].map(([day, ofDay]) => {
    const count = (state: ActivityEntry['state']): number =>
      ofDay.filter((entry) => entry.state === state).length;
    const [critical, warnings] = [count('critical'), count('warning')];
    return {
      id: `day-${day}`,
      title: `${WEEKDAYS[new Date(`${day}T00:00:00Z`).getUTCDay()]}, ${day}`,
      worst: [
        critical > 0 ? `${critical} critical` : '',
        warnings > 0 ? formatThings(warnings, 'warning') : '',
      ]
        .filter((part) => part !== '')
        .join(', '),
      state: critical > 0 ? 'critical' : warnings > 0 ? 'warning' : 'calm',
      entries: ofDay.map((entry) => entryOf(entry, context)),
    };
  });
}

const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const;

function entryOf(
  entry: ActivityEntry,
  { actor, hasManyInstances, target }: ActivityContext,
): TimelineEntryProps {
  const { audited, state } = entry;
  const canWrite = includesRole(actor.role, 'operator');
  const isOwn = (by: string | null): boolean =>
    canWrite && by !== null && (by === actor.name || includesRole(actor.role, 'admin'));
  const links = entryLinks(entry);
  // Under the day's heading the time alone; moment() leaves the date out for what is near to `now`.
  const at = (atMs: number) => moment(atMs, atMs);
  return {
    id: entryElementId(entry.id),
    entry: entry.id,
    atMs: entry.atMs,
    at: at(entry.atMs),
    label: audited
      ? (findAction(audited.action)?.title ?? ACTION_TITLES[audited.action] ?? audited.action)
      : (LABELS[entry.kind] ?? GROUP_LABELS[entry.group]),
    state: state satisfies State | null,
    stateWord: state === null ? '' : STATE_WORDS[state],
    text: entry.text,
    subject: links.about === null ? null : { text: placeOf(entry, hasManyInstances), href: links.about },
    actor: entry.actor === null ? '' : plainName(entry.actor),
    why: audited ? audited.reason || 'not said' : '',
    status: audited === null || audited.status === 'applied' ? '' : audited.status,
    changes: audited?.changes ?? [],
    measured: audited?.measured ?? '',
    notes: entry.notes.map((note) => ({
      id: note.id,
      at: moment(note.atMs, entry.atMs),
      actor: plainName(note.actor),
      text: note.text,
      isOwn: isOwn(note.actor),
    })),
    href: links.self,
    isTarget: entry.id === target,
    canWrite,
    isOwn: entry.group === 'markers' && isOwn(entry.actor),
  };
}

const ACTION_TITLES: Readonly<Record<string, string>> = {
  'replay.start': 'Replay begun',
  'replay.change': 'Replay changed',
  'replay.forget': 'Replay forgotten',
};

function placeOf({ group, instance, queue }: ActivityEntry, hasManyInstances: boolean): string {
  if (group === 'incidents') return 'open';
  const name =
    queue === null ? null : plainName(queue.startsWith('bull:') ? queue.slice('bull:'.length) : queue);
  const where = instance === ALL_INSTANCES ? 'all' : `Redis ${instance}`;
  if (name === null) return where;
  return hasManyInstances ? `${where} · ${name}` : name;
}
