import { formatJobs, formatThings } from '../../model/format.js';
import type { IncidentFacts, ParkingFact, ReplayFact } from './facts.js';

/** Whether jobs were lost, as far as is known, with what that rests on. Never more is claimed than is known. */
export interface LossAccount {
  /** `none-known`: nothing that happened could have lost a job that Redis had accepted. `possible`: something could. */
  readonly verdict: 'none-known' | 'possible';
  /** One sentence each. */
  readonly because: readonly string[];
}

export function lossOf(facts: IncidentFacts): LossAccount {
  const dangers = dangersOf(facts);
  const proofs = [
    ...facts.parkings.map(parkingInWords),
    ...facts.replays.map(replayInWords),
    ...refusedInWords(facts),
  ];
  return {
    verdict: dangers.length > 0 ? 'possible' : 'none-known',
    because: [
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
    worst.some(({ label, value }) => label === 'keys evicted per second' && Number(value) > 0),
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
      worst.some(({ label, value }) => label === 'writes refused' && Number(value) > 0),
    );
  return wasRefused
    ? ['Redis refused writes: whether those who were refused tried again is not known here.']
    : [];
}
