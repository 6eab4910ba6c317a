import { secretScrubber, secretsOfUrl } from '../../model/scrub-secrets.js';
import type { Channel, SendDeps } from './channel.js';
import type { SlackSettings } from './channel-settings.js';
import { slackBody } from './format-slack.js';
import { messageOf } from './message.js';
import { postOutgoing } from './post-outgoing.js';

/** A Slack incoming webhook, and whatever takes the same body. */
export function slackChannel(settings: SlackSettings, deps: SendDeps): Channel {
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
