import { createHmac } from 'node:crypto';
import type { Notification } from '../notification.js';
import { linkOf } from './message.js';

/** Header names, as the README tells them. */
export const SIGNATURE_HEADER = 'X-Spillway-Signature';
export const TIMESTAMP_HEADER = 'X-Spillway-Timestamp';
export const ID_HEADER = 'Idempotency-Key';

/** The body: the notification with times as ISO 8601 and the link ready to open. Fields are API: added, never changed. */
export function webhookBody(notification: Notification, publicUrl: string | null): string {
  const { id, groupKey, status, severity, instance, title, firstRemedy } = notification;
  return JSON.stringify({
    version: 1,
    ...{ id, groupKey, status, severity, instance, title },
    since: iso(notification.sinceMs),
    alerts: notification.alerts.map((alert) => ({
      fingerprint: alert.fingerprint,
      alertId: alert.alertId,
      rule: alert.rule,
      severity: alert.severity,
      subject: alert.subject,
      status: alert.status,
      startsAt: iso(alert.startsAtMs),
      endsAt: alert.endsAtMs === null ? null : iso(alert.endsAtMs),
      summary: alert.summary,
      evidence: alert.evidence,
      runbookUrl: alert.runbookUrl,
    })),
    firstRemedy,
    link: linkOf(notification, publicUrl),
    createdAt: iso(notification.createdAtMs),
  });
}

/**
 * `v1=` and the hex HMAC-SHA256 of `<timestamp>.<body>`, where the timestamp is seconds since 1970 as sent in its header:
 * a receiver that refuses old ones can't be played an old message.
 */
export function signBody(secret: string, timestampSeconds: number, body: string): string {
  return `v1=${createHmac('sha256', secret).update(`${timestampSeconds}.${body}`).digest('hex')}`;
}

function iso(atMs: number): string {
  return new Date(atMs).toISOString();
}
