import type { AppDeps } from '../../app-deps.js';
import type { Actor } from '../../auth/role.js';
import type { Parking } from '../../replay/parking/parking.js';

/** Keeps who began, changed or restored a parking by the API, and why; under the names of its levers. */
export async function auditParking(
  deps: AppDeps,
  actor: Actor,
  reason: string,
  parking: Parking,
  summary: string,
): Promise<void> {
  const { id, instance, queue, phase, remaining } = parking;
  await deps.audit.append({
    id: deps.newId(),
    atMs: deps.now(),
    actor: actor.name,
    via: actor.via,
    reason,
    lever: phase === 'park' ? 'queue.park' : 'queue.unpark',
    instance,
    queue,
    jobId: null,
    worker: null,
    args: { parking: id },
    before: {},
    after: { 'parked jobs': String(remaining) },
    status: 'applied',
    summary,
    freedBytes: null,
    durationMs: 0,
    undo:
      phase === 'park' ? { lever: 'queue.unpark', instance, queues: [queue], args: { parking: id } } : null,
  });
}
