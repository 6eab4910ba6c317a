import type { Notification } from './notification.js';

/** What the test button sends: marked as a test, about nothing, and told to be so. */
export function testNotification(
  channel: string,
  actor: string,
  status: 'firing' | 'resolved',
  ids: { readonly id: string; readonly nowMs: number },
): Notification {
  const { id, nowMs } = ids;
  const key = `spillway-test-${channel}`;
  return {
    id,
    groupKey: key,
    status,
    severity: 'info',
    instance: 'test',
    title: `Test of channel ${channel}`,
    sinceMs: nowMs,
    alerts: [
      {
        fingerprint: key,
        alertId: key,
        rule: 'SpillwayTest',
        severity: 'info',
        subject: { instance: 'test', node: null, queue: null, type: null },
        status,
        startsAtMs: nowMs,
        endsAtMs: status === 'resolved' ? nowMs : null,
        summary: `${actor} has tested this channel; nothing is wrong`,
        evidence: 'none: this is a test',
        runbookUrl: null,
      },
    ],
    firstRemedy: 'Nothing needs to be done',
    path: '/channels',
    createdAtMs: nowMs,
  };
}
