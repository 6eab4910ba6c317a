import type { FC } from 'hono/jsx';
import { formatRatio, formatThings } from '../server/model/format.js';
import { fullestNode } from '../server/model/queue-verdict.js';
import type { Snapshot } from '../server/model/snapshot.js';
import { plainName } from '../server/model/words.js';

export interface WatchedProps {
  readonly snapshots: readonly Snapshot[];
}

/** Where nothing is wrong: what is watched, when it was last looked at, how close the nearest limit is, and what is missing. */
export const WatchedPanel: FC<WatchedProps> = ({ snapshots }) => (
  <div id="watched" class="watched panel">
    <p>
      <strong>No problems.</strong> {watchedInWords(snapshots)}
    </p>
    <p>
      {nearestLimit(snapshots)} <LastRead snapshots={snapshots} />
    </p>
    <FirstSteps snapshots={snapshots} />
  </div>
);

/** "Watching 12 queues and 9 workers in 1 Redis." */
function watchedInWords(snapshots: readonly Snapshot[]): string {
  const count = (of: (snapshot: Snapshot) => number): number =>
    snapshots.reduce((sum, snapshot) => sum + of(snapshot), 0);
  const queues = count(({ queues, unread }) => queues.length + unread.queues.length);
  const workers = count(({ workers }) => workers.length);
  const redises = snapshots.length === 1 ? 'one Redis' : `${snapshots.length} Redises`;
  return `Watching ${formatThings(queues, 'queue')} and ${formatThings(workers, 'worker')} in ${redises}.`;
}

function nearestLimit(snapshots: readonly Snapshot[]): string {
  const nearest = snapshots
    .flatMap((snapshot) => {
      const ratio = fullestNode(snapshot)?.usedRatio ?? null;
      return ratio === null ? [] : [{ name: snapshot.instance, ratio }];
    })
    .reduce<{ name: string; ratio: number } | null>(
      (most, one) => (most === null || one.ratio > most.ratio ? one : most),
      null,
    );
  if (nearest === null) return 'No Redis has a memory limit that is known.';
  // By the percent: it is no gauge.
  return `Nearest limit: memory of ${plainName(nearest.name)} at ${formatRatio(Math.round(nearest.ratio * 100) / 100)}.`;
}

/** Steps in which it is sent anew; the script counts on from it. */
const STEP_MS = 5_000;

const LastRead: FC<WatchedProps> = ({ snapshots }) => {
  const times = snapshots.flatMap(({ link }) => link.lastReadAtMs ?? []);
  if (times.length < snapshots.length || times.length === 0) return <>Not every Redis has been read yet.</>;
  const oldestMs = Math.floor(Math.min(...times) / STEP_MS) * STEP_MS;
  return (
    <>
      Last checked <span data-age-since={String(oldestMs)}>some seconds</span> ago.
    </>
  );
};

/** What a console that has just been started lacks, one thing at a time. */
const FirstSteps: FC<WatchedProps> = ({ snapshots }) => {
  const isRead = snapshots.length > 0 && snapshots.every(({ link }) => link.lastReadAtMs !== null);
  if (!isRead)
    return (
      <p>
        Start it with <code>--redis redis://host:6379</code> or <code>REDIS_URL</code>; what is wrong with the
        connection stands beside the name of the Redis.
      </p>
    );
  const isLookedThrough = snapshots.every(({ discovery }) => discovery.lastPassAtMs !== null);
  const queues = snapshots.flatMap((snapshot) => snapshot.queues);
  if (queues.length === 0)
    return isLookedThrough ? (
      <p>
        No BullMQ queue is in this Redis yet: add a job, and its queue appears here within seconds. If there
        should be one, check the database number in the address of Redis.
      </p>
    ) : null;
  if (queues.every(({ workers }) => workers === 0) && snapshots.every(({ workers }) => workers.length === 0))
    return <p>No worker is connected to any queue: jobs that are added will wait.</p>;
  const hasAgent = snapshots.some(({ workers }) => workers.some(({ agent }) => agent !== null));
  return hasAgent ? null : (
    <p>
      No worker has the agent. One line,{' '}
      <code>import {'{ attach }'} from 'spillway-agent'; attach(worker)</code>, shows slots, run times of each
      job type and hung jobs, and sets concurrency while workers run.
    </p>
  );
};
