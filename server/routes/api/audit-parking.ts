import type { Actor } from '../../model/role.js';
import type { Parking } from '../../replay/parking/parking.js';
import { auditOf } from '../../timeline/audit-of.js';
import type { AppDeps } from '../app-deps.js';

/** Keeps who began, changed or restored a parking by the API, and why; under the names of its actions. */
export async function auditParking(
  deps: AppDeps,
  actor: Actor,
  reason: string,
  parking: Parking,
  summary: string,
): Promise<void> {
  const { id, instance, queue, phase, remaining, state } = parking;
  const isParked = phase === 'park';
  const record = auditOf(deps.newId(), deps.now(), actor, {
    reason,
    action: isParked ? 'queue.park' : 'queue.unpark',
    instance,
    queue,
    args: { parking: id },
    // One that has just begun has taken none yet, which is not what it came to.
    after: isParked && state === 'running' && remaining === 0 ? {} : { 'parked jobs': String(remaining) },
    summary,
    undo: isParked ? { action: 'queue.unpark', instance, queues: [queue], args: { parking: id } } : null,
  });
  await deps.audit.append(record);
}
