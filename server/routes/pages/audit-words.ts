import { findAction } from '../../actions/index.js';
import type { AuditRecord } from '../../model/audit-record.js';
import { ALL_INSTANCES } from '../../model/timeline-entry.js';
import { instancePath, jobPath, queuePath } from './links.js';
import { readableTime } from './words.js';

/** What people do besides the actions, as the list of actions names it. */
const OWN_ACTS: Readonly<Record<string, string>> = {
  'access.lock-out': 'Too many wrong tokens',
  'access.refused': 'Change refused',
  'access.sign-in': 'Sign in',
  'access.sign-out': 'Sign out',
  'access.wrong-token': 'Wrong token',
  'alert.acknowledge': 'Acknowledge an alert',
  'alert-rule.create': 'Make an alert rule',
  'alert-rule.change': 'Change an alert rule',
  'alert-rule.delete': 'Delete an alert rule',
  'channel.test': 'Test a channel',
  'incident.open': 'Mark an incident',
  'incident.change': 'Change an incident',
  'incident.remove': 'Forget an incident',
  'note.edit': 'Edit a note',
  'note.remove': 'Remove a note',
  'outbox.remove': 'Forget a message',
  'outbox.resend': 'Send a message again',
  'queue.canary': 'Send a canary job',
  'replay.start': 'Begin a replay',
  'replay.change': 'Change a replay',
  'replay.forget': 'Forget a replay',
  'silence.create': 'Silence alerts',
  'silence.end': 'End a silence',
};

/** What was done, as a title; the name of the action where none is known. */
export function titleOfAction(action: string): string {
  return findAction(action)?.title ?? OWN_ACTS[action] ?? action;
}

/** What it was about, and the page of that; null where there is none. */
export function subjectOfAction(
  record: AuditRecord,
): { readonly text: string; readonly href: string } | null {
  const { instance, queue, jobId, action, args } = record;
  const kind = action.split('.')[0];
  if (kind === 'incident' && action !== 'incident.remove' && typeof args.incident === 'string')
    return { text: 'incident', href: `/incidents/${encodeURIComponent(args.incident)}` };
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
