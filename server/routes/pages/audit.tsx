import { type ActionProps, AuditPage } from '../../../views/audit-page.js';
import { actionPath, instancePath, jobPath, queuePath, replayPath } from '../../../views/links.js';
import type { State } from '../../../views/state.js';
import { moment, readableTime } from '../../../views/words.js';
import { findAction } from '../../actions/index.js';
import type { OutcomeStatus } from '../../model/action.js';
import type { AuditRecord } from '../../model/audit-record.js';
import { type Actor, includesRole, type Role } from '../../model/role.js';
import { ALL_INSTANCES } from '../../model/timeline-entry.js';
import { titleOfAction } from '../action-titles.js';
import type { AppDeps } from '../app-deps.js';
import { chromeOf } from './chrome.js';

/** What it was about, and the page of that; null where there is none. */
export function subjectOfAction(
  record: AuditRecord,
): { readonly text: string; readonly href: string } | null {
  const { instance, queue, jobId, action, args } = record;
  const kind = action.split('.')[0];
  if (kind === 'incident' && action !== 'incident.remove' && typeof args.incident === 'string')
    return { text: 'incident', href: `/incidents/${encodeURIComponent(args.incident)}` };
  if (kind === 'replay' && action !== 'replay.forget' && typeof args.replay === 'string')
    return { text: queue ?? 'replay', href: replayPath(args.replay) };
  if (kind === 'channel' || kind === 'outbox') return { text: 'channels', href: '/channels' };
  if (instance === ALL_INSTANCES)
    return kind === 'alert' || kind === 'alert-rule' || kind === 'silence'
      ? { text: 'alerts', href: '/alerts' }
      : null;
  if (queue === null) return { text: instance, href: instancePath(instance) };
  if (jobId !== null) return { text: `${queue} job ${jobId}`, href: jobPath(instance, queue, jobId) };
  return { text: queue, href: queuePath(instance, queue) };
}

/** What is different now; what was and is empty is none of it. */
export function changesOfAction({ before, after }: AuditRecord, nowMs: number) {
  return Object.keys(after)
    .filter((label) => shownValue(before[label]) !== shownValue(after[label]))
    .map((label) => ({
      label,
      before: readable(shownValue(before[label]), nowMs),
      after: readable(shownValue(after[label]), nowMs) || 'none',
    }));
}

function shownValue(value: string | undefined): string {
  return value === undefined || value === '{}' ? '' : value;
}

function readable(value: string, nowMs: number): string {
  return readableTime(value, nowMs) ?? value;
}

const ACTIONS_A_PAGE = 50;

const STATES: Readonly<Record<OutcomeStatus, State>> = {
  applied: 'calm',
  unchanged: 'info',
  unverified: 'warning',
  failed: 'critical',
  refused: 'warning',
};

/** The audit, newest first, a page at a time: of changes, or of who came through the door. */
export async function auditPage(
  deps: AppDeps,
  actor: Actor,
  query: { readonly cursor?: string; readonly action?: string },
) {
  const seesAccess = includesRole(actor.role, 'operator');
  const isAccess = query.action === 'access' && seesAccess;
  const { cursor } = query;
  const only = isAccess ? { action: 'access' } : {};
  const records = await deps.audit.list({ limit: ACTIONS_A_PAGE, ...only, ...(cursor ? { cursor } : {}) });
  const nowMs = deps.now();
  const last = records.length === ACTIONS_A_PAGE ? records[records.length - 1] : undefined;
  const frame = { actor, nowMs, current: '/audit', subject: 'Audit log', liveUrl: '/live?view=frame' };
  return (
    <AuditPage
      chrome={chromeOf(deps, frame)}
      view={{
        actions: records.map((record) => actionOf(record, actor.role, nowMs)),
        isAccess,
        seesAccess,
        older: last ? `/audit?${new URLSearchParams({ ...only, cursor: last.id })}` : null,
      }}
    />
  );
}

export function actionOf(record: AuditRecord, role: Role, nowMs: number): ActionProps {
  return {
    id: record.id,
    when: moment(record.atMs, nowMs),
    actor: record.actor,
    action: titleOfAction(record.action),
    subject: subjectOfAction(record),
    reason: record.action.startsWith('access.') ? null : record.reason,
    summary: record.summary,
    changes: changesOfAction(record, nowMs),
    status: record.status,
    state: STATES[record.status],
    measurement: record.measurement
      ? { text: record.measurement.text, isWarning: record.measurement.isWarning }
      : null,
    undoHref: undoOf(record, role),
  };
}

function undoOf({ status, undo, action }: AuditRecord, role: Role): string | null {
  const needed = undo ? findAction(undo.action)?.role : undefined;
  if (status !== 'applied' || !undo || !needed || !includesRole(role, needed)) return null;
  return actionPath({ ...undo, why: `undo of ${action}` });
}
