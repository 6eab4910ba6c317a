import { type ActionProps, ActionsPage } from '../../../views/actions-page.js';
import type { State } from '../../../views/band.js';
import type { AppDeps } from '../../app-deps.js';
import { type Actor, includesRole, type Role } from '../../auth/role.js';
import { findLever } from '../../levers/index.js';
import type { OutcomeStatus } from '../../levers/lever.js';
import type { AuditRecord } from '../../store/audit-record.js';
import { changesOfAction, subjectOfAction, titleOfAction } from './action-words.js';
import { chromeOf } from './chrome.js';
import { leverPath } from './links.js';
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
export async function actionsPage(
  deps: AppDeps,
  actor: Actor,
  query: { readonly cursor?: string; readonly lever?: string },
) {
  const seesAccess = includesRole(actor.role, 'operator');
  const isAccess = query.lever === 'access' && seesAccess;
  const { cursor } = query;
  const only = isAccess ? { lever: 'access' } : {};
  const records = await deps.audit.list({ limit: ACTIONS_A_PAGE, ...only, ...(cursor ? { cursor } : {}) });
  const nowMs = deps.now();
  const last = records.length === ACTIONS_A_PAGE ? records[records.length - 1] : undefined;
  const frame = { actor, nowMs, current: '/actions', subject: 'Actions', liveUrl: '/live?view=frame' };
  return (
    <ActionsPage
      chrome={chromeOf(deps, frame)}
      view={{
        actions: records.map((record) => actionOf(record, actor.role, nowMs)),
        isAccess,
        seesAccess,
        older: last ? `/actions?${new URLSearchParams({ ...only, cursor: last.id })}` : null,
      }}
    />
  );
}

function actionOf(record: AuditRecord, role: Role, nowMs: number): ActionProps {
  return {
    id: record.id,
    when: moment(record.atMs, nowMs),
    actor: record.actor,
    lever: titleOfAction(record.lever),
    subject: subjectOfAction(record),
    reason: record.lever.startsWith('access.') ? null : record.reason,
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

function undoOf({ status, undo, lever }: AuditRecord, role: Role): string | null {
  const needed = undo ? findLever(undo.lever)?.role : undefined;
  if (status !== 'applied' || !undo || !needed || !includesRole(role, needed)) return null;
  return leverPath({ ...undo, why: `undo of ${lever}` });
}
