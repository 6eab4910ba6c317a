import { troubleCode } from '../findings/track.js';
import { briefOf } from '../model/brief.js';
import type { Finding } from '../model/finding.js';
import type { Level, Lifecycle } from '../model/lifecycle.js';
import { type Episode, episodeOf, isCoveredBy, isOf, recordedSeverity, worstEvidence } from './episode.js';
import { begin, transition } from './lifecycle.js';

/** A finding that comes and goes within this is not recorded. */
export const BEGIN_HELD_MS = 5_000;
/** As long it must be worse, until that is recorded. */
const WORSE_HELD_MS = 5_000;
/** As long it must be away, until its end is recorded. */
export const END_HELD_MS = 15_000;
/**
 * After a restart the console has to look this long before it says that a trouble is over: rates, rows of failures and
 * queues that stand still are known only after a while.
 */
export const RESUMED_HELD_MS = 120_000;
/** A storm of findings is recorded up to here; the store and the reader have bounds. */
const MAX_OPEN = 500;

/** What is known of an episode from tick to tick; the episode is in the store too, once it has begun. */
export interface OpenEpisode {
  readonly episode: Episode;
  /** `pending`: it has not been found for long enough to be recorded. */
  readonly life: Lifecycle;
  /** That it is worse than recorded; null: it is not. */
  readonly worse: Lifecycle | null;
  /** It was open when this console started, and has not been found since. */
  readonly isUnconfirmed: boolean;
}

export interface EpisodeEvent {
  readonly kind: 'began' | 'worsened' | 'ended';
  readonly episode: Episode;
  readonly atMs: number;
  /** It ended at a time that nobody saw: between `episode.lastSeenAtMs` and `atMs` at the latest. */
  readonly isUnseen: boolean;
}

interface Tick {
  readonly instance: string;
  /** Of that instance; those that are only last seen keep their episode and add nothing to it. */
  readonly findings: readonly Finding[];
  /** Can the console see that instance? What it can't see neither begins nor ends. */
  readonly isLive: boolean;
  readonly nowMs: number;
}

/** What is open in the store when a console starts, and so is not begun again. */
export function resumedEpisodes(episodes: readonly Episode[]): readonly OpenEpisode[] {
  return episodes.map((episode) => ({
    episode,
    life: {
      state: 'firing',
      sinceMs: episode.beganAtMs,
      heldMs: 0,
      clearMs: 0,
      firedAtMs: episode.beganAtMs,
      resolvedAtMs: null,
      seenAtMs: episode.lastSeenAtMs,
      seen: 'unknown',
    },
    worse: null,
    isUnconfirmed: true,
  }));
}

/**
 * One tick of one instance. Pure.
 * @param newId gives the id of an episode that may begin.
 */
export function stepEpisodes(
  before: readonly OpenEpisode[],
  tick: Tick,
  newId: () => string,
): { readonly open: readonly OpenEpisode[]; readonly events: readonly EpisodeEvent[] } {
  const events: EpisodeEvent[] = [];
  const open = before.flatMap((one) =>
    one.episode.instance === tick.instance ? step(one, tick, events) : one,
  );
  for (const finding of tick.findings) {
    if (!isFound(finding) || open.length >= MAX_OPEN) continue;
    if (open.some(({ episode }) => episode.instance === tick.instance && isSame(episode, finding))) continue;
    const episode = episodeOf(newId(), finding, tick.nowMs, tick.nowMs);
    const life = begin({ forMs: BEGIN_HELD_MS }, tick.nowMs);
    open.push({ episode, life, worse: null, isUnconfirmed: false });
  }
  return { open, events };
}

function isFound(finding: Finding): boolean {
  return finding.lastSeenAtMs === undefined && recordedSeverity(finding.severity) !== null;
}

/** A finding of one queue of a group that is found together is no trouble of its own. */
function isSame(episode: Episode, finding: Finding): boolean {
  return (
    isOf(episode, finding) ||
    (troubleCode(episode.code) === troubleCode(finding.code) &&
      finding.queue !== null &&
      episode.queues.includes(finding.queue))
  );
}

/** Ticks may lie as far apart as they like: what is not found at two of them in a row was not there in between. */
function timing(forMs: number, keepFiringMs: number) {
  return { forMs, keepFiringMs, maxGapMs: Number.POSITIVE_INFINITY };
}

function step(one: OpenEpisode, tick: Tick, events: EpisodeEvent[]): readonly OpenEpisode[] {
  const { nowMs } = tick;
  const found = tick.findings.filter((finding) => isCoveredBy(one.episode, finding));
  const own = found.find((finding) => isOf(one.episode, finding));
  const level = levelOf(found, own, tick.isLive);
  const keepMs = one.isUnconfirmed ? RESUMED_HELD_MS : END_HELD_MS;
  const life = transition(one.life, level, timing(BEGIN_HELD_MS, keepMs), nowMs);
  if (life === null) return [];
  if (life.state === 'resolved') {
    const awaySinceMs = nowMs - life.clearMs;
    const endedAtMs = one.isUnconfirmed ? one.episode.lastSeenAtMs : awaySinceMs;
    const episode = { ...one.episode, endedAtMs };
    events.push({ kind: 'ended', episode, atMs: awaySinceMs, isUnseen: one.isUnconfirmed });
    return [];
  }
  if (level === 'breach' && own) return [seen({ ...one, life }, own, one.life, nowMs, events)];
  if (level !== 'held') return [{ ...one, life, worse: level === 'clear' ? null : one.worse }];
  return [{ ...one, life, episode: { ...one.episode, lastSeenAtMs: nowMs }, isUnconfirmed: false }];
}

/** Found by itself; under another finding's name (it goes on, unseen by itself); last seen, as the console can't see; not. */
function levelOf(found: readonly Finding[], own: Finding | undefined, isLive: boolean): Level {
  if (own && isFound(own)) return 'breach';
  if (isLive && found.some((finding) => finding !== own)) return 'held';
  // What it was last seen as holds until the console sees again: all of the Redis, or the queue or master it is about.
  return !isLive || found.some(({ lastSeenAtMs }) => lastSeenAtMs !== undefined) ? 'unknown' : 'clear';
}

function seen(
  one: OpenEpisode,
  finding: Finding,
  before: Lifecycle,
  nowMs: number,
  events: EpisodeEvent[],
): OpenEpisode {
  const { id, severity, queues, worst } = one.episode;
  if (one.life.state === 'pending' || before.state === 'pending') {
    const episode = episodeOf(id, finding, one.life.sinceMs, nowMs);
    if (one.life.state === 'firing')
      events.push({ kind: 'began', episode, atMs: episode.beganAtMs, isUnseen: false });
    return { ...one, episode };
  }
  const isWorse = severity === 'warning' && finding.severity === 'critical';
  const worse = transition(one.worse, isWorse ? 'breach' : 'clear', timing(WORSE_HELD_MS, 0), nowMs);
  const hasWorsened = worse?.state === 'firing';
  const episode: Episode = {
    ...one.episode,
    lastSeenAtMs: nowMs,
    queues: finding.queues ?? queues,
    worst: worstEvidence(worst, finding.evidence),
    ...(hasWorsened ? { severity: 'critical' as const, ...briefOf(finding) } : {}),
  };
  if (hasWorsened) events.push({ kind: 'worsened', episode, atMs: worse.sinceMs, isUnseen: false });
  return { ...one, episode, worse: hasWorsened ? null : worse, isUnconfirmed: false };
}
