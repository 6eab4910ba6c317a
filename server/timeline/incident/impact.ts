import { z } from 'zod';
import type { ActivityEntry } from '../../model/activity-entry.js';
import { formatDuration, formatJobs, formatThings } from '../../model/format.js';
import { type ModelOf, TimeSchema } from '../../model/json.js';
import { type Episode, EpisodeFacts } from '../episode.js';
import {
  type IncidentFacts,
  type ParkingFact,
  ParkingFactSchema,
  type ReplayFact,
  ReplayFactSchema,
} from './facts.js';

const seconds = z.number().nullable();
const source = z.enum(['history', 'findings']);
/** A number of the impact, with its time where it is known, and where it comes from. */
const impactNumber = z
  .object({ value: z.number(), at: TimeSchema.nullable(), source })
  .nullable()
  .describe('null: not known, which is not the same as none');

/** What an incident came to. What is not known is null and is said to be unknown. */
export const PostMortemSchema = z
  .object({
    queues: z
      .array(z.string())
      .describe('Ids of those that findings name, in the order in which trouble came to them'),
    openFindings: z.number(),
    durations: z
      .object({
        detectedAfterSeconds: seconds.describe(
          'Until the first finding. 0: it was found before the range begins',
        ),
        alertedAfterSeconds: seconds.describe(
          'Until the first alert fired; null also where no alerting is set up',
        ),
        firstActionAfterSeconds: seconds.describe('Until somebody applied the first action that held'),
        resolvedAfterSeconds: seconds.describe('Until the last finding ended; null while one lasts'),
        lastsSeconds: z.number().describe('Until its end, or so far'),
        blindSeconds: z
          .number()
          .describe(
            'Of it, how long a console could not see: held up by its own host, or without an answer from a Redis',
          ),
      })
      .describe('Counted from the beginning of the range; null: it did not happen, or is not known'),
    impact: z
      .object({
        memoryRatio: impactNumber,
        backlogJobs: impactNumber,
        longestWaitSeconds: impactNumber,
        refusedPerSecond: impactNumber,
        failedJobs: impactNumber,
      })
      .describe(
        'The worst of the range. memoryRatio: share of the memory limit that Redis counted. backlogJobs: that waited at once, in all queues (history) or in the worst one (findings)',
      ),
    delayed: z
      .object({
        atLeastJobs: z.number().describe('Waited at once at the worst moment'),
        waitedJobSeconds: seconds.describe(
          'Waiting while the backlog stood above the threshold, added up over jobs; null: only the peak is known',
        ),
        thresholdJobs: z.number(),
        source,
      })
      .nullable(),
    loss: z
      .object({
        verdict: z
          .enum(['none-known', 'possible'])
          .describe('none-known: nothing that happened could have lost a job that Redis had accepted'),
        reasons: z.array(z.string()).describe('One sentence each'),
      })
      .describe('Whether jobs were lost, as far as is known. Never more is claimed than is known'),
    replays: z.array(ReplayFactSchema),
    parkings: z.array(ParkingFactSchema),
    findings: z.array(EpisodeFacts),
    unknown: z.array(z.string()).describe('What is not known, and why'),
  })
  .meta({ id: 'PostMortem' });

export interface PostMortem extends Omit<ModelOf<typeof PostMortemSchema>, 'findings'> {
  readonly fromMs: number;
  readonly toMs: number | null;
  readonly nowMs: number;
  readonly findings: readonly Episode[];
}
type Durations = PostMortem['durations'];
type Impact = PostMortem['impact'];
export type ImpactNumber = NonNullable<Impact['memoryRatio']>;

export function lossOf(facts: IncidentFacts): PostMortem['loss'] {
  const dangers = dangersOf(facts);
  const proofs = [
    ...facts.parkings.map(parkingInWords),
    ...facts.replays.map(replayInWords),
    ...refusedInWords(facts),
  ];
  return {
    verdict: dangers.length > 0 ? 'possible' : 'none-known',
    reasons: [
      ...dangers,
      ...proofs,
      ...(dangers.length + proofs.length === 0
        ? ['No eviction, failover, restart or removal of jobs is on the timeline of this range.']
        : []),
    ],
  };
}

