import type { Parking } from '../replay/parking/parking.js';
import { hasEnded } from '../replay/replay-record.js';
import type { ReplayView } from '../replay/replay-view.js';
import type { IncidentFacts, ParkingFact, ReplayFact } from '../timeline/incident/facts.js';
import type { Incident } from '../timeline/incident.js';
import type { AppDeps } from './app-deps.js';
import { readHistoryFacts } from './read-history.js';

/** Entries that an account is made from; a reader can't take more, and the store is asked once. */
const MAX_ENTRIES = 1_000;
const MAX_PARKINGS = 500;

type Deps = Pick<
  AppDeps,
  'account' | 'episodes' | 'history' | 'parkings' | 'replays' | 'watch' | 'now' | 'thresholds'
>;
export type IncidentRange = Pick<Incident, 'fromMs' | 'toMs' | 'instances'>;

/** Everything that is known of a range: timeline, audit, findings, history, replays and parkings. */
export async function gatherFacts(
  deps: Deps,
  { fromMs, toMs, instances }: IncidentRange,
): Promise<IncidentFacts> {
  const nowMs = deps.now();
  const untilMs = toMs ?? nowMs;
  const of = instances.length === 0 ? {} : { instances };
  const [entries, episodes, parkings] = await Promise.all([
    deps.account.list({ fromMs, toMs: untilMs + 1, ...of, order: 'oldest', limit: MAX_ENTRIES }),
    deps.episodes.between({ fromMs, toMs: untilMs, ...of }),
    deps.parkings.problem === null ? deps.parkings.list({ limit: MAX_PARKINGS }) : [],
  ]);
  const isOurs = (instance: string): boolean => instances.length === 0 || instances.includes(instance);
  const queues = [
    ...new Set(episodes.flatMap(({ queue, queues }) => [...(queue === null ? [] : [queue]), ...queues])),
  ];
  const history =
    deps.history === null
      ? null
      : await readHistoryFacts(
          deps.history,
          { fromMs, toMs: untilMs },
          instances.length > 0 ? instances : deps.watch.snapshots().map(({ instance }) => instance),
          queues,
          deps.thresholds.backlogMinJobs,
        );
  return {
    fromMs,
    toMs,
    nowMs,
    episodes,
    entries,
    areEntriesCut: entries.length >= MAX_ENTRIES,
    history,
    replays: deps.replays
      .list()
      .filter(
        ({ record }) =>
          isOurs(record.instance) && isWithin(record.createdAtMs, endOf(record), fromMs, untilMs),
      )
      .map(replayFact),
    parkings: parkings
      .filter((one) => isOurs(one.instance) && isWithin(one.startedAtMs, one.endedAtMs, fromMs, untilMs))
      .map(parkingFact),
    backlogThresholdJobs: deps.thresholds.backlogMinJobs,
  };
}

function endOf(record: ReplayView['record']): number | null {
  return hasEnded(record) ? record.endedAtMs : null;
}

function isWithin(beganAtMs: number, endedAtMs: number | null, fromMs: number, untilMs: number): boolean {
  return beganAtMs <= untilMs && (endedAtMs === null || endedAtMs >= fromMs);
}

function replayFact({ record, account }: ReplayView): ReplayFact {
  const { matched, moved, skipped, remaining, succeeded, failedAgain, gone } = account;
  return {
    ...{ id: record.id, state: record.state, actor: record.actor },
    ...{ matched, moved, skipped, remaining, succeeded, failedAgain, gone },
  };
}

function parkingFact({
  id,
  queue,
  actor,
  parked,
  restored,
  existed,
  fellBack,
  remaining,
}: Parking): ParkingFact {
  return { id, queue, actor, parked, restored, present: existed + fellBack, remaining };
}
