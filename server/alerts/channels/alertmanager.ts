import { secretScrubber, secretsOfUrl } from '../../model/scrub-secrets.js';
import type { Channel, SendDeps } from './channel.js';
import type { AlertmanagerSettings } from './channel-settings.js';
import { alertmanagerBody } from './format-alertmanager.js';
import { postOutgoing } from './post-outgoing.js';

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
