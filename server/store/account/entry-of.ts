import {
  type AccountEntry,
  type AccountNote,
  groupOf,
  stateOfKind,
} from '../../model/account/account-entry.js';
import type { AuditRecord } from '../audit-record.js';
import type { TimelineEntry } from '../timeline-entry.js';

/** An entry of the timeline as a line of the account. */
export function entryOfTimeline(entry: TimelineEntry, notes: readonly AccountNote[]): AccountEntry {
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
    action: null,
    notes,
  };
}

const STATES: Readonly<Record<AuditRecord['status'], AccountEntry['state']>> = {
  applied: null,
  unchanged: null,
  unverified: 'warning',
  failed: 'critical',
  refused: 'warning',
};

/** An audited change, or the attempt at one, as a line of the account. */
export function entryOfAction(record: AuditRecord, notes: readonly AccountNote[]): AccountEntry {
  const { id, atMs, instance, queue, worker, lever, before, after, measurement } = record;
  const kind = `lever.${lever}`;
  return {
    ...{ id, atMs, instance, kind, queue, worker, notes },
    group: groupOf(kind),
    text: record.summary,
    actor: record.actor,
    state: STATES[record.status],
    ref: null,
    action: {
      lever,
      reason: record.reason,
      status: record.status,
      changes: Object.keys(after)
        .filter((label) => before[label] !== after[label])
        .map((label) => ({ label, before: before[label] ?? '', after: after[label] ?? '' })),
      measured: measurement?.text ?? null,
    },
  };
}
