import type { ActivityEntry } from '../model/activity-entry.js';
import type { ActivityRow } from '../model/activity-row.js';
import type { Episode } from './episode.js';
import { momentRows } from './moment-rows.js';
import {
  type AlertTrace,
  causesOf,
  isOneOf,
  rowOfTrouble,
  troubleOfAlert,
  troublesOf,
} from './trouble-rows.js';

/**
 * The activity as people read it: one row for one trouble, from its beginning to its end, with the alerts about it and under
 * what it follows from, instead of a line for each thing that the console noticed. Pure.
 */

export interface ActivityFacts {
  readonly entries: readonly ActivityEntry[];
  readonly episodes: readonly Episode[];
  readonly alerts: readonly AlertTrace[];
  /** What an action is called. */
  readonly titleOf: (action: string) => string;
}

/** @returns newest first; what follows from a row comes right after it. */
export function groupActivity(facts: ActivityFacts): readonly ActivityRow[] {
  const entries = withoutTwins([...facts.entries].sort((a, b) => a.atMs - b.atMs || (a.id < b.id ? -1 : 1)));
  const troubles = troublesOf(facts.episodes, entries);
  const traces = new Map(facts.alerts.map((alert) => [alert.id, alert]));
  const rest: ActivityEntry[] = [];
  for (const entry of entries) {
    if (entry.group === 'findings' && troubles.some(({ episodes }) => isOneOf(episodes, entry.ref))) continue;
    const trace = isAlert(entry) && entry.ref !== null ? traces.get(entry.ref) : undefined;
    const trouble = trace && troubleOfAlert(troubles, trace, entry);
    if (trouble) trouble.entries.push(entry);
    else rest.push(entry);
  }
  const rows = troubles.flatMap((trouble) => rowOfTrouble(trouble) ?? []);
  const causes = causesOf(troubles);
  const linked = rows.map((row) => ({ ...row, follows: causes.get(row.id) ?? null }));
  return inOrder([...linked, ...momentRows(rest, facts.titleOf)]);
}

function isAlert({ kind }: ActivityEntry): boolean {
  return kind === 'alert.firing' || kind === 'alert.resolved';
}

/** What people do is audited and recorded in the same words at the same moment: one of them is enough. */
function withoutTwins(entries: readonly ActivityEntry[]): readonly ActivityEntry[] {
  const onTimeline = new Set(
    entries.filter(({ audited }) => audited === null).map(({ atMs, text }) => `${atMs} ${text}`),
  );
  return entries.filter(({ audited, atMs, text }) => audited === null || !onTimeline.has(`${atMs} ${text}`));
}

function inOrder(rows: readonly ActivityRow[]): readonly ActivityRow[] {
  const byId = new Set(rows.map(({ id }) => id));
  const isRoot = ({ follows }: ActivityRow): boolean => follows === null || !byId.has(follows);
  const roots = rows.filter(isRoot).sort((a, b) => b.fromMs - a.fromMs || (a.id < b.id ? 1 : -1));
  const effects = rows.filter((row) => !isRoot(row)).sort((a, b) => a.fromMs - b.fromMs);
  return roots.flatMap((root) => [root, ...effects.filter(({ follows }) => follows === root.id)]);
}
