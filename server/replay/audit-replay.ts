import type { AuditRecord } from '../model/audit-record.js';
import type { Actor } from '../model/role.js';
import { auditOf } from '../timeline/audit-of.js';
import type { ReplayFilter } from './replay-filter.js';
import type { ReplayRecord } from './replay-record.js';

/** What a person did with a replay, as the audit keeps it. `record` is as it was before. */
export function auditOfReplay(
  id: string,
  atMs: number,
  actor: Actor,
  what: 'start' | 'change' | 'forget',
  record: ReplayRecord,
  reason: string,
  args: Readonly<Record<string, unknown>>,
): AuditRecord {
  const isStart = what === 'start';
  const before = { state: record.state, rate: `${record.ratePerSecond}/s` };
  const after = {
    state: String(args.state ?? record.state),
    rate: `${String(args.ratePerSecond ?? record.ratePerSecond)}/s`,
  };
  return auditOf(id, atMs, actor, {
    reason,
    action: `replay.${what}`,
    instance: record.instance,
    queue: record.queues.length === 1 ? (record.queues[0] ?? null) : null,
    args: { replay: record.id, ...args },
    before: isStart ? {} : before,
    after: what === 'forget' ? {} : after,
    summary: isStart
      ? `Replay ${record.id} begun.`
      : what === 'forget'
        ? `Replay ${record.id} forgotten.`
        : `Replay ${record.id}: ${before.state} at ${before.rate} → ${after.state} at ${after.rate}.`,
  });
}

/** Stands for what a filter holds of job data and errors, where roles may read it that see neither. */
const HIDDEN = '(hidden)';

/** A filter without what its author has seen of jobs: the value that a field of data must have, and the text of errors. */
export function withoutJobData({
  dataField,
  errorText,
  ...filter
}: ReplayFilter): Readonly<Record<string, unknown>> {
  return {
    ...filter,
    ...(errorText === undefined ? {} : { errorText: HIDDEN }),
    ...(dataField === undefined ? {} : { dataField: { path: dataField.path } }),
  };
}
