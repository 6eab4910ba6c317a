import type { Actor } from '../auth/role.js';
import type { AuditRecord } from './audit-record.js';

/** What somebody did: the lever, where and in which words always; of the rest only what differs from a plain success. */
export type Deed = Pick<AuditRecord, 'lever' | 'instance' | 'args' | 'summary'> &
  Partial<Omit<AuditRecord, 'id' | 'atMs' | 'actor' | 'via'>>;

/** The audit record of a deed. Unless it says otherwise: applied at once, without a reason, about no queue, job or worker, and not to be taken back. */
export function auditOf(id: string, atMs: number, actor: Actor, deed: Deed): AuditRecord {
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
    ...deed,
  };
}
