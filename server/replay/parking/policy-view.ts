import type { Snapshot } from '../../model/snapshot.js';
import { OTHER_TYPES } from '../../watch/sampled-state.js';
import type { PolicyParking, PolicyView } from '../spillway-policy.js';
import type { Parking } from './parking.js';

/** What the policy looks at: the tightest node of an instance, what waits there by type, and what it parked before. */
export function policyViewOf(snapshot: Snapshot, parkings: readonly Parking[]): PolicyView | null {
  const nodes = snapshot.nodes.filter(({ limit }) => limit !== null && limit.bytes > 0);
  const [node] = [...nodes].sort((a, b) => (b.usedRatio ?? 0) - (a.usedRatio ?? 0));
  if (!node?.limit) return null;
  return {
    usedBytes: node.countedBytes,
    limitBytes: node.limit.bytes,
    waiting: snapshot.queues.flatMap((queue) => {
      // What is active or waits for children stays; the samples don't tell those apart by type.
      const { waiting, prioritized, delayed, active, waitingChildren } = queue.counts;
      const movable = waiting + prioritized + delayed;
      const share = movable / Math.max(1, movable + active + waitingChildren);
      const named = (queue.memory?.types ?? []).filter(({ type }) => type !== '' && type !== OTHER_TYPES);
      return named.map((type) => ({
        queue: queue.id,
        queueName: queue.name,
        type: type.type,
        jobs: Math.floor(type.unfinished * share),
        bytes: Math.floor(type.backlogBytes * share),
      }));
    }),
    parkings: parkings
      .filter(({ origin, instance }) => origin === 'policy' && instance === snapshot.instance)
      .map((parking) => ofPolicy(parking, snapshot)),
  };
}

function ofPolicy(parking: Parking, snapshot: Snapshot): PolicyParking {
  const { id, queue, jobTypes, remaining, parked, freedBytes, phase, state, pausedBy } = parking;
  return {
    id,
    queue,
    queueName: snapshot.queues.find((known) => known.id === queue)?.name ?? queue,
    jobTypes: jobTypes ?? [],
    remaining,
    remainingBytes: parked === 0 ? 0 : Math.round((freedBytes * remaining) / parked),
    phase,
    state,
    pausedBy,
  };
}
