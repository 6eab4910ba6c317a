import type { ActivityEntry } from '../../model/activity-entry.js';
import type { Severity } from '../../model/finding.js';
import { formatDuration, formatUtc, formatUtcTime } from '../../model/format.js';
import type { IncidentFacts } from './facts.js';
import { durationsOf, impactOf, isActionThatHeld, lossOf } from './impact.js';

/** When customers hear of it again. */
const NEXT_AFTER_MS = { critical: 30 * 60_000, warning: 60 * 60_000 } as const;
/** An end is believed after this, as troubles like to come back. */
const WATCHED_MS = 10 * 60_000;

/** Less than this is not worth a word to customers. */
const MIN_BLIND_SECONDS = 60;

/** What a customer notices; `maybe-refused`: it could be, and was not measured. */
type Effect = 'refused' | 'maybe-refused' | 'failed' | 'delayed';

/**
 * Two sentences for customers at this moment: what is affected and since when, then what is being done and when they
 * hear more; once it is over, from when to when and what became of their work. Plain words: no names of queues, no Redis.
 * @param incident `affects` is what customers call it, such as `Sending of e-mail`; empty: not said by anybody yet.
 */
export function statusUpdateOf(
  incident: { readonly affects: string; readonly severity: Exclude<Severity, 'info'> },
  facts: IncidentFacts,
): string {
  // No verb follows the name: it may be one thing or many, or a whole phrase ("API requests refused").
  const what = incident.affects.trim().replace(/[.\s]+$/, '') || 'Some of our background processing';
  const effects = effectsOf(facts);
  const blind = blindInWords(facts);
  const from = formatUtc(facts.fromMs);
  if (facts.toMs === null) {
    const next = formatUtcTime(facts.nowMs + NEXT_AFTER_MS[incident.severity]);
    const detail = detailOf(effects, NOW);
    const now = detail === '' ? `delayed since ${from}` : `disrupted since ${from}: ${detail}`;
    return `${what}: ${[now, ...blind].join('; ')}. ${doneInWords(facts)}; you will hear more by ${next}.`;
  }
  const detail = detailOf(effects, THEN);
  const then = `${detail === '' ? 'delayed' : 'disrupted'} from ${from} to ${endOf(facts.fromMs, facts.toMs)}`;
  const aside = [...(detail === '' ? [] : [detail]), ...blind].join('; ');
  const was = `${what}: ${then}${aside && ` (${aside})`}`;
  // Somebody closed it, but the console does not find it well: then nobody hears that it is.
  if (facts.episodes.some(({ endedAtMs }) => endedAtMs === null))
    return `${was}. We are still watching it, as part of it may not be as usual yet.`;
  return `${was}; works normally again. ${aftermathInWords(facts, effects)}`;
}

/**
 * By what was measured, then by what was found; the gravest first. Nothing found: it is at least slow, or nobody would have
 * called it an incident. That the console could not reach Redis says nothing of those who use it.
 */
function effectsOf(facts: IncidentFacts): readonly Effect[] {
  const has = (pattern: RegExp): boolean => facts.episodes.some(({ code }) => pattern.test(code));
  const effects: Effect[] = [];
  const refused = impactOf(facts).refusedPerSecond;
  if (refused !== null && refused.value > 0) effects.push('refused');
  else if (refused === null && has(/^redis\.(full|read-only)$/)) effects.push('maybe-refused');
  if (has(/^jobtype\.failing$/)) effects.push('failed');
  if (effects.length === 0 || has(/^(queue|worker)\./)) effects.push('delayed');
  return effects;
}

const NOW: Readonly<Record<Effect, string>> = {
  refused: 'some new requests are not accepted',
  'maybe-refused': 'some new requests may not be accepted',
  failed: 'some requests fail',
  delayed: 'others are delayed',
};
const THEN: Readonly<Record<Effect, string>> = {
  refused: 'some new requests were not accepted',
  'maybe-refused': 'some new requests may not have been accepted',
  failed: 'some requests failed',
  delayed: 'others were delayed',
};

