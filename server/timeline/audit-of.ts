import type { AuditRecord } from '../model/audit-record.js';
import type { Actor } from '../model/role.js';

/** What somebody did: the action, where and in which words always; of the rest only what differs from a plain success. */
export type AuditInput = Pick<AuditRecord, 'action' | 'instance' | 'args' | 'summary'> &
  Partial<Omit<AuditRecord, 'id' | 'atMs' | 'actor' | 'via'>>;

/** The audit record of an auditInput. Unless it says otherwise: applied at once, without a reason, about no queue, job or worker, and not to be taken back. */
export function auditOf(id: string, atMs: number, actor: Actor, auditInput: AuditInput): AuditRecord {
  return {
    id,
    atMs,
    actor: actor.name,
    via: actor.via,
    reason: '',
    queue: null,
    jobId: null,
    worker: null,
    before: {},
    after: {},
    status: 'applied',
    freedBytes: null,
    durationMs: 0,
    undo: null,
    ...auditInput,
  };
}
