import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { type HostAddress, type OutgoingRules, whyNotAllowed } from './outgoing-policy.js';

/** The address policy keeps this host from being called. */
export class OutgoingDenied extends Error {
  constructor(host: string, reason: string) {
    super(`${host} may not be called: ${reason}`);
    this.name = 'OutgoingDenied';
  }
}

export type Resolve = (host: string) => Promise<readonly HostAddress[]>;

/** The machine's own resolver, hosts file included. */
export const resolveHost: Resolve = async (host) =>
  (await lookup(host, { all: true })).map(({ address, family }) => ({
    address,
    family: family === 6 ? 6 : 4,
  }));

/**
 * Resolves a host once and keeps the addresses that may be called. The caller connects to one of these and resolves
 * nothing again: a name that changes its answer in between (DNS rebinding) leads nowhere else.
 * @throws OutgoingDenied where none may be called; what the resolver says.
 */
export async function resolveAllowed(
  host: string,
  rules: OutgoingRules,
  resolve: Resolve = resolveHost,
): Promise<readonly [HostAddress, ...HostAddress[]]> {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  const literal = isIP(bare);
  const found: readonly HostAddress[] =
    literal === 0 ? await resolve(bare) : [{ address: bare, family: literal === 6 ? 6 : 4 }];
  const judged = found.map((one) => ({ one, reason: whyNotAllowed(bare, one.address, rules) }));
  const [first, ...rest] = judged.filter(({ reason }) => reason === null).map(({ one }) => one);
  if (first) return [first, ...rest];
  throw new OutgoingDenied(bare, judged[0]?.reason ?? 'it has no address');
}
