import { secretScrubber, secretsOfUrl } from '../../model/scrub-secrets.js';
import type { Channel, SendDeps } from './channel.js';
import type { PagerDutySettings } from './channel-settings.js';
import { dedupKeyOf, pagerDutyBody } from './format-pagerduty.js';
import { messageOf } from './message.js';
import { postOutgoing } from './post-outgoing.js';
import { shortHash } from './short-hash.js';

/** PagerDuty Events API v2. */
export function pagerDutyChannel(settings: PagerDutySettings, deps: SendDeps): Channel {
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
