import type { ActivityEntry } from '../model/activity-entry.js';
import type { ActivityRow } from '../model/activity-row.js';
import { formatThings } from '../model/format.js';
import { plainName } from '../model/words.js';

/** What an action is called. */
type TitleOf = (action: string) => string;

/** One order to several targets is carried out within this. */
const TOGETHER_MS = 2_000;

/** A deploy stops and starts its workers within this. */
const WORKERS_TOGETHER_MS = 60_000;

/** What is about no finding: what belongs together by its time, by what it is about, or by itself. */
export function momentRows(entries: readonly ActivityEntry[], titleOf: TitleOf): readonly ActivityRow[] {
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

function rowOfGroup(entries: readonly ActivityEntry[], titleOf: TitleOf): ActivityRow {
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

function headlineOfGroup(entries: readonly ActivityEntry[], titleOf: TitleOf): string {
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
