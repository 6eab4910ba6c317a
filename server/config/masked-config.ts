import { maskedAlerts } from '../alerts/channels/settings.js';
import type { Endpoint } from '../model/instance-config.js';
import { maskedStore } from '../store/store-settings.js';
import type { Config } from './config.js';
import { maskUrl } from './mask-secrets.js';

/** For `--check`: the whole configuration without any secret. */
export function maskedConfig(config: Config): unknown {
  return {
    ...config,
    store: maskedStore(config.store),
    alerts: maskedAlerts(config.alerts),
    instances: config.instances.map((instance) => ({
      ...instance,
      endpoint: maskedEndpoint(instance.endpoint),
      agentSecret: instance.agentSecret === null ? null : '****',
    })),
    openid: config.openid && { ...config.openid, clientSecret: config.openid.clientSecret && '****' },
    tokens: config.tokens.map((token) => ({
      name: token.name,
      role: token.role,
      ...(token.grants === undefined ? {} : { grants: token.grants }),
      sha256: `${token.sha256.slice(0, 6)}…`,
    })),
  };
}

function maskedEndpoint(endpoint: Endpoint): unknown {
  if (endpoint.kind === 'single') return { ...endpoint, url: maskUrl(endpoint.url) };
  const masked = Object.entries(endpoint).map(([key, value]) => [
    key,
    /password/i.test(key) ? '****' : value,
  ]);
  return Object.fromEntries(masked);
}
