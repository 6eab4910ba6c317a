import type { Actor } from '../auth/role.js';
import { auditOf } from '../store/audit-of.js';
import type { AuditRecord } from '../store/audit-record.js';
import type { ReplayRecord } from './replay-record.js';
import type { ReplaySpec } from './replay-spec.js';

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
    lever: `replay.${what}`,
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

/** What was asked for, without the value that a field of job data must have: the audit is read by roles that may not see those. */
export function withoutJobData(spec: ReplaySpec): Readonly<Record<string, unknown>> {
  const { dataField, ...filter } = spec.filter;
  return {
    ...spec,
    filter: { ...filter, ...(dataField === undefined ? {} : { dataField: { path: dataField.path } }) },
  };
}
