import type { ActionRequest, Outcome } from '../model/action.js';
import type { AuditRecord } from '../model/audit-record.js';
import type { Actor } from '../model/role.js';
import { auditOf } from '../timeline/audit-log.js';

/** Who did what, why, from what to what, and how it ended. */
export function auditRecordOf(
  id: string,
  atMs: number,
  actor: Actor,
  request: ActionRequest,
  outcome: Outcome,
): AuditRecord {
  const fields = (side: 'before' | 'after'): Readonly<Record<string, string>> =>
    Object.fromEntries(outcome.fields.map((field) => [field.label, field[side]]));
  return auditOf(id, atMs, actor, {
    reason: request.reason.trim(),
    action: outcome.action,
    instance: outcome.instance,
    queue: outcome.queue,
    jobId: outcome.jobId,
    worker: outcome.worker,
    args: typeof request.args === 'object' && request.args !== null ? { ...request.args } : {},
    before: fields('before'),
    // What was refused or failed has changed nothing, as far as is known.
    after: outcome.status === 'refused' || outcome.status === 'failed' ? fields('before') : fields('after'),
    status: outcome.status,
    summary: outcome.summary,
    freedBytes: outcome.freedBytes,
    durationMs: outcome.durationMs,
    undo: outcome.undo,
  });
}

/** Attempts beyond one's role are kept once in so long for each actor and action; those in between are counted. */
const KEEP_ATTEMPT_EVERY_MS = 60_000;
const MAX_ACTORS = 1_000;

/** Which attempts beyond somebody's role are kept in the audit: a flood of them must not fill the disk. */
export class ForbiddenAttempts {
  readonly #byActor = new Map<string, { keptAtMs: number; uncounted: number }>();

  /** @returns how many went before it that were not kept; null: this one is counted, and not kept. */
  take(actor: string, action: string, nowMs: number): number | null {
    const key = JSON.stringify([actor, action]);
    const known = this.#byActor.get(key);
    if (known && nowMs - known.keptAtMs < KEEP_ATTEMPT_EVERY_MS) {
      known.uncounted += 1;
      return null;
    }
    if (this.#byActor.size >= MAX_ACTORS) this.#byActor.clear();
    this.#byActor.set(key, { keptAtMs: nowMs, uncounted: 0 });
    return known?.uncounted ?? 0;
  }
}
