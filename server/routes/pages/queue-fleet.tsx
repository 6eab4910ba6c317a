import { FleetHead, type FleetHeadProps } from '../../../views/fleet-head.js';
import { actionPath } from '../../../views/links.js';
import { WorkerRow, type WorkerTableProps } from '../../../views/worker-table.js';
import { workersOf } from '../../model/queue-verdict.js';
import { includesRole, type Role } from '../../model/role.js';
import type { QueueState, Snapshot } from '../../model/snapshot.js';
import { byTrouble } from '../../model/worker.js';
import { html, listParts, type Part, swapPart } from '../live/part.js';

import { fleetHeadOf, orderInWords, workerTableOf } from './worker-view-model.js';

const DRAIN_WITHIN_SECONDS = 300;
const MAX_ORDERS = 20;

export interface QueueFleetProps {
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
  const canOrder = includesRole(role, 'operator') && workers.some(({ agent }) => agent !== null);
  const link = (action: string, args: Readonly<Record<string, unknown>> = {}): string =>
    actionPath({ action, instance: snapshot.instance, queues: [queue.id], args });
  const orders = queue.overrides.slice(0, MAX_ORDERS).map((order) => {
    const who = order.scope === '*' ? 'All workers' : order.scope;
    return `${who}: ${orderInWords(order, nowMs)}`;
  });
  const orderAll = canOrder
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
    includesRole(role, 'operator') && queue.overrides.length > 0
      ? [{ label: 'Revert all', href: link('workers.revert') }]
      : [];
  const actions = [...orderAll, ...revert];
  return {
    fleet: fleetHeadOf('queue-fleet', workers, [snapshot], { orders, actions }, nowMs),
    workers: workerTableOf(
      workers.map((worker) => ({ worker, snapshot })),
      { role, nowMs, hasQueue: false, hasManyInstances: false },
    ),
  };
}

export function fleetParts({ fleet, workers }: QueueFleetProps): readonly Part[] {
  return [
    swapPart(fleet.id, html(<FleetHead {...fleet} />)),
    ...listParts(
      'workers',
      workers.rows.map((row) => ({ id: row.id, html: html(<WorkerRow {...row} />) })),
    ),
  ];
}
