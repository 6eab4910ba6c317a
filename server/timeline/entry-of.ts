import type { AuditRecord } from '../model/audit-record.js';
import type { TimelineEntry } from '../model/timeline-entry.js';
import { type ActivityEntry, type ActivityNote, groupOf, stateOfKind } from './activity-entry.js';

/** An entry of the timeline as a line of the account. */
export function entryOfTimeline(entry: TimelineEntry, notes: readonly ActivityNote[]): ActivityEntry {
  const { id, atMs, instance, kind, queue, worker, text, actor = null, severity, ref = null } = entry;
  const state = stateOfKind(kind) === 'calm' ? 'calm' : (severity ?? stateOfKind(kind));
  return {
    id,
    atMs,
    instance,
    kind,
    group: groupOf(kind),
    queue,
    worker,
    text,
    actor,
    state,
    ref,
    audited: null,
    notes,
  };
}

const STATES: Readonly<Record<AuditRecord['status'], ActivityEntry['state']>> = {
  applied: null,
  unchanged: null,
  unverified: 'warning',
  failed: 'critical',
  refused: 'warning',
};

/** An audited change, or the attempt at one, as a line of the account. */
export function entryOfAudit(record: AuditRecord, notes: readonly ActivityNote[]): ActivityEntry {
  const { id, atMs, instance, queue, worker, action, before, after, measurement } = record;
  const kind = `action.${action}`;
  return {
    ...{ id, atMs, instance, kind, queue, worker, notes },
    group: groupOf(kind),
    text: record.summary,
    actor: record.actor,
    state: STATES[record.status],
    ref: null,
    audited: {
      action,
      reason: record.reason,
      status: record.status,
      changes: Object.keys(after)
        .filter((label) => before[label] !== after[label])
        .map((label) => ({ label, before: before[label] ?? '', after: after[label] ?? '' })),
      measured: measurement?.text ?? null,
    },
  };
}
