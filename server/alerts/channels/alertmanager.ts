import { secretsOfUrl } from '../../model/text.js';
import type { AlertNotice, Notification } from '../notification.js';
import { type Channel, isoUtc, linkOf, oneLine, type SendDeps } from './channel.js';
import { httpChannel } from './post-outgoing.js';
import type { SettingsOf } from './settings.js';

/** Prometheus Alertmanager, API v2. Grouping, silences and routes over there stay in force. */
export function alertmanagerChannel(settings: SettingsOf<'alertmanager'>, deps: SendDeps): Channel {
  const { url, username, password, refreshSeconds } = settings;
  const login = username === null ? null : Buffer.from(`${username}:${password ?? ''}`).toString('base64');
  return httpChannel(settings, deps, {
    url: `${url.replace(/\/+$/, '')}/api/v2/alerts`,
    secrets: [...secretsOfUrl(url), password ?? '', login ?? ''],
    refreshEveryMs: refreshSeconds * 1000,
    testStatuses: ['firing', 'resolved'],
    headers: () => (login === null ? {} : { Authorization: `Basic ${login}` }),
    body: (notification) => alertmanagerBody(notification, deps.publicUrl, deps.now(), refreshSeconds),
  });
}

/** Prometheus, too, says "still firing for four more rounds" (rules/manager.go): one lost round ends nothing. */
const ROUNDS_AHEAD = 4;

/**
 * Body for `POST /api/v2/alerts`. Labels make an alert's identity there, so they hold only what never changes while it
 * fires; everything else is an annotation. What fires ends `ROUNDS_AHEAD` refreshes from now unless it is sent again.
 */
export function alertmanagerBody(
  notification: Notification,
  publicUrl: string | null,
  nowMs: number,
  refreshSeconds: number,
): string {
  const link = linkOf(notification, publicUrl);
  return JSON.stringify(
    notification.alerts.map((alert) => ({
      labels: withoutEmpty({
        alertname: alert.rule,
        severity: alert.severity,
        instance: notification.instance,
        ...labelsOf(alert),
        fingerprint: alert.fingerprint,
        source: 'spillway',
      }),
      annotations: withoutEmpty({
        summary: alert.headline,
        description: [alert.cause, alert.effect].join(' ').trim(),
        cause: alert.cause,
        effect: alert.effect,
        action: alert.status === 'firing' ? alert.action : '',
        evidence: alert.evidence ?? '',
        title: notification.headline,
        first_remedy: alert.status === 'firing' ? (notification.firstRemedy ?? '') : '',
        runbook_url: alert.runbookUrl ?? '',
        notification_id: notification.id,
      }),
      startsAt: isoUtc(alert.startsAtMs),
      endsAt: isoUtc(endOf(alert, nowMs, refreshSeconds)),
      ...(link === null ? {} : { generatorURL: link }),
    })),
  );
}

/** Alertmanager refuses an alert that ends before it starts. */
function endOf(alert: AlertNotice, nowMs: number, refreshSeconds: number): number {
  const endMs =
    alert.status === 'firing' ? nowMs + ROUNDS_AHEAD * refreshSeconds * 1000 : (alert.endsAtMs ?? nowMs);
  return Math.max(endMs, alert.startsAtMs);
}

/** Whom an alert is about, under names that Prometheus allows. */
function labelsOf({ subject }: AlertNotice): Readonly<Record<string, string>> {
  const { node, queue, type } = subject;
  return { node: node ?? '', queue: queue ?? '', job_type: type ?? '' };
}

/** Alertmanager drops empty labels, and refuses text that is not UTF-8. */
function withoutEmpty(texts: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(texts).flatMap(([key, text]) => {
      const plain = oneLine(text);
      return plain === '' ? [] : [[key, plain]];
    }),
  );
}
