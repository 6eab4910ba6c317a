import { estimateDrainSeconds } from '../model/drain.js';
import { formatBytes, formatDuration, formatJobs, formatRate } from '../model/format.js';
import type { QueueState, Snapshot } from '../watch/snapshot.js';

/**
 * What a queue's backlog will do once `departuresPerSecond` leave it, at the present arrivals, in a sentence or two with
 * numbers; none where nothing is known to happen. Pure.
 */
export function flowAfter(
  queue: QueueState,
  departuresPerSecond: number,
  snapshot: Snapshot,
): readonly string[] {
  const arrivalsPerSecond = queue.rates?.arrivalsPerSecond ?? 0;
  const growth = arrivalsPerSecond - departuresPerSecond;
  if (growth > 0.005)
    return [`The backlog grows by ${formatRate(growth)}${memoryOf(queue, growth, snapshot)}.`];
  const seconds = estimateDrainSeconds({ backlog: queue.backlog, arrivalsPerSecond, departuresPerSecond });
  if (seconds === null || !Number.isFinite(seconds)) return [];
  return [
    `At ${formatRate(departuresPerSecond)} the ${formatJobs(queue.backlog)} that wait are done in about ${formatDuration(seconds)}.`,
  ];
}

/**
 * Departures when `slots` jobs may run at once, from what one slot does now; null where that is not known. An upper
 * bound: workers may have fewer slots, and what they call may get slower.
 */
export function departuresWith(slots: number, active: number, queue: QueueState): number | null {
  const now = queue.rates?.departuresPerSecond ?? 0;
  return active > 0 && now > 0 ? (now / active) * slots : null;
}

/** ", 1.2 MB of Redis a minute, which has 40 MB left" */
function memoryOf(queue: QueueState, jobsPerSecond: number, snapshot: Snapshot): string {
  if (!queue.memory || queue.unfinished <= 0) return '';
  const bytesPerMinute = (queue.memory.backlogBytes / queue.unfinished) * jobsPerSecond * 60;
  if (!(bytesPerMinute > 0)) return '';
  const rooms = snapshot.nodes.map((node) => (node.limit ? node.limit.bytes - node.countedBytes : null));
  const [room] = rooms;
  const left = rooms.length === 1 && room != null && room > 0 ? `, which has ${formatBytes(room)} left` : '';
  return `, about ${formatBytes(bytesPerMinute)} of Redis a minute${left}`;
}
