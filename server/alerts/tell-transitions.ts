import { formatDuration, formatThings } from '../model/format.js';
import type { TimelineEntry } from '../model/timeline-entry.js';
import type { Alert, Transition } from './alert.js';
import { alertTitle, subjectName } from './describe.js';

/** From so many alerts of one rule in one tick on the account tells their number and not each. */
const TOLD_TOGETHER = 6;

/** What the account of an incident says of a tick: what fired and what is over. What never fired is not told. */
export function transitionEntries(
  transitions: readonly Transition[],
  nowMs: number,
): readonly Omit<TimelineEntry, 'id'>[] {
  const groups = new Map<string, Transition[]>();
  for (const transition of transitions) {
    const { kind, alert } = transition;
    if (kind !== 'firing' && kind !== 'resolved') continue;
    const key = JSON.stringify([kind, alert.ruleId, alert.subject.instance]);
    groups.set(key, [...(groups.get(key) ?? []), transition]);
  }
  return [...groups.values()].flatMap((group) =>
    group.length < TOLD_TOGETHER ? group.map((one) => entryOf(one, nowMs)) : [together(group, nowMs)],
  );
}

function entryOf({ kind, alert }: Transition, atMs: number): Omit<TimelineEntry, 'id'> {
  const { subject, summary, severity, firedAtMs, inhibitedBy } = alert;
  const why = inhibitedBy === null ? '' : ` It follows from "${inhibitedBy}" and is not told by itself.`;
  const lasted = firedAtMs === null ? '' : ` after ${formatDuration((atMs - firedAtMs) / 1000)}`;
  return {
    atMs,
    instance: subject.instance,
    kind: kind === 'firing' ? 'alert.firing' : 'alert.resolved',
    queue: subject.queue,
    worker: null,
    ...severityOf(kind, alert),
    text:
      kind === 'firing'
        ? `Alert "${alertTitle(alert)}" fires (${severity}): ${summary}${why}`
        : `Alert "${alertTitle(alert)}" about ${subjectName(subject)} is over${lasted}.`,
  };
}

/** What follows from another is kept and not marked: the other is. */
function severityOf(
  kind: Transition['kind'],
  { severity, inhibitedBy }: Alert,
): Pick<TimelineEntry, 'severity'> {
  return kind === 'firing' ? { severity: inhibitedBy === null ? severity : 'info' } : {};
}

function together(group: readonly Transition[], atMs: number): Omit<TimelineEntry, 'id'> {
  const [first] = group;
  if (!first) throw new Error('a group holds at least one');
  const { kind, alert } = first;
  const names = group.slice(0, 3).map((one) => subjectName(one.alert.subject));
  const whom = `${formatThings(group.length, 'subject')}, such as ${names.join(', ')}`;
  return {
    atMs,
    instance: alert.subject.instance,
    kind: kind === 'firing' ? 'alert.firing' : 'alert.resolved',
    queue: null,
    worker: null,
    ...severityOf(kind, alert),
    text:
      kind === 'firing'
        ? `Alert "${alert.ruleName}" fires (${alert.severity}) for ${whom}.`
        : `Alert "${alert.ruleName}" is over for ${whom}.`,
  };
}
