import { type ActionProps, AuditPage } from '../../../views/audit-page.js';
import type { State } from '../../../views/band.js';
import { findAction } from '../../actions/index.js';
import type { OutcomeStatus } from '../../model/action.js';
import type { AuditRecord } from '../../model/audit-record.js';
import { type Actor, includesRole, type Role } from '../../model/role.js';
import type { AppDeps } from '../app-deps.js';
import { changesOfAction, subjectOfAction, titleOfAction } from './audit-words.js';
import { chromeOf } from './chrome.js';
import { actionPath } from './links.js';
import { moment } from './words.js';

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
  const frame = { actor, nowMs, current: '/audit', subject: 'Actions', liveUrl: '/live?view=frame' };
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

function actionOf(record: AuditRecord, role: Role, nowMs: number): ActionProps {
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
