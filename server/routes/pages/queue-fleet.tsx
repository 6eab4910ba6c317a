import { FleetHead, type FleetHeadProps } from '../../../views/fleet-head.js';
import { actionPath } from '../../../views/links.js';
import { amongPeers } from '../../../views/worker-peers.js';
import type { WorkerTableProps } from '../../../views/worker-table.js';
import { workersOf } from '../../model/queue-verdict.js';
import { includesRole, type Role } from '../../model/role.js';
import type { QueueState, Snapshot } from '../../model/snapshot.js';
import { byTrouble } from '../../model/worker.js';
import { html, type Part, swapPart } from '../live/hub.js';
import { workerParts } from './fleet.js';

const DRAIN_WITHIN_SECONDS = 300;
const MAX_ROWS = 100;

interface QueueFleetProps {
  readonly fleet: FleetHeadProps;
  readonly workers: WorkerTableProps;
}

/** The workers of one queue, and what can be ordered to all of them. */
export function queueFleetOf(
  queue: QueueState,
  snapshot: Snapshot,
  role: Role,
  nowMs: number,
): QueueFleetProps {
  const workers = workersOf(snapshot, queue.id).toSorted(byTrouble);
  const canAct = includesRole(role, 'operator');
  const link = (action: string, args: Readonly<Record<string, unknown>> = {}): string =>
    actionPath({ action, instance: snapshot.instance, queues: [queue.id], args });
  const orderAll =
    canAct && workers.some(({ agent }) => agent !== null)
      ? [
          { label: 'Concurrency of all', href: link('workers.concurrency') },
          { label: '× 2', href: link('workers.concurrency', { factor: 2 }) },
          {
            label: 'Drain within 5 min',
            href: link('workers.concurrency', { drainWithinSeconds: DRAIN_WITHIN_SECONDS }),
          },
        ]
      : [];
  // Also while none of them is there: what is kept may be why they don't stay.
  const revert =
    canAct && queue.overrides.length > 0
      ? [{ label: 'Reset all to code', href: link('workers.revert') }]
      : [];
  const peers = amongPeers(workers);
  const lines = workers.slice(0, MAX_ROWS).map((worker) => ({
    worker,
    snapshot,
    peers: peers.get(worker.id) ?? null,
    canAct,
    hasQueue: false,
    hasManyInstances: false,
  }));
  return {
    fleet: {
      id: 'queue-fleet',
      workers,
      snapshots: [snapshot],
      nowMs,
      orders: queue.overrides,
      actions: [...orderAll, ...revert],
    },
    workers: { lines, canAct, beyond: workers.length - lines.length },
  };
}

export function fleetParts({ fleet, workers }: QueueFleetProps): readonly Part[] {
  return [swapPart(fleet.id, html(<FleetHead {...fleet} />)), ...workerParts(workers)];
}
