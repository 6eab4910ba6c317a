import type { Actor } from '../auth/role.js';
import { auditOf } from '../store/audit-of.js';
import type { AuditRecord } from '../store/audit-record.js';
import type { Outcome } from './lever.js';
import type { LeverRequest } from './request.js';

/** Who did what, why, from what to what, and how it ended. */
export function auditRecordOf(
  id: string,
  atMs: number,
  actor: Actor,
  request: LeverRequest,
  outcome: Outcome,
): AuditRecord {
  const fields = (side: 'before' | 'after'): Readonly<Record<string, string>> =>
    Object.fromEntries(outcome.fields.map((field) => [field.label, field[side]]));
  return auditOf(id, atMs, actor, {
    reason: request.reason.trim(),
    lever: outcome.lever,
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
