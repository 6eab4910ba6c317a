import type { FC } from 'hono/jsx';
import { OrderHeld } from './controls.js';
import { FleetHead, type FleetHeadProps } from './fleet-head.js';
import { WorkerTable, type WorkerTableProps } from './worker-table.js';

/** The workers of one queue. */
export const QueueWorkers: FC<{ readonly fleet: FleetHeadProps; readonly workers: WorkerTableProps }> = ({
  fleet,
  workers,
}) => (
  <section class="queues" aria-labelledby="workers-title">
    <div class="queues-head">
      <h2 id="workers-title">Workers</h2>
      <OrderHeld of="workers" release="Sort now" />
    </div>
    <FleetHead {...fleet} />
    <WorkerTable {...workers} />
  </section>
);
