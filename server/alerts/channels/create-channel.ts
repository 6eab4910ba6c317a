import { createHmac } from 'node:crypto';
import { secretScrubber, secretsOfUrl } from '../../model/text.js';
import type { Notification } from '../notification.js';
import type { Channel, SendDeps } from './channel.js';
import type {
  AlertmanagerSettings,
  ChannelSettings,
  PagerDutySettings,
  SlackSettings,
  WebhookSettings,
} from './channel-settings.js';
import { emailChannel } from './email.js';
import { alertmanagerBody } from './format-alertmanager.js';
import { dedupKeyOf, pagerDutyBody } from './format-pagerduty.js';
import type { Message } from './message.js';
import { linkOf, messageOf, shortHash } from './message.js';
import { postOutgoing } from './post-outgoing.js';

/** Slack refuses a section above 3,000 characters and a header above 150. */
const MAX_SECTION = 2_800;
const MAX_HEADER = 150;
const SIGNS = { CRITICAL: '🔴', WARNING: '🟠', INFO: '🔵', RESOLVED: '🟢' } as const;

/** Body for an incoming webhook: blocks, and `text` for notifications and readers that show no blocks. */
export function slackBody(message: Message): string {
  const head = `${SIGNS[message.state]} ${message.state}: ${message.title}`;
  const lines = message.alerts.map(
    ({ summary, evidence, isResolved, runbookUrl }) =>
      `• ${isResolved ? '_over:_ ' : ''}${escapeSlack(summary)}${evidence === null ? '' : ` — *${escapeSlack(evidence)}*`}${runbookUrl === null ? '' : ` (${slackLink(runbookUrl, 'runbook')})`}`,
  );
  if (message.moreAlerts > 0) lines.push(`• and ${message.moreAlerts} more`);
  const blocks = [
    { type: 'header', text: { type: 'plain_text', text: cut(head, MAX_HEADER), emoji: true } },
    section(`*Redis* ${escapeSlack(message.instance)}   *Since* ${message.since}`),
    ...(lines.length > 0 ? [section(fitLines(lines, MAX_SECTION))] : []),
    ...(message.firstRemedy === null ? [] : [section(`*First remedy* ${escapeSlack(message.firstRemedy)}`)]),
    ...(message.link === null ? [] : [section(slackLink(message.link, 'Open the console'))]),
  ];
  return JSON.stringify({ text: escapeSlack(message.subject), blocks });
}

/** `&`, `<` and `>` are all that Slack asks for; it also keeps `<!channel>` and `<@user>` from being made by a name. */
function escapeSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** A bar in the address would end it. */
function slackLink(url: string, label: string): string {
  return /^https?:\/\//i.test(url)
    ? `<${escapeSlack(url).replaceAll('|', '%7C')}|${label}>`
    : escapeSlack(url);
}

function section(text: string) {
  return { type: 'section', text: { type: 'mrkdwn', text: cut(text, MAX_SECTION) } };
}

/** As many whole lines as fit; cutting inside one could split an escape. */
function fitLines(lines: readonly string[], most: number): string {
  let text = '';
  for (const [i, line] of lines.entries()) {
    const next = text === '' ? line : `${text}\n${line}`;
    if (next.length > most - 40)
      return text === '' ? line.slice(0, most) : `${text}\n• and ${lines.length - i} more`;
    text = next;
  }
  return text;
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1).toWellFormed()}…`;
}

/** Header names, as the README tells them. */
const SIGNATURE_HEADER = 'X-Spillway-Signature';
const TIMESTAMP_HEADER = 'X-Spillway-Timestamp';
const ID_HEADER = 'Idempotency-Key';

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

/** JSON to any address, signed where a secret is set. The id is the same for each try. */
function webhookChannel(settings: WebhookSettings, deps: SendDeps): Channel {
  const { url, secret } = settings;
  const scrub = secretScrubber([...secretsOfUrl(url), secret ?? '']);
  return {
    settings,
    takesAcknowledgements: false,
    refreshEveryMs: null,
    testStatuses: ['firing'],
    send(notification) {
      const body = webhookBody(notification, deps.publicUrl);
      const timestampSeconds = Math.floor(deps.now() / 1000);
      const headers = {
        'Content-Type': 'application/json',
        [ID_HEADER]: notification.id,
        [TIMESTAMP_HEADER]: String(timestampSeconds),
        ...(secret === null ? {} : { [SIGNATURE_HEADER]: signBody(secret, timestampSeconds, body) }),
      };
      return postOutgoing({ url, method: 'POST', headers, body }, { ...deps, scrub, ca: settings.ca });
    },
  };
}

/** Prometheus Alertmanager, API v2. Grouping, silences and routes over there stay in force. */
export function alertmanagerChannel(settings: AlertmanagerSettings, deps: SendDeps): Channel {
  const { username, password, refreshSeconds } = settings;
  const url = `${settings.url.replace(/\/+$/, '')}/api/v2/alerts`;
  const login = username === null ? null : Buffer.from(`${username}:${password ?? ''}`).toString('base64');
  const scrub = secretScrubber([...secretsOfUrl(settings.url), password ?? '', login ?? '']);
  return {
    settings,
    takesAcknowledgements: false,
    refreshEveryMs: refreshSeconds * 1000,
    testStatuses: ['firing', 'resolved'],
    send(notification) {
      const body = alertmanagerBody(notification, deps.publicUrl, deps.now(), refreshSeconds);
      const headers = {
        'Content-Type': 'application/json',
        ...(login === null ? {} : { Authorization: `Basic ${login}` }),
      };
      return postOutgoing({ url, method: 'POST', headers, body }, { ...deps, scrub, ca: settings.ca });
    },
  };
}

/** PagerDuty Events API v2. */
function pagerDutyChannel(settings: PagerDutySettings, deps: SendDeps): Channel {
  const { url, routingKey } = settings;
  const scrub = secretScrubber([routingKey, ...secretsOfUrl(url).filter((text) => text !== url)]);
  return {
    settings,
    takesAcknowledgements: true,
    refreshEveryMs: null,
    testStatuses: ['firing', 'resolved'],
    send(notification) {
      const message = messageOf(notification, deps.publicUrl);
      const dedupKey = dedupKeyOf(notification.groupKey, shortHash);
      const body = pagerDutyBody(notification, message, routingKey, dedupKey);
      const headers = { 'Content-Type': 'application/json' };
      return postOutgoing({ url, method: 'POST', headers, body }, { ...deps, scrub, ca: settings.ca });
    },
  };
}

/** A Slack incoming webhook, and whatever takes the same body. */
function slackChannel(settings: SlackSettings, deps: SendDeps): Channel {
  const { url } = settings;
  const scrub = secretScrubber(secretsOfUrl(url));
  return {
    settings,
    takesAcknowledgements: false,
    refreshEveryMs: null,
    testStatuses: ['firing'],
    send(notification) {
      const body = slackBody(messageOf(notification, deps.publicUrl));
      const headers = { 'Content-Type': 'application/json' };
      return postOutgoing({ url, method: 'POST', headers, body }, { ...deps, scrub, ca: settings.ca });
    },
  };
}

/** The channel that its settings describe. Adding a kind is one file, its settings, and one line here. */
export function createChannel(settings: ChannelSettings, deps: SendDeps): Channel {
  switch (settings.type) {
    case 'webhook':
      return webhookChannel(settings, deps);
    case 'slack':
      return slackChannel(settings, deps);
    case 'pagerduty':
      return pagerDutyChannel(settings, deps);
    case 'alertmanager':
      return alertmanagerChannel(settings, deps);
    case 'email':
      return emailChannel(settings, deps);
  }
}
