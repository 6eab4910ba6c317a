/**
 * The ways to notify people. Each channel is a file that makes its receiver's body from a notification, or from its `Message`
 * in words, and hands it over by `httpChannel` (e-mail by SMTP); all of them pass the outgoing policy. The outbox decides
 * what is sent when. Imports nothing of the rest of alerts but `notification.ts`. To add a channel copy webhook.ts, and add
 * its settings to channel-settings.ts and a line here.
 */
import { alertmanagerChannel } from './alertmanager.js';
import type { Channel, SendDeps } from './channel.js';
import { emailChannel } from './email.js';
import { pagerDutyChannel } from './pagerduty.js';
import type { ChannelSettings } from './settings.js';
import { slackChannel } from './slack.js';
import { webhookChannel } from './webhook.js';

/** The channel that its settings describe. */
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
