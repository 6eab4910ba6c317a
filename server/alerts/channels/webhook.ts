import { secretScrubber, secretsOfUrl } from '../../model/scrub-secrets.js';
import type { Channel, SendDeps } from './channel.js';
import type { WebhookSettings } from './channel-settings.js';
import { ID_HEADER, SIGNATURE_HEADER, signBody, TIMESTAMP_HEADER, webhookBody } from './format-webhook.js';
import { postOutgoing } from './post-outgoing.js';

/** JSON to any address, signed where a secret is set. The id is the same for each try. */
export function webhookChannel(settings: WebhookSettings, deps: SendDeps): Channel {
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
