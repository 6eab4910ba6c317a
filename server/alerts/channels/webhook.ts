import { createHmac } from 'node:crypto';
import { briefOf } from '../../model/brief.js';
import { secretsOfUrl } from '../../model/text.js';
import type { Notification } from '../notification.js';
import { type Channel, isoUtc, linkOf, type SendDeps } from './channel.js';
import { httpChannel } from './post-outgoing.js';
import type { SettingsOf } from './settings.js';

/** Header names, as in the README. */
const SIGNATURE_HEADER = 'X-Spillway-Signature';
const TIMESTAMP_HEADER = 'X-Spillway-Timestamp';
const ID_HEADER = 'Idempotency-Key';

/** JSON to any address, signed where a secret is set. The id is the same for each try. */
export function webhookChannel(settings: SettingsOf<'webhook'>, deps: SendDeps): Channel {
  const { url, secret } = settings;
  return httpChannel(settings, deps, {
    url,
    secrets: [...secretsOfUrl(url), secret ?? ''],
    body: (notification) => webhookBody(notification, deps.publicUrl),
    headers({ id }, body) {
      const timestampSeconds = Math.floor(deps.now() / 1000);
      return {
        [ID_HEADER]: id,
        [TIMESTAMP_HEADER]: String(timestampSeconds),
        ...(secret === null ? {} : { [SIGNATURE_HEADER]: signBody(secret, timestampSeconds, body) }),
      };
    },
  });
}

/** The body: the notification with times as ISO 8601 and the link ready to open. Fields are API: added, never changed. */
export function webhookBody(notification: Notification, publicUrl: string | null): string {
  const { id, groupKey, status, severity, instance, headline, firstRemedy } = notification;
  return JSON.stringify({
    version: 1,
    ...{ id, groupKey, status, severity, instance, headline },
    since: isoUtc(notification.sinceMs),
    alerts: notification.alerts.map((alert) => ({
      fingerprint: alert.fingerprint,
      alertId: alert.alertId,
      rule: alert.rule,
      severity: alert.severity,
      subject: alert.subject,
      status: alert.status,
      startsAt: isoUtc(alert.startsAtMs),
      endsAt: alert.endsAtMs === null ? null : isoUtc(alert.endsAtMs),
      ...briefOf(alert),
      evidence: alert.evidence,
      runbookUrl: alert.runbookUrl,
    })),
    firstRemedy,
    link: linkOf(notification, publicUrl),
    createdAt: isoUtc(notification.createdAtMs),
  });
}

/**
 * `v1=` and the hex HMAC-SHA256 of `<timestamp>.<body>`, where the timestamp is seconds since 1970 as sent in its header:
 * a receiver that refuses old ones can't be played an old message.
 */
export function signBody(secret: string, timestampSeconds: number, body: string): string {
  return `v1=${createHmac('sha256', secret).update(`${timestampSeconds}.${body}`).digest('hex')}`;
}
