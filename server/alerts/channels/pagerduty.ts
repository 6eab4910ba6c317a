import { secretsOfUrl } from '../../model/text.js';
import type { Notification } from '../notification.js';
import {
  type Channel,
  isoUtc,
  type Message,
  messageFrom,
  plainText,
  type SendDeps,
  shortHash,
} from './channel.js';
import { httpChannel } from './post-outgoing.js';
import type { SettingsOf } from './settings.js';

/** PagerDuty Events API v2. */
export function pagerDutyChannel(settings: SettingsOf<'pagerduty'>, deps: SendDeps): Channel {
  const { url, routingKey } = settings;
  return httpChannel(settings, deps, {
    url,
    secrets: [routingKey, ...secretsOfUrl(url).filter((text) => text !== url)],
    takesAcknowledgements: true,
    testStatuses: ['firing', 'resolved'],
    body: (notification) =>
      pagerDutyBody(notification, messageFrom(notification, deps.publicUrl), routingKey),
  });
}

/** PagerDuty cuts what is longer. */
const MAX_SUMMARY = 1_024;
const MAX_DEDUP_KEY = 255;

/**
 * Body for Events API v2. One incident is one group: trigger and resolve carry `dedup_key`, so a repeat changes the
 * incident that is open and opens no second one; acknowledge stops its escalation, and PagerDuty ignores one without an incident.
 */
export function pagerDutyBody(notification: Notification, message: Message, routingKey: string): string {
  const common = { routing_key: routingKey, dedup_key: dedupKeyOf(notification.groupKey) };
  if (notification.status === 'resolved') return JSON.stringify({ ...common, event_action: 'resolve' });
  if (notification.status === 'acknowledged')
    return JSON.stringify({ ...common, event_action: 'acknowledge' });
  return JSON.stringify({
    ...common,
    event_action: 'trigger',
    payload: {
      summary: message.subject.slice(0, MAX_SUMMARY).toWellFormed(),
      source: `redis ${message.instance}`,
      severity: notification.severity,
      timestamp: isoUtc(notification.sinceMs),
      component: 'bullmq',
      group: message.instance,
      class: notification.alerts[0]?.rule ?? 'spillway',
      custom_details: {
        message: plainText(message),
        since: message.since,
        cause: message.cause,
        effect: message.effect,
        action: message.action,
        evidence: message.alerts.map(({ headline, evidence }) =>
          evidence === null ? headline : `${headline} (${evidence})`,
        ),
        first_remedy: message.firstRemedy ?? 'none is known',
        notification_id: notification.id,
      },
    },
    ...(message.link === null
      ? {}
      : {
          client: 'Spillway',
          client_url: message.link,
          links: [{ href: message.link, text: 'Open the console' }],
        }),
  });
}

/** The same for the whole life of a group; longer keys than PagerDuty takes become their hash. */
export function dedupKeyOf(groupKey: string): string {
  return groupKey.length > 0 && groupKey.length <= MAX_DEDUP_KEY && /^[\x21-\x7e ]+$/.test(groupKey)
    ? groupKey
    : `spillway-${shortHash(groupKey)}`;
}