/** What can take jobs away that Redis had accepted. */
function dangersOf({ episodes, entries, parkings }: IncidentFacts): readonly string[] {
  const dangers: string[] = [];
  const evicted = episodes.some(({ worst }) =>
    worst.some(({ name, value }) => name === 'evictions' && Number(value) > 0),
  );
  if (evicted) dangers.push('Redis evicted keys: jobs may have been among them, and which is not known.');
  const count = (kind: string): number => entries.filter((entry) => entry.kind === kind).length;
  if (count('redis.failover') > 0)
    dangers.push(
      `${formatThings(count('redis.failover'), 'failover')}: what the old master had not yet replicated may be lost, and how much is not known here.`,
    );
  if (count('redis.restarted') > 0)
    dangers.push(
      `${formatThings(count('redis.restarted'), 'restart')} of Redis: what was not yet on its disk may be lost, and how much is not known here.`,
    );
  const removed = entries.filter(
    ({ audited }) => audited?.action === 'job.remove' && audited.status === 'applied',
  );
  if (removed.length > 0) dangers.push(`${formatJobs(removed.length)} removed by hand.`);
  if (parkings.some(({ parked, restored, present, remaining }) => parked !== restored + present + remaining))
    dangers.push('The account of a parking does not add up: look at it.');
  return dangers;
}

function parkingInWords({ parked, restored, present, remaining, queue }: ParkingFact): string {
  const there = present > 0 ? `, ${formatJobs(present)} in Redis already` : '';
  const left = remaining > 0 ? `, ${formatJobs(remaining)} still on disk, not lost` : '';
  return `Parked from ${queue}: ${formatJobs(parked)}; ${formatJobs(restored)} brought back${there}${left}.`;
}

function replayInWords({ id, matched, moved, skipped, remaining, gone }: ReplayFact): string {
  const unknown = gone > 0 ? ` Of the moved ones ${formatJobs(gone)} left no trace of how they ended.` : '';
  return `Replay ${id}: ${formatJobs(matched)} matched = ${moved} moved + ${skipped} skipped + ${remaining} remaining.${unknown}`;
}

/** Refused jobs were never in Redis: they are not lost by it, but whoever added them may not have tried again. */
function refusedInWords({ episodes, history }: IncidentFacts): readonly string[] {
  const wasRefused =
    (history?.refusedPerSecond?.value ?? 0) > 0 ||
    episodes.some(({ worst }) =>
      worst.some(({ name, value }) => name === 'writes-refused' && Number(value) > 0),
    );
  return wasRefused
    ? ['Redis refused writes: whether those who were refused tried again is not known here.']
    : [];
}

/** Findings while which what is not known must not be taken for nothing. */
const BLIND: ReadonlySet<string> = new Set(['console.starved', 'console.stale', 'redis.unreachable']);

export function durationsOf({ fromMs, toMs, nowMs, episodes, entries }: IncidentFacts): Durations {
  const after = (atMs: number | undefined): number | null =>
    atMs === undefined ? null : Math.max(0, atMs - fromMs) / 1000;
  const began = episodes.map(({ beganAtMs }) => beganAtMs);
  const ended = episodes.map(({ endedAtMs }) => endedAtMs);
  const isResolved = ended.length > 0 && ended.every((atMs) => atMs !== null);
  return {
    detectedAfterSeconds: began.length > 0 ? after(Math.min(...began)) : null,
    alertedAfterSeconds: after(entries.find(({ kind }) => kind === 'alert.firing')?.atMs),
    firstActionAfterSeconds: after(entries.find(isActionThatHeld)?.atMs),
    resolvedAfterSeconds: isResolved ? after(Math.max(...ended.map((atMs) => atMs ?? 0))) : null,
    lastsSeconds: Math.max(0, (toMs ?? nowMs) - fromMs) / 1000,
    blindSeconds:
      coveredMs(
        episodes.filter(({ code }) => BLIND.has(code)),
        fromMs,
        toMs ?? nowMs,
      ) / 1000,
  };
}

/** ms of the range in which at least one of them lasted. */
function coveredMs(episodes: IncidentFacts['episodes'], fromMs: number, toMs: number): number {
  let covered = 0;
  let reachedMs = fromMs;
  for (const { beganAtMs, endedAtMs } of [...episodes].sort((a, b) => a.beganAtMs - b.beganAtMs)) {
    const untilMs = Math.min(endedAtMs ?? toMs, toMs);
    covered += Math.max(0, untilMs - Math.max(beganAtMs, reachedMs));
    reachedMs = Math.max(reachedMs, untilMs);
  }
  return covered;
}

/** Actions that turned out as asked. What was refused helped nobody. */
export function isActionThatHeld({ audited }: ActivityEntry): boolean {
  return audited?.status === 'applied' || audited?.status === 'unverified';
}

