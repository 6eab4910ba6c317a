import { followsFrom } from '../findings/follows.js';
import { compareSeverity, troubleCode } from '../findings/track.js';
import type { ActivityEntry } from '../model/activity-entry.js';
import type { ActivityRow, ActivitySpan } from '../model/activity-row.js';
import type { FindingKey } from '../model/finding.js';
import { formatThings } from '../model/format.js';
import { plainName } from '../model/words.js';
import type { Episode } from './episode.js';
import { placeOfEpisode, worstInWords } from './episode-keeper.js';

/**
 * The activity as people read it: one row for one trouble, from its beginning to its end, with the alerts about it and under
 * what it follows from, instead of a line for each thing that the console noticed. Pure.
 */

/** What an alert was about, by the `ref` of its entries. */
interface AlertTrace {
  readonly id: string;
  /** null: it is over a signal. */
  readonly findingKey: FindingKey | null;
  /** Code of the finding, or `signal:` and its name. */
  readonly code: string;
}

export interface ActivityFacts {
  readonly entries: readonly ActivityEntry[];
  readonly episodes: readonly Episode[];
  readonly alerts: readonly AlertTrace[];
  /** What an action is called. */
  readonly titleOf: (action: string) => string;
}

/** A trouble that is away for no longer than this goes on. */
const PAUSE_MS = 60_000;
/** An effect is noticed this much before its cause at most: both are looked at every few seconds. */
const NOTICED_BEFORE_MS = 15_000;
/** An alert that waits for long fires after what it is about has gone. */
const FIRES_AFTER_MS = 60_000;
/** One order to several targets is carried out within this. */
const TOGETHER_MS = 2_000;
/** A deploy stops and starts its workers within this. */
const WORKERS_TOGETHER_MS = 60_000;

/** Of the numbers at its worst a row has the first. */
const MAX_NUMBERS = 2;

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
  return inOrder([...linked, ...rowsOfRest(rest, facts.titleOf)]);
}

/** Episodes of one trouble of one place that hardly stop in between. */
interface Trouble {
  readonly episodes: readonly Episode[];
  readonly entries: ActivityEntry[];
}

function troublesOf(episodes: readonly Episode[], entries: readonly ActivityEntry[]): readonly Trouble[] {
  const open: Episode[][] = [];
  for (const episode of [...episodes].sort((a, b) => a.beganAtMs - b.beganAtMs)) {
    const known = open.find(
      (others) => others.some((other) => isSameTrouble(other, episode)) && !hasPaused(others, episode),
    );
    if (known) known.push(episode);
    else open.push([episode]);
  }
  return open.map((of) => ({
    episodes: of,
    entries: entries.filter(({ group, ref }) => group === 'findings' && isOneOf(of, ref)),
  }));
}

/** A Redis that fills and one that is full are one trouble: the first is what the second was called before. */
const MEMORY_CODES = /^redis\.(filling|full)$/;

function isSameTrouble(a: Episode, b: Episode): boolean {
  const isSameKind =
    troubleCode(a.code) === troubleCode(b.code) || (MEMORY_CODES.test(a.code) && MEMORY_CODES.test(b.code));
  return (
    isSameKind &&
    a.instance === b.instance &&
    a.queue === b.queue &&
    a.node === b.node &&
    a.jobType === b.jobType
  );
}

function hasPaused(others: readonly Episode[], next: Episode): boolean {
  return others.every(({ endedAtMs }) => endedAtMs !== null && next.beganAtMs - endedAtMs > PAUSE_MS);
}

function isOneOf(episodes: readonly Episode[], id: string | null): boolean {
  return episodes.some((episode) => episode.id === id);
}

function isAlert({ kind }: ActivityEntry): boolean {
  return kind === 'alert.firing' || kind === 'alert.resolved';
}

/** The trouble that an alert is about, or that it follows from. */
function troubleOfAlert(
  troubles: readonly Trouble[],
  { findingKey, code }: AlertTrace,
  { atMs, instance, queue }: ActivityEntry,
): Trouble | undefined {
  const near = troubles.filter(
    ({ episodes }) =>
      episodes[0]?.instance === instance &&
      startOf(episodes) <= atMs + NOTICED_BEFORE_MS &&
      (endOf(episodes) ?? atMs) >= atMs - FIRES_AFTER_MS,
  );
  return (
    near.find(({ episodes }) => episodes.some(({ key }) => key === findingKey)) ??
    near.find(({ episodes }) =>
      episodes.some((episode) =>
        followsFrom({ cause: code, queue }, { cause: episode.code, queue: episode.queue }),
      ),
    )
  );
}

function startOf(episodes: readonly Episode[]): number {
  return Math.min(...episodes.map(({ beganAtMs }) => beganAtMs));
}

/** null: it lasts. */
function endOf(episodes: readonly Episode[]): number | null {
  const ends = episodes.flatMap(({ endedAtMs }) => (endedAtMs === null ? [] : [endedAtMs]));
  return ends.length < episodes.length ? null : Math.max(...ends);
}

