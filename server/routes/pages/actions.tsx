import { type ActionProps, ActionsPage } from '../../../views/actions-page.js';
import type { State } from '../../../views/band.js';
import type { AppDeps } from '../../app-deps.js';
import { type Actor, includesRole, type Role } from '../../auth/role.js';
import { findLever } from '../../levers/index.js';
import type { OutcomeStatus } from '../../levers/lever.js';
import type { AuditRecord } from '../../store/audit-record.js';
import { ALL_INSTANCES } from '../../store/timeline-entry.js';
import { chromeOf } from './chrome.js';
import { instancePath, jobPath, leverPath, queuePath } from './links.js';
import { moment } from './words.js';

const ACTIONS_A_PAGE = 50;

const STATES: Readonly<Record<OutcomeStatus, State>> = {
  applied: 'calm',
  unchanged: 'info',
  unverified: 'warning',
  failed: 'critical',
  refused: 'warning',
};

/** The audit, newest first, a page at a time. */
export async function actionsPage(deps: AppDeps, actor: Actor, cursor: string | undefined) {
  const records = await deps.audit.list({ limit: ACTIONS_A_PAGE, ...(cursor ? { cursor } : {}) });
  const nowMs = deps.now();
  const last = records.length === ACTIONS_A_PAGE ? records[records.length - 1] : undefined;
  const frame = { actor, nowMs, current: '/actions', subject: 'Actions', liveUrl: '/live?view=frame' };
  return (
    <ActionsPage
      chrome={chromeOf(deps, frame)}
      view={{
        actions: records.map((record) => actionOf(record, actor.role, nowMs)),
        older: last ? `/actions?${new URLSearchParams({ cursor: last.id })}` : null,
      }}
    />
  );
}

function actionOf(record: AuditRecord, role: Role, nowMs: number): ActionProps {
  return {
    id: record.id,
    when: moment(record.atMs, nowMs),
    actor: record.actor,
    lever: findLever(record.lever)?.title ?? record.lever,
    subject: subjectOf(record),
    reason: record.reason,
    summary: record.summary,
    changes: Object.keys(record.after)
      .filter((label) => record.before[label] !== record.after[label])
      .map((label) => ({ label, before: record.before[label] ?? '', after: record.after[label] ?? '' })),
    status: record.status,
    state: STATES[record.status],
    measurement: record.measurement
      ? { text: record.measurement.text, isWarning: record.measurement.isWarning }
      : null,
    undoHref: undoOf(record, role),
  };
}

function subjectOf({ instance, queue, jobId }: AuditRecord): ActionProps['subject'] {
  if (instance === ALL_INSTANCES) return { text: 'alerts', href: '/alerts' };
  if (queue === null) return { text: instance, href: instancePath(instance) };
  if (jobId !== null) return { text: `${queue} job ${jobId}`, href: jobPath(instance, queue, jobId) };
  return { text: queue, href: queuePath(instance, queue) };
}

function undoOf({ status, undo, lever }: AuditRecord, role: Role): string | null {
  const needed = undo ? findLever(undo.lever)?.role : undefined;
  if (status !== 'applied' || !undo || !needed || !includesRole(role, needed)) return null;
  return leverPath({ ...undo, why: `undo of ${lever}` });
}
