import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { globMatcher } from '../../model/text.js';

/** Where messages may go: networks (`10.0.0.0/8`, `::1/128`, a bare address) and globs of host names. */
export interface OutgoingRules {
  /** Empty: everywhere that is not denied. */
  readonly allow: readonly string[];
  readonly deny: readonly string[];
}

/** One address of a host, as the resolver gave it. */
export interface HostAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/**
 * Never called unless the very network is allowed by name: what answers there hands out a machine's credentials, is this
 * machine by another name, or is a crowd.
 */
const DENIED_BY_DEFAULT = [
  // Link-local and site-local: 169.254.169.254 and its kin at most clouds.
  ...['169.254.0.0/16', 'fe80::/10', 'fec0::/10'],
  // Azure, Alibaba, Oracle; by IPv6 AWS, Google, Oracle, Scaleway, Akamai, Alibaba.
  ...['168.63.129.16', '100.100.100.200', '192.0.0.192'],
  ...[
    'fd00:ec2::/32',
    'fd20:ce::254',
    'fd00:c1::a9fe:a9fe',
    'fd00:42::42',
    'fd00:a9fe:a9fe::1',
    'fd00:100::100:200',
  ],
  ...['0.0.0.0/8', '::/128', '224.0.0.0/4', '255.255.255.255', 'ff00::/8'],
  // Tunnels to IPv4 in which any address may be written, in more ways than one: translated, local NAT64, Teredo, 6to4.
  // Nobody receives messages there.
  ...['::ffff:0:0:0/96', '64:ff9b:1::/48', '2001::/32', '2002::/16'],
];

/**
 * May a message go to this address of this host? `deny` wins over `allow`; where `allow` is not empty, host or address
 * must be in it; what is denied by default takes a network in `allow`, as a name can be made to point anywhere.
 * @returns null, or why not.
 */
export function whyNotAllowed(host: string, address: string, rules: OutgoingRules): string | null {
  const name = host.toLowerCase();
  const real = embeddedAddress(address);
  if (real === null) return 'it is no address';
  const inNetwork = (entry: string) => {
    const network = parseNetwork(entry);
    return network !== null && isInNetwork(real, network);
  };
  const matches = (entry: string) =>
    parseNetwork(entry) ? inNetwork(entry) : globMatcher(entry.toLowerCase())(name);
  if (rules.deny.some(matches)) return 'it is denied by alerts.outgoing.deny';
  if (rules.allow.some(inNetwork)) return null;
  if (DENIED_BY_DEFAULT.some(inNetwork))
    return 'link-local, metadata, multicast and tunnel addresses are denied unless their network is in alerts.outgoing.allow';
  if (rules.allow.length === 0 || rules.allow.some(matches)) return null;
  return 'it is not in alerts.outgoing.allow';
}

/** Is it a network, an address or a glob of host names that can be meant? */
export function isOutgoingEntry(text: string): boolean {
  return parseNetwork(text) !== null || /^[a-z0-9*?._-]{1,253}$/i.test(text);
}

type Address = ReturnType<typeof ipaddr.parse>;
type Network = ReturnType<typeof ipaddr.parseCIDR>;

const EMBEDDING: readonly Network[] = ['64:ff9b::/96', '::/96'].map((network) => ipaddr.parseCIDR(network));

/** IPv4 where it is the end of IPv6: mapped (::ffff:a.b.c.d), behind NAT64, or compatible (::a.b.c.d, but :: and ::1). */
function embeddedAddress(text: string): Address | null {
  if (isIP(text) === 0) return null;
  const address = ipaddr.process(text.replace(/%.*$/, ''));
  const isItself = address.kind() === 'ipv4' || ['loopback', 'unspecified'].includes(address.range());
  if (isItself || !EMBEDDING.some((network) => address.match(network))) return address;
  return ipaddr.fromByteArray(address.toByteArray().slice(-4));
}

function isInNetwork(address: Address, network: Network): boolean {
  return address.kind() === network[0].kind() && address.match(network);
}

/** Strictly: the library would also take 10 and 0x7f.1 for addresses. */
function parseNetwork(entry: string): Network | null {
  const [address = '', bits] = entry.split('/');
  const family = isIP(address);
  if (family === 0 || address.includes('%')) return null;
  const network = bits === undefined ? `${address}/${family === 4 ? 32 : 128}` : entry;
  return ipaddr.isValidCIDR(network) ? ipaddr.parseCIDR(network) : null;
}

/** The address policy keeps this host from being called. */
export class OutgoingDenied extends Error {
  constructor(host: string, reason: string) {
    super(`${host} may not be called: ${reason}`);
    this.name = 'OutgoingDenied';
  }
}

export type Resolve = (host: string) => Promise<readonly HostAddress[]>;

/** The machine's own resolver, hosts file included. */
const resolveHost: Resolve = async (host) =>
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