/** null: nothing of it is among the entries that are read. */
function rowOfTrouble({ episodes, entries: found }: Trouble): ActivityRow | null {
  const entries = [...found].sort((a, b) => a.atMs - b.atMs);
  const [first] = entries;
  // Of several the worst says what it was; of those the last.
  const worst = [...episodes].sort(
    (a, b) => compareSeverity(a.severity, b.severity) || b.beganAtMs - a.beganAtMs,
  )[0];
  if (!first || !worst) return null;
  const times = episodes.filter(({ code }) => code === worst.code).length;
  return {
    id: first.id,
    group: 'findings',
    headline: `${headlineOf(worst)}${placeOfEpisode(worst)}`,
    detail: [times > 1 ? `${times} times` : '', worstInWords(worst, MAX_NUMBERS)].filter(Boolean).join(', '),
    state: worst.severity,
    instance: worst.instance,
    queue: worst.queue,
    fromMs: startOf(episodes),
    toMs: endOf(episodes),
    spans: episodes.flatMap((episode) => spansOf(episode, entries)),
    entries,
    alerts: entries.filter(({ kind }) => kind === 'alert.firing').length,
    follows: null,
  };
}

/** What was said of the future is not said of the past. */
function headlineOf({ code, headline }: Episode): string {
  return code === 'redis.filling' ? 'Redis was filling' : headline;
}

/** A warning until it has become critical. */
function spansOf(episode: Episode, entries: readonly ActivityEntry[]): readonly ActivitySpan[] {
  const { id, beganAtMs: fromMs, endedAtMs: toMs, severity: state } = episode;
  const of = (kind: string) => entries.find((entry) => entry.ref === id && entry.kind === kind);
  const worse = of('finding.worsened');
  const entry = (of('finding.began') ?? entries[0])?.id ?? id;
  if (!worse) return [{ fromMs, toMs, state, entry }];
  return [
    { fromMs, toMs: worse.atMs, state: 'warning', entry },
    { fromMs: worse.atMs, toMs, state: 'critical', entry: worse.id },
  ];
}

/** By the id of a trouble's row: that of the row that it follows from, which follows from none itself. */
function causesOf(troubles: readonly Trouble[]): ReadonlyMap<string, string> {
  const causes = new Map<string, string>();
  for (const effect of troubles) {
    const cause = troubles.find((one) => one !== effect && isCause(one, effect));
    if (cause) causes.set(idOf(effect), idOf(cause));
  }
  // Chains go to their root, as a row stands under one that is not indented itself.
  for (const [effect, cause] of causes) {
    let root = cause;
    for (let next = causes.get(root); next !== undefined && next !== effect; next = causes.get(root))
      root = next;
    if (root === effect) causes.delete(effect);
    else causes.set(effect, root);
  }
  return causes;
}

function idOf({ entries }: Trouble): string {
  return (
    entries.reduce<ActivityEntry | null>(
      (first, entry) => (first === null || entry.atMs < first.atMs ? entry : first),
      null,
    )?.id ?? ''
  );
}

function isCause(cause: Trouble, effect: Trouble): boolean {
  const [start, end] = [startOf(cause.episodes), endOf(cause.episodes)];
  const beganAtMs = startOf(effect.episodes);
  return (
    cause.entries.length > 0 &&
    beganAtMs >= start - NOTICED_BEFORE_MS &&
    (end === null || beganAtMs <= end) &&
    effect.episodes.every((one) =>
      cause.episodes.some(
        (other) =>
          other.instance === one.instance &&
          followsFrom({ cause: one.code, queue: one.queue }, { cause: other.code, queue: other.queue }),
      ),
    )
  );
}

/** What people do is audited and recorded in the same words at the same moment: one of them is enough. */
function withoutTwins(entries: readonly ActivityEntry[]): readonly ActivityEntry[] {
  const audited_ = new Set(
    entries.filter(({ audited }) => audited === null).map(({ atMs, text }) => `${atMs} ${text}`),
  );
  return entries.filter(({ audited, atMs, text }) => audited === null || !audited_.has(`${atMs} ${text}`));
}

/** What is about no finding: what belongs together by its time, by what it is about, or by itself. */
function rowsOfRest(
  entries: readonly ActivityEntry[],
  titleOf: ActivityFacts['titleOf'],
): readonly ActivityRow[] {
  const groups: ActivityEntry[][] = [];
  for (const entry of entries) {
    const known = groups.findLast((group) => belongsTo(group, entry));
    if (known) known.push(entry);
    else groups.push([entry]);
  }
  return groups.map((group) => rowOfGroup(group, titleOf));
}

function belongsTo(group: readonly ActivityEntry[], entry: ActivityEntry): boolean {
  const [first, last] = [group[0], group.at(-1)];
  if (!first || !last || first.group !== entry.group || first.instance !== entry.instance) return false;
  const passedMs = entry.atMs - last.atMs;
  switch (entry.group) {
    case 'workers':
      return passedMs <= WORKERS_TOGETHER_MS;
    case 'actions':
      return (
        passedMs <= TOGETHER_MS &&
        first.kind === entry.kind &&
        first.actor === entry.actor &&
        first.audited?.reason === entry.audited?.reason
      );
    case 'redis':
      return last.kind === 'redis.unreachable' && entry.kind === 'redis.back';
    case 'alerts':
    case 'incidents':
      return entry.ref !== null && first.ref === entry.ref;
    default:
      return entry.group === 'findings' && entry.ref !== null && first.ref === entry.ref;
  }
}

