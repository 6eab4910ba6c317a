import { troubleCode } from '../findings/track.js';
import type { Finding, FindingKey } from '../model/finding.js';
import { type Episode, episodeOf, isOf, isToldBy, toldSeverity, worstOf } from './episode.js';

/** A finding that comes and goes within this is not told. */
export const BEGIN_HELD_MS = 5_000;
/** As long it must be worse, until that is told. */
export const WORSE_HELD_MS = 5_000;
/** As long it must be away, until its end is told. */
export const END_HELD_MS = 15_000;
/**
 * After a restart the console has to look this long before it says that a trouble is over: rates, rows of failures and
 * queues that stand still are known only after a while.
 */
export const RESUMED_HELD_MS = 120_000;
/** A storm of findings is told up to here; the store and the reader have bounds. */
const MAX_OPEN = 500;

export interface OpenEpisode {
  readonly episode: Episode;
  /** Since when it is worse than told; null: it is not. */
  readonly worseSinceMs: number | null;
  /** Since when it is not found, while the console sees; null: it is found. */
  readonly awaySinceMs: number | null;
  /** It was open when this console started, and has not been found since. */
  readonly isUnconfirmed: boolean;
}

/** What is known from tick to tick; the episodes in it are kept in the store too. */
export interface EpisodeStore {
  readonly open: readonly OpenEpisode[];
  /** By key: since when, in an unbroken row, a finding that is not told yet has been a warning or worse. */
  readonly fresh: ReadonlyMap<FindingKey, { readonly instance: string; readonly sinceMs: number }>;
}

export interface EpisodeEvent {
  readonly kind: 'began' | 'worsened' | 'ended';
  readonly episode: Episode;
  readonly atMs: number;
  /** It ended at a time that nobody saw: between `episode.lastSeenAtMs` and `atMs` at the latest. */
  readonly isUnseen: boolean;
}

export const NO_SPELLS: EpisodeStore = { open: [], fresh: new Map() };

/** The book of a console that starts: what is open in the store is not begun again. */
export function resumedBook(episodes: readonly Episode[]): EpisodeStore {
  return {
    open: episodes.map((episode) => ({
      episode,
      worseSinceMs: null,
      awaySinceMs: null,
      isUnconfirmed: true,
    })),
    fresh: new Map(),
  };
}

/**
 * One tick of one instance. Pure.
 * @param findings of that instance; those that are only last seen keep their episode and add nothing to it.
 * @param isLive can the console see that instance? What it can't see neither begins nor ends.
 * @param newId gives the id of an episode that begins.
 */
export function stepEpisodes(
  book: EpisodeStore,
  tick: {
    readonly instance: string;
    readonly findings: readonly Finding[];
    readonly isLive: boolean;
    readonly nowMs: number;
  },
  newId: () => string,
): { readonly book: EpisodeStore; readonly told: readonly EpisodeEvent[] } {
  const told: EpisodeEvent[] = [];
  const others = book.open.filter(({ episode }) => episode.instance !== tick.instance);
  const own = book.open.filter(({ episode }) => episode.instance === tick.instance);
  const open = own.flatMap((one) => goOn(one, tick, told));
  const fresh = new Map([...book.fresh].filter(([, { instance }]) => instance !== tick.instance));
  for (const finding of tick.findings) {
    if (toldSeverity(finding.severity) === null || finding.lastSeenAtMs !== undefined) continue;
    if (open.some(({ episode }) => isSame(episode, finding))) continue;
    const sinceMs = book.fresh.get(finding.key)?.sinceMs ?? tick.nowMs;
    if (tick.nowMs - sinceMs < BEGIN_HELD_MS || open.length + others.length >= MAX_OPEN) {
      fresh.set(finding.key, { instance: tick.instance, sinceMs });
      continue;
    }
    const episode = episodeOf(newId(), finding, sinceMs, tick.nowMs);
    open.push({ episode, worseSinceMs: null, awaySinceMs: null, isUnconfirmed: false });
    told.push({ kind: 'began', episode, atMs: sinceMs, isUnseen: false });
  }
  return { book: { open: [...others, ...open], fresh }, told };
}

/** A finding of one queue of a group that is told together is no trouble of its own. */
function isSame(episode: Episode, finding: Finding): boolean {
  return (
    isOf(episode, finding) ||
    (troubleCode(episode.code) === troubleCode(finding.code) &&
      finding.queue !== null &&
      episode.queues.includes(finding.queue))
  );
}

function goOn(
  one: OpenEpisode,
  tick: { readonly findings: readonly Finding[]; readonly isLive: boolean; readonly nowMs: number },
  told: EpisodeEvent[],
): readonly OpenEpisode[] {
  const { nowMs } = tick;
  const found = tick.findings.filter((finding) => isToldBy(one.episode, finding));
  const own = found.find((finding) => isOf(one.episode, finding));
  if (own && own.lastSeenAtMs === undefined && toldSeverity(own.severity) !== null)
    return [seen(one, own, nowMs, told)];
  const isElsewhere = found.some((finding) => finding !== own);
  if (isElsewhere && tick.isLive)
    return [
      { ...one, episode: { ...one.episode, lastSeenAtMs: nowMs }, awaySinceMs: null, isUnconfirmed: false },
    ];
  // What it was last seen as holds until the console sees again: all of the Redis, or the queue or master it is about.
  if (!tick.isLive || found.some(({ lastSeenAtMs }) => lastSeenAtMs !== undefined))
    return [{ ...one, awaySinceMs: null }];
  const awaySinceMs = one.awaySinceMs ?? nowMs;
  if (nowMs - awaySinceMs < (one.isUnconfirmed ? RESUMED_HELD_MS : END_HELD_MS))
    return [{ ...one, awaySinceMs, worseSinceMs: null }];
  const endedAtMs = one.isUnconfirmed ? one.episode.lastSeenAtMs : awaySinceMs;
  told.push({
    kind: 'ended',
    episode: { ...one.episode, endedAtMs },
    atMs: awaySinceMs,
    isUnseen: one.isUnconfirmed,
  });
  return [];
}

function seen(one: OpenEpisode, finding: Finding, nowMs: number, told: EpisodeEvent[]): OpenEpisode {
  const isWorse = one.episode.severity === 'warning' && finding.severity === 'critical';
  const worseSinceMs = isWorse ? (one.worseSinceMs ?? nowMs) : null;
  const isTold = worseSinceMs !== null && nowMs - worseSinceMs >= WORSE_HELD_MS;
  const episode: Episode = {
    ...one.episode,
    lastSeenAtMs: nowMs,
    queues: finding.queues ?? one.episode.queues,
    worst: worstOf(one.episode.worst, finding.evidence),
    ...(isTold ? { severity: 'critical' as const, title: finding.title } : {}),
  };
  if (isTold) told.push({ kind: 'worsened', episode, atMs: worseSinceMs, isUnseen: false });
  return { episode, worseSinceMs: isTold ? null : worseSinceMs, awaySinceMs: null, isUnconfirmed: false };
}
