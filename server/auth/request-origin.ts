import { isIP } from 'node:net';
import type { Context } from 'hono';
import type { Config } from '../config/config.js';

/**
 * May the console be called by this Host? By the names of this machine's loopback, by the address it is bound to and by
 * `allowedHosts`. Bound to every address it can't know its own, so there any address may be meant (probes call by it, and
 * no page elsewhere can: DNS gives names), and any name too while `allowedHosts` is empty: there a token is required.
 */
export function hostAllowance({
  host: boundTo,
  allowedHosts,
}: Pick<Config, 'host' | 'allowedHosts'>): (header: string) => boolean {
  const isAnyAddress = boundTo === '0.0.0.0' || boundTo === '::';
  const names = new Set(
    ['localhost', '127.0.0.1', '::1', boundTo, ...allowedHosts].map((name) => bare(name.toLowerCase())),
  );
  return (header) => {
    const name = bare(header.toLowerCase().replace(/:\d+$/, ''));
    if (names.has(name)) return true;
    return isAnyAddress && (allowedHosts.length === 0 || isIP(name) !== 0);
  };
}

/**
 * Browsers send Sec-Fetch-Site and, with every change, Origin; another site can forge neither. A program that sends
 * neither is no browser, and so carries no one else's session.
 */
export function isOwnOrigin(c: Context): boolean {
  const site = c.req.header('sec-fetch-site');
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false;
  const origin = c.req.header('origin');
  if (origin === undefined) return true;
  try {
    return new URL(origin).host === c.req.header('host');
  } catch {
    // "null": a sandboxed frame or a file.
    return false;
  }
}

function bare(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}
