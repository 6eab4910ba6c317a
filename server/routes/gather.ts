import type { HistoryLog, HistoryPoints } from '../history/history-log.js';
import type { Parking } from '../model/parking.js';
import type { ReplayView } from '../model/replay.js';
import { hasEnded } from '../model/replay.js';
import type { SeriesRef } from '../signals/signal.js';
import type {
  DelayedQueue,
  HistoryFacts,
  IncidentFacts,
  ParkingFact,
  Peak,
  ReplayFact,
} from '../timeline/incident/facts.js';
import type { Incident } from '../timeline/incident.js';
import type { AppDeps } from './app-deps.js';

/** Points a series: ten minutes at a second each, a day at 2.5 min. Maxima of steps are kept, so no peak is missed. */
const MAX_POINTS = 600;
/** Queues whose backlog is read; each is one bounded read of the store. */
const MAX_QUEUES = 50;
const MAX_NODES = 50;

interface Range {
  readonly fromMs: number;
  readonly toMs: number;
}

/** The impact as the history of signals knows it; null where it knows nothing of the range. */
export async function readHistoryFacts(
  history: HistoryLog,
  range: Range,
  instances: readonly string[],
  queues: readonly string[],
  thresholdJobs: number,
): Promise<HistoryFacts | null> {
  const read = (series: SeriesRef) => history.read({ series, ...range, maxPoints: MAX_POINTS });
  const all = async (
    signal: string,
    limit: number,
  ): Promise<readonly (readonly [SeriesRef, HistoryPoints])[]> => {
    const found = await Promise.all(
      instances.map((instance) => history.series({ signal, instance, sinceMs: range.fromMs, limit: 500 })),
    );
    const wanted = found
      .flat()
      .filter(({ queue }) => queue === null || queues.length === 0 || queues.includes(queue))
      .slice(0, limit);
    return Promise.all(wanted.map(async (series) => [series, await read(series)] as const));
  };
  const backlog = await all('backlog_jobs', MAX_NODES);
  const known = backlog.flatMap(([, { mean }]) => mean);
  if (!known.some((value) => value !== null)) return null;
  const [memory, refused, waits, failed, perQueue] = await Promise.all([
    all('redis_used_ratio', MAX_NODES),
    all('redis_refused_commands_per_second', MAX_NODES),
    all('queue_oldest_waiting_seconds', MAX_QUEUES),
    all('queue_failed_jobs', MAX_QUEUES),
    all('queue_backlog_jobs', MAX_QUEUES),
  ]);
  return {
    stepMs: Math.max(...backlog.map(([, { stepMs }]) => stepMs)),
    gapRatio: known.filter((value) => value === null).length / known.length,
    memoryRatio: highest(memory),
    backlogJobs: highest(backlog),
    longestWaitSeconds: highest(waits),
    refusedPerSecond: highest(refused),
    failedJobs: grown(failed),
    delayed: perQueue
      .flatMap(([{ queue }, points]) => (queue === null ? [] : delayIn(queue, points, thresholdJobs)))
      .sort((a, b) => b.waitedJobSeconds - a.waitedJobSeconds),
  };
}

type Read = readonly (readonly [SeriesRef, HistoryPoints])[];

function highest(reads: Read): Peak | null {
  let peak: Peak | null = null;
  for (const [, { atMs, max }] of reads)
    for (const [i, value] of max.entries())
      if (value !== null && (peak === null || value > peak.value)) peak = { value, atMs: atMs[i] ?? null };
  return peak;
}

/** By how much the sets grew, added up over every rise: what was cleaned meanwhile does not take failures back. */
function grown(reads: Read): number | null {
  let sum: number | null = null;
  for (const [, { mean }] of reads) {
    let last: number | null = null;
    for (const value of mean) {
      if (value === null) continue;
      if (last !== null) sum = (sum ?? 0) + Math.max(0, value - last);
      last = value;
    }
  }
  return sum === null ? null : Math.round(sum);
}

function delayIn(
  queue: string,
  { stepMs, mean, max }: HistoryPoints,
  thresholdJobs: number,
): readonly DelayedQueue[] {
  const peakJobs = Math.max(0, ...max.map((value) => value ?? 0));
  if (peakJobs < thresholdJobs) return [];
  // All of the backlog: what lies above the threshold alone can be nothing beside a wait of hours.
  const waiting = mean.reduce<number>(
    (sum, value, i) => sum + ((max[i] ?? 0) >= thresholdJobs ? (value ?? 0) : 0),
    0,
  );
  return [{ queue, peakJobs, waitedJobSeconds: (waiting * stepMs) / 1000 }];
}

/** Entries that an account is made from; a reader can't take more, and the store is asked once. */
const MAX_ENTRIES = 1_000;
const MAX_PARKINGS = 500;

/** What an account of a range is gathered from. */
export type FactsDeps = Pick<
  AppDeps,
  'activity' | 'episodes' | 'history' | 'parkings' | 'replays' | 'watch' | 'now' | 'thresholds'
>;
type IncidentRange = Pick<Incident, 'fromMs' | 'toMs' | 'instances'>;

/** Everything that is known of a range: timeline, audit, findings, history, replays and parkings. */
export async function gatherFacts(
  deps: FactsDeps,
  { fromMs, toMs, instances }: IncidentRange,
): Promise<IncidentFacts> {
  const nowMs = deps.now();
  const untilMs = toMs ?? nowMs;
  const of = instances.length === 0 ? {} : { instances };
  const [entries, episodes, parkings] = await Promise.all([
    deps.activity.list({ fromMs, toMs: untilMs + 1, ...of, order: 'oldest', limit: MAX_ENTRIES }),
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
