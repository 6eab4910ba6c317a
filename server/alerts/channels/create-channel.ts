import { alertmanagerChannel } from './alertmanager.js';
import type { Channel, SendDeps } from './channel.js';
import type { ChannelSettings } from './channel-settings.js';
import { emailChannel } from './email.js';
import { pagerDutyChannel } from './pagerduty.js';
import { slackChannel } from './slack.js';
import { webhookChannel } from './webhook.js';

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