/** "some requests fail and others are delayed"; empty where nothing but delay is known. */
function detailOf(effects: readonly Effect[], words: Readonly<Record<Effect, string>>): string {
  if (effects.every((effect) => effect === 'delayed')) return '';
  const parts = effects.map((effect) => words[effect]);
  const last = parts.pop() ?? '';
  return parts.length === 0 ? last : `${parts.join(', ')} and ${last}`;
}

/** Says no more than was seen. */
function blindInWords(facts: IncidentFacts): readonly string[] {
  const { blindSeconds } = durationsOf(facts);
  if (blindSeconds < MIN_BLIND_SECONDS) return [];
  return [`for ${formatDuration(blindSeconds)} of this time our own monitoring could not see`];
}

/** The last thing done, or that it is over as far as is known; without a full stop. */
function doneInWords({ episodes, entries, nowMs }: IncidentFacts): string {
  const ends = episodes.map(({ endedAtMs }) => endedAtMs);
  const isOver = ends.length > 0 && ends.every((atMs) => atMs !== null);
  if (isOver) {
    const sinceMs = Math.max(...ends.map((atMs) => atMs ?? 0));
    return nowMs - sinceMs < WATCHED_MS
      ? `It has been recovering since ${formatUtcTime(sinceMs)}, and we are watching it`
      : `It has worked normally since ${formatUtcTime(sinceMs)}, and we are making sure that it stays so`;
  }
  const last = entries.filter(isActionThatHeld).at(-1);
  return last
    ? `We ${actionInWords(last)} at ${formatUtcTime(last.atMs)} and are working on it`
    : 'We are looking for the cause';
}

const ACTIONS: readonly (readonly [pattern: RegExp, words: string])[] = [
  [/\.(pause|pause)$/, 'paused part of the work to protect the rest'],
  [/\.resume$/, 'resumed work that had been paused'],
  [/\.(rate-limit|limiter)$/, 'changed the pace of the work'],
  [/concurrency$|revert$/, 'changed how much is worked on at once'],
  [/raise-maxmemory$/, 'added capacity'],
  [/trim-events$|clean-finished$/, 'freed capacity'],
  [/\.park$/, 'set waiting work safely aside'],
  [/\.unpark$/, 'began to bring back the work that was set aside'],
  [/^replay\.|job\.retry$/, 'began to run failed work again'],
];

function actionInWords({ audited }: ActivityEntry): string {
  const action = audited?.action ?? '';
  return ACTIONS.find(([pattern]) => pattern.test(action))?.[1] ?? 'made a change';
}

/** Says of the work what is known of it, and nothing more. */
function aftermathInWords(facts: IncidentFacts, effects: readonly Effect[]): string {
  const { replays, parkings } = facts;
  const isOpen =
    replays.some(({ state, remaining }) => state === 'running' || (state === 'paused' && remaining > 0)) ||
    parkings.some(({ remaining }) => remaining > 0);
  if (lossOf(facts).verdict === 'possible')
    return 'We are checking whether any of the work was lost, and will tell those concerned.';
  if (isOpen)
    return 'Work that was set aside or failed is still being caught up on; none of it is known to be lost.';
  if (effects.includes('refused'))
    return 'No accepted work is known to be lost; requests that were not accepted have to be sent again.';
  if (effects.includes('maybe-refused'))
    return 'No accepted work is known to be lost; we are checking whether requests were not accepted.';
  if (effects.includes('failed') && !replays.some(({ moved }) => moved > 0))
    return 'No work is known to be lost; we are checking which of the failed requests have to be repeated.';
  return 'No work is known to be lost, and there is nothing you need to do.';
}

/** The day is said again where it is another. */
function endOf(fromMs: number, toMs: number): string {
  const isSameDay = new Date(fromMs).toISOString().slice(0, 10) === new Date(toMs).toISOString().slice(0, 10);
  return isSameDay ? formatUtcTime(toMs) : formatUtc(toMs);
}