/** Evidence that holds each number, by its name, which is API; of findings that stand for many queues also that of all. */
const EVIDENCE: Readonly<Record<keyof Impact, string>> = {
  memoryRatio: 'limit-share',
  backlogJobs: 'waiting',
  longestWaitSeconds: 'oldest-waited',
  refusedPerSecond: 'writes-refused',
  failedJobs: 'failed-since',
};
/** Their share of the limit is that of clients' buffers, and not of all that is held. */
const OTHER_SHARES: ReadonlySet<string> = new Set(['memory.output-buffers']);

/** From the history where it knows, else from what findings saw at their worst. */
export function impactOf({ history, episodes }: IncidentFacts): Impact {
  const of = (name: Exclude<keyof Impact, 'failedJobs'>): ImpactNumber | null => {
    const peak = history?.[name] ?? null;
    return peak ? { ...peak, source: 'history' } : worstSeen(episodes, EVIDENCE[name]);
  };
  const failed = history?.failedJobs ?? null;
  return {
    memoryRatio: of('memoryRatio'),
    backlogJobs: of('backlogJobs'),
    longestWaitSeconds: of('longestWaitSeconds'),
    refusedPerSecond: of('refusedPerSecond'),
    failedJobs:
      failed === null
        ? worstSeen(episodes, EVIDENCE.failedJobs)
        : { value: failed, atMs: null, source: 'history' },
  };
}

function worstSeen(episodes: readonly Episode[], evidence: string): ImpactNumber | null {
  const names = [evidence, `all:${evidence}`];
  const values = episodes
    .filter(({ code }) => !OTHER_SHARES.has(code))
    .flatMap(({ worst }) =>
      worst.flatMap(({ name, value }) => (names.includes(name) && typeof value === 'number' ? [value] : [])),
    );
  return values.length > 0 ? { value: Math.max(...values), atMs: null, source: 'findings' } : null;
}

/** Pure. */
export function postMortemOf(facts: IncidentFacts): PostMortem {
  const impact = impactOf(facts);
  return {
    fromMs: facts.fromMs,
    toMs: facts.toMs,
    nowMs: facts.nowMs,
    queues: queuesOf(facts.episodes),
    findings: facts.episodes,
    openFindings: facts.episodes.filter(({ endedAtMs }) => endedAtMs === null).length,
    durations: durationsOf(facts),
    impact,
    delayed: delayOf(facts, impact),
    loss: lossOf(facts),
    replays: facts.replays,
    parkings: facts.parkings,
    unknown: unknownOf(facts, durationsOf(facts)),
  };
}

/** Of all findings; those that stand for many queues name each. */
function queuesOf(episodes: readonly Episode[]): readonly string[] {
  return [
    ...new Set(episodes.flatMap(({ queue, queues }) => [...(queue === null ? [] : [queue]), ...queues])),
  ];
}

function delayOf(facts: IncidentFacts, impact: Impact): PostMortem['delayed'] {
  const thresholdJobs = facts.backlogThresholdJobs;
  const delayed = facts.history?.delayed ?? [];
  if (delayed.length > 0) {
    return {
      // Peaks of several queues need not fall together, so the largest alone is certain.
      atLeastJobs: Math.max(...delayed.map(({ peakJobs }) => peakJobs)),
      waitedJobSeconds: delayed.reduce((sum, { waitedJobSeconds }) => sum + waitedJobSeconds, 0),
      thresholdJobs,
      source: 'history',
    };
  }
  const peak = impact.backlogJobs;
  if (peak === null || peak.value < thresholdJobs) return null;
  return { atLeastJobs: peak.value, waitedJobSeconds: null, thresholdJobs, source: peak.source };
}

function unknownOf(
  { history, areEntriesCut, episodes, toMs }: IncidentFacts,
  { blindSeconds, lastsSeconds }: Durations,
): readonly string[] {
  const unknown: string[] = [];
  if (blindSeconds > 0)
    unknown.push(
      `The console could not see for ${formatDuration(blindSeconds)} of the ${formatDuration(lastsSeconds)}: what happened then is only known where Redis or workers reported it afterwards.`,
    );
  if (history === null)
    unknown.push(
      'There is no history of signals for this range: peaks are those that findings saw, and what no finding covers is unknown.',
    );
  else if (history.gapRatio > 0.01)
    unknown.push(
      `Nothing was read in ${Math.max(1, Math.round(history.gapRatio * 100))}% of the range: a peak in it is unknown.`,
    );
  if (episodes.length === 0)
    unknown.push('No finding falls into this range: when it was noticed is unknown.');
  if (toMs !== null && episodes.some(({ endedAtMs }) => endedAtMs === null))
    unknown.push('The incident is closed, but a finding of it still lasts: whether it is over is unknown.');
  if (areEntriesCut) unknown.push('There are more entries in this range than are shown here.');
  return unknown;
}