/** Ends of what began with another kind. */
const ENDS: ReadonlySet<string> = new Set([
  'redis.back',
  'alert.resolved',
  'incident.closed',
  'finding.ended',
]);
const BEGINS: ReadonlySet<string> = new Set([
  'redis.unreachable',
  'alert.firing',
  'incident.opened',
  'finding.began',
]);

function rowOfGroup(entries: readonly ActivityEntry[], titleOf: ActivityFacts['titleOf']): ActivityRow {
  const [first, last] = [entries[0], entries.at(-1)];
  if (!first || !last) throw new Error('a group holds at least one');
  const end = entries.find(({ kind }) => ENDS.has(kind));
  const lasts = BEGINS.has(first.kind);
  const state = worstState(entries);
  const toMs = lasts ? (end?.atMs ?? null) : last.atMs;
  const drawn = state === null || state === 'calm' ? 'info' : state;
  const queues = new Set(entries.map(({ queue }) => queue));
  return {
    id: first.id,
    group: first.group,
    headline: headlineOfGroup(entries, titleOf),
    detail: first.audited === null ? '' : changeInWords(entries),
    state,
    instance: first.instance,
    queue: queues.size === 1 ? first.queue : null,
    fromMs: first.atMs,
    toMs,
    spans: lasts ? [{ fromMs: first.atMs, toMs, state: drawn, entry: first.id }] : [],
    entries,
    alerts: entries.filter(({ kind }) => kind === 'alert.firing').length,
    follows: null,
  };
}

function headlineOfGroup(entries: readonly ActivityEntry[], titleOf: ActivityFacts['titleOf']): string {
  const [first] = entries;
  if (!first) return '';
  if (first.group === 'workers' && entries.length > 1) return workersInWords(entries);
  if (first.audited === null) return first.text;
  const title = titleOf(first.audited.action);
  const failed = first.audited.status === 'applied' ? '' : `: ${first.audited.status}`;
  return entries.length > 1 ? `${title}, ${formatThings(entries.length, 'target')}` : `${title}${failed}`;
}

function changeInWords(entries: readonly ActivityEntry[]): string {
  const [first] = entries;
  if (!first) return '';
  const changes = (first.audited?.changes ?? []).map(
    ({ label, before, after }) => `${label} ${before || '–'} → ${after || '–'}`,
  );
  if (entries.length > 1) return queuesInWords(entries);
  return changes.length === 0 ? first.text : changes.slice(0, 2).join(', ');
}

const WORKER_WORDS: readonly (readonly [kind: string, words: string])[] = [
  ['worker.crashed', 'crashed'],
  ['worker.left', 'stopped'],
  ['worker.joined', 'started'],
  ['agent.resubscribed', 'reconnected'],
];
const MAX_NAMED = 2;

/** "2 workers stopped, 2 started: api, mail" */
function workersInWords(entries: readonly ActivityEntry[]): string {
  const parts = WORKER_WORDS.flatMap(([kind, words]) => {
    const count = entries.filter((entry) => entry.kind === kind).length;
    return count === 0 ? [] : [{ count, words }];
  });
  const counted = parts.map(({ count, words }, i) =>
    i === 0 ? `${formatThings(count, 'worker')} ${words}` : `${count} ${words}`,
  );
  const where = queuesInWords(entries);
  return counted.length === 0
    ? (entries[0]?.text ?? '')
    : `${counted.join(', ')}${where === '' ? '' : `: ${where}`}`;
}

/** "api, mail and 3 more"; empty: about none. */
function queuesInWords(entries: readonly ActivityEntry[]): string {
  const queues = [...new Set(entries.flatMap(({ queue }) => (queue === null ? [] : [queue])))];
  const named = queues.slice(0, MAX_NAMED).map((id) => plainName(id.replace(/^bull:/, '')));
  const more = queues.length - named.length;
  return `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

const STATES = ['critical', 'warning', 'info', 'calm'] as const;

function worstState(entries: readonly ActivityEntry[]): ActivityEntry['state'] {
  return STATES.find((state) => entries.some((entry) => entry.state === state)) ?? null;
}

function inOrder(rows: readonly ActivityRow[]): readonly ActivityRow[] {
  const byId = new Set(rows.map(({ id }) => id));
  const isRoot = ({ follows }: ActivityRow): boolean => follows === null || !byId.has(follows);
  const roots = rows.filter(isRoot).sort((a, b) => b.fromMs - a.fromMs || (a.id < b.id ? 1 : -1));
  const effects = rows.filter((row) => !isRoot(row)).sort((a, b) => a.fromMs - b.fromMs);
  return roots.flatMap((root) => [root, ...effects.filter(({ follows }) => follows === root.id)]);
}
