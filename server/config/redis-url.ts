import type { Endpoint, HostPort } from '../model/instance-config.js';

const FORMS =
  'redis://host:6379, rediss://host:6379, redis+sentinel://host:26379,host:26379/master-name or redis+cluster://host:7000,host:7001';

/**
 * Where a Redis is, from one URL. Sentinel and Cluster take several hosts with commas, as no URL standard has them.
 * @throws Error with the forms that are right; never with the URL, which may hold a password.
 */
export function parseRedisUrl(text: string): Endpoint {
  const scheme = /^(rediss?)(?:\+(sentinel|cluster))?:\/\//.exec(text);
  if (!scheme) throw new Error(`must be one of ${FORMS}`);
  const [whole, base, kind] = scheme;
  const tls = base === 'rediss';
  if (kind === undefined) return { kind: 'single', url: checkedUrl(text) };
  const { login, hosts, path } = parts(text.slice(whole.length), kind === 'sentinel' ? 26379 : 6379);
  if (kind === 'cluster') return { kind: 'cluster', nodes: hosts, tls, ...login };
  const [master, db = '0'] = path.split('/');
  if (!master) throw new Error('must name the master: redis+sentinel://host:26379/master-name');
  if (!/^\d+$/.test(db))
    throw new Error('must end in a database number: redis+sentinel://host:26379/master-name/0');
  return {
    kind: 'sentinel',
    sentinels: hosts,
    master: decodeURIComponent(master),
    tls,
    db: Number(db),
    ...login,
  };
}

function checkedUrl(text: string): string {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new Error(`must be one of ${FORMS}`);
  }
  if (url.hostname === '') throw new Error('must name a host: redis://host:6379');
  if (!/^(\/\d*)?$/.test(url.pathname))
    throw new Error('must end in a database number or nothing: redis://host:6379/0');
  return text;
}

function parts(rest: string, defaultPort: number) {
  const at = rest.lastIndexOf('@');
  const slash = rest.indexOf('/', at + 1);
  const hostText = rest.slice(at + 1, slash < 0 ? undefined : slash);
  const path = slash < 0 ? '' : rest.slice(slash + 1);
  const [username = '', password = ''] =
    at < 0 ? [] : splitOnce(rest.slice(0, at), ':').map(decodeURIComponent);
  const login = {
    ...(username ? { username } : {}),
    ...(password ? { password } : {}),
  };
  return { login, hosts: hostText.split(',').map((host) => parseHost(host, defaultPort)), path };
}

function splitOnce(text: string, mark: string): readonly string[] {
  const at = text.indexOf(mark);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

/** `host`, `host:port` or `[v6]:port`. */
export function parseHost(text: string, defaultPort: number): HostPort {
  const match = /^(\[[0-9a-fA-F:]+\]|[^:[\]\s]+)(?::(\d{1,5}))?$/.exec(text.trim());
  const host = match?.[1]?.replace(/^\[|\]$/g, '');
  const port = match?.[2] === undefined ? defaultPort : Number(match[2]);
  if (!host || port < 1 || port > 65_535)
    throw new Error('must list hosts as host:port, with commas between them');
  return { host, port };
}
