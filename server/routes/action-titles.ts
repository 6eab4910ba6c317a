import { findAction } from '../actions/index.js';

/** What people do besides the actions, as the list of actions names it. */
const OWN_ACTS: Readonly<Record<string, string>> = {
  'access.lock-out': 'Too many wrong tokens',
  'access.refused': 'Change refused',
  'access.sign-in': 'Sign in',
  'access.sign-in-refused': 'Sign-in refused',
  'access.sign-out': 'Sign out',
  'access.wrong-token': 'Wrong token',
  'alert.acknowledge': 'Acknowledge an alert',
  'alert-rule.create': 'Make an alert rule',
  'alert-rule.change': 'Change an alert rule',
  'alert-rule.delete': 'Delete an alert rule',
  'channel.test': 'Test a channel',
  'incident.open': 'Declare an incident',
  'incident.change': 'Edit an incident',
  'incident.remove': 'Delete an incident',
  'note.edit': 'Edit a note',
  'note.enter': 'Add a note',
  'note.remove': 'Delete a note',
  'outbox.remove': 'Delete a message',
  'outbox.resend': 'Send a message again',
  'queue.canary': 'Send a canary job',
  'queue.count': 'Count the jobs of a queue',
  'queue.stop-count': 'Stop a count',
  'replay.start': 'Start a replay',
  'replay.change': 'Change a replay',
  'replay.forget': 'Delete a replay',
  'session.end': 'End a session',
  'silence.create': 'Silence alerts',
  'silence.end': 'End a silence',
};

/** What was done, as a title; the name of the action where none is known. */
export function titleOfAction(action: string): string {
  return findAction(action)?.title ?? OWN_ACTS[action] ?? action;
}
