import { formatDuration } from '../../model/format.js';
import type { Episode } from '../episode.js';
import type { IncidentFacts, ParkingFact, ReplayFact } from './facts.js';
import {
  durationsOf,
  type ImpactNumber,
  type IncidentDurations,
  type IncidentImpact,
  impactOf,
  type LossAccount,
  lossOf,
} from './impact.js';

/** What an incident came to. What is not known is null and is said to be unknown. */
export interface PostMortem {
  readonly fromMs: number;
  readonly toMs: number | null;
  readonly nowMs: number;
  /** Ids of the queues that findings name, in the order in which trouble came to them. */
  readonly queues: readonly string[];
  readonly findings: readonly Episode[];
  readonly openFindings: number;
  readonly durations: IncidentDurations;
  readonly impact: IncidentImpact;
  readonly delayed: DelayAccount | null;
  readonly loss: LossAccount;
  readonly replays: readonly ReplayFact[];
  readonly parkings: readonly ParkingFact[];
  /** What could not be told, and why. */
  readonly unknown: readonly string[];
}

export interface DelayAccount {
  /** Waited at once at the worst moment: at least as many were delayed. */
  readonly atLeastJobs: number;
  /** Waiting while the backlog stood above the threshold, added up over jobs; null: only the peak is known. */
  readonly waitedJobSeconds: number | null;
  readonly thresholdJobs: number;
  readonly source: ImpactNumber['source'];
}

/** The account of an incident. Pure. */
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

function delayOf(facts: IncidentFacts, impact: IncidentImpact): DelayAccount | null {
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
  { blindMs, lastsMs }: IncidentDurations,
): readonly string[] {
  const unknown: string[] = [];
  if (blindMs > 0)
    unknown.push(
      `The console could not see for ${formatDuration(blindMs / 1000)} of the ${formatDuration(lastsMs / 1000)}: what happened then is only known where Redis or workers told of it afterwards.`,
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
