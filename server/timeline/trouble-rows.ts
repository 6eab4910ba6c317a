import { followsFrom } from '../findings/follows.js';
import { compareSeverity, troubleCode } from '../findings/track.js';
import type { ActivityEntry } from '../model/activity-entry.js';
import type { ActivityRow, ActivitySpan } from '../model/activity-row.js';
import type { FindingKey } from '../model/finding.js';
import { type Episode, headlineOfEpisode } from './episode.js';
import { placeOfEpisode, worstInWords } from './episode-keeper.js';

/** What an alert was about, by the `ref` of its entries. */
export interface AlertTrace {
  readonly id: string;
  /** null: it is over a signal. */
  readonly findingKey: FindingKey | null;
  /** Code of the finding, or `signal:` and its name. */
  readonly code: string;
}

/** A trouble that is away for no longer than this goes on. */
const PAUSE_MS = 60_000;

/** An effect is noticed this much before its cause at most: both are looked at every few seconds. */
const NOTICED_BEFORE_MS = 15_000;

/** An alert that waits for long fires after what it is about has gone. */
const FIRES_AFTER_MS = 60_000;

/** Of the numbers at its worst a row has the first. */
const MAX_NUMBERS = 2;

/** Episodes of one trouble of one place that hardly stop in between. */
interface Trouble {
  readonly episodes: readonly Episode[];
  readonly entries: ActivityEntry[];
}

export function troublesOf(
  episodes: readonly Episode[],
  entries: readonly ActivityEntry[],
): readonly Trouble[] {
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

export function isOneOf(episodes: readonly Episode[], id: string | null): boolean {
  return episodes.some((episode) => episode.id === id);
}

/** The trouble that an alert is about, or that it follows from. */
export function troubleOfAlert(
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
export function rowOfTrouble({ episodes, entries: found }: Trouble): ActivityRow | null {
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
    headline: `${headlineOfEpisode(worst)}${placeOfEpisode(worst)}`,
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
export function causesOf(troubles: readonly Trouble[]): ReadonlyMap<string, string> {
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
