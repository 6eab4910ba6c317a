import { BlockList, isIP } from 'node:net';
import { globMatcher } from '../../model/glob.js';

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
 * Never called unless the very network is allowed by name: what answers there hands out a machine's credentials
 * (169.254.169.254 and its kin at AWS, Azure, Alibaba and Oracle), is this machine by another name, or is a crowd.
 */
const DENIED_BY_DEFAULT = [
  '169.254.0.0/16',
  'fe80::/10',
  'fd00:ec2::254/128',
  '168.63.129.16/32',
  '100.100.100.200/32',
  '192.0.0.192/32',
  '0.0.0.0/8',
  '::/128',
  '224.0.0.0/4',
  '255.255.255.255/32',
  'ff00::/8',
];

/**
 * May a message go to this address of this host? `deny` wins over `allow`; where `allow` is not empty, host or address
 * must be in it; what is denied by default takes a network in `allow`, as a name can be made to point anywhere.
 * @returns null, or why not.
 */
export function whyNotAllowed(host: string, address: string, rules: OutgoingRules): string | null {
  const name = host.toLowerCase();
  const real = embeddedAddress(address);
  const inNetwork = (entry: string) => isInNetwork(real, entry);
  const matches = (entry: string) =>
    parseNetwork(entry) ? inNetwork(entry) : globMatcher(entry.toLowerCase())(name);
  if (rules.deny.some(matches)) return 'it is denied by alerts.outgoing.deny';
  if (rules.allow.some((entry) => parseNetwork(entry) !== null && inNetwork(entry))) return null;
  if (DENIED_BY_DEFAULT.some(inNetwork))
    return 'link-local, metadata and multicast addresses are denied unless their network is in alerts.outgoing.allow';
  if (rules.allow.length === 0 || rules.allow.some(matches)) return null;
  return 'it is not in alerts.outgoing.allow';
}

/** Is it a network, an address or a glob of host names that can be meant? */
export function isOutgoingEntry(text: string): boolean {
  return parseNetwork(text) !== null || /^[a-z0-9*?._-]{1,253}$/i.test(text);
}

/** IPv4 that is written inside IPv6: mapped (::ffff:a.b.c.d) or behind NAT64 (64:ff9b::/96). */
function embeddedAddress(address: string): string {
  const bare = address.replace(/%.*$/, '');
  if (isIP(bare) !== 6) return bare;
  const groups = groupsOf(bare);
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  const isTranslated =
    groups[0] === 0x64 && groups[1] === 0xff9b && groups.slice(2, 6).every((group) => group === 0);
  if (!isMapped && !isTranslated) return bare;
  const [high = 0, low = 0] = groups.slice(6);
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): readonly number[] {
  const plain = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) =>
    [(Number(a) << 8) | Number(b), (Number(c) << 8) | Number(d)].map((group) => group.toString(16)).join(':'),
  );
  const [head = '', tail] = plain.split('::');
  const parse = (text: string) =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const before = parse(head);
  const after = parse(tail ?? '');
  return [...before, ...new Array<number>(Math.max(0, 8 - before.length - after.length)).fill(0), ...after];
}

function isInNetwork(address: string, entry: string): boolean {
  const network = parseNetwork(entry);
  const family = isIP(address);
  if (!network || family === 0) return false;
  const list = new BlockList();
  list.addSubnet(network.address, network.bits, network.family === 4 ? 'ipv4' : 'ipv6');
  return list.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

function parseNetwork(entry: string): { address: string; bits: number; family: number } | null {
  const [address = '', bitsText, ...more] = entry.split('/');
  const family = isIP(address);
  if (family === 0 || more.length > 0 || address.includes('%')) return null;
  const most = family === 4 ? 32 : 128;
  const bits = bitsText === undefined ? most : /^\d{1,3}$/.test(bitsText) ? Number(bitsText) : Number.NaN;
  return bits <= most ? { address, bits, family } : null;
}
