import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { Config } from '../config/config.js';
import { basePathOf } from '../config/config-file.js';

/** Where a request comes from and by which address it was sent, as its socket and the proxies that are trusted say. */
export interface RequestOrigin {
  /** Of whoever asks; "unknown" where there is no socket. */
  readonly address: string;
  /** One of `trustedProxies` brought it: nobody else's headers say who somebody is. */
  readonly isProxied: boolean;
  /** What it was sent to: the Host header and, before a trusted proxy, another. */
  readonly hosts: readonly string[];
  readonly isHttps: boolean;
  /** What the console's addresses begin with for whoever asks: empty, or a path without a slash at its end. */
  readonly base: string;
}

type OriginSettings = Pick<Config, 'basePath' | 'publicUrl' | 'trustedProxies'>;

/** Longer chains are somebody's play. */
const MAX_HOPS = 20;
/** As `basePath` of the configuration: nothing that would end an attribute, or lead to another host. */
const PREFIX = /^(\/[A-Za-z0-9._~-]{1,100}){1,10}\/?$/;

/**
 * Reads where requests come from. `X-Forwarded-For`, `-Proto`, `-Host`, `-Prefix` and `Forwarded` (RFC 7239) are believed
 * from `trustedProxies` alone. Addresses are read from the last, each put there by the one after it, up to the first that
 * is no trusted proxy. Where both headers name one and differ, one of them is the client's own: neither is believed.
 */
export function originReader({
  basePath,
  publicUrl,
  trustedProxies,
}: OriginSettings): (request: Request, peer: string | null) => RequestOrigin {
  const isTrusted = networksMatcher(trustedProxies);
  const ownBase = publicUrl === null ? basePath : basePathOf(publicUrl);
  const publicProto = publicUrl === null ? null : new URL(publicUrl).protocol.slice(0, -1);
  return ({ headers, url }, peer) => {
    const isProxied = peer !== null && isTrusted(peer);
    const host = headers.get('host') ?? '';
    // A browser's word, which is there with each form, and which no proxy changes.
    const isHttps = url.startsWith('https:') || headers.get('origin')?.startsWith('https:') === true;
    if (!isProxied) return { address: peer ?? 'unknown', isProxied, hosts: [host], isHttps, base: ownBase };
    const standard = forwardedOf(headers.get('forwarded') ?? '');
    const named = [listOf(headers.get('x-forwarded-for')), standard.for]
      .filter((hops) => hops.length > 0)
      .map((hops) => firstUntrusted(hops, isTrusted));
    const proto = listOf(headers.get('x-forwarded-proto')).at(-1) ?? standard.proto ?? publicProto;
    const before = listOf(headers.get('x-forwarded-host')).at(-1) ?? standard.host;
    return {
      address: named.length > 0 && new Set(named).size === 1 ? (named[0] ?? peer) : peer,
      isProxied,
      hosts: before === null ? [host] : [host, before],
      isHttps: isHttps || proto === 'https',
      base: publicUrl === null ? prefixed(headers.get('x-forwarded-prefix'), basePath) : ownBase,
    };
  };
}

/** The path without the first of `bases` that it begins with. */
export function withoutBase(path: string, bases: readonly string[]): string {
  const base = bases.find((one) => one !== '' && (path === one || path.startsWith(`${one}/`)));
  return base === undefined ? path : path.slice(base.length) || '/';
}

/**
 * May the console be called by this Host? By the names of this machine's loopback, by the address it is bound to, and by
 * those of `allowedHosts` and `publicUrl`. Bound to every address it can't know its own, so there any address may be meant
 * (probes call by it, and no page elsewhere can: DNS gives names), and any name too while `allowedHosts` is empty: there a
 * token is required.
 */
export function hostAllowance({
  host: boundTo,
  allowedHosts,
  publicUrl,
}: Pick<Config, 'host' | 'allowedHosts' | 'publicUrl'>): (header: string) => boolean {
  const isAnyAddress = boundTo === '0.0.0.0' || boundTo === '::';
  const ofUrl = publicUrl === null ? [] : [new URL(publicUrl).hostname];
  const names = new Set(
    ['localhost', '127.0.0.1', '::1', boundTo, ...allowedHosts, ...ofUrl].map((name) =>
      bare(name.toLowerCase()),
    ),
  );
  return (header) => {
    const name = bare(header.toLowerCase().replace(/:\d+$/, ''));
    if (names.has(name)) return true;
    return isAnyAddress && (allowedHosts.length === 0 || isIP(name) !== 0);
  };
}

/**
 * Browsers send Sec-Fetch-Site over TLS and, with every change, Origin; another site can forge neither. The first alone
 * knows how the browser called a proxy that calls us by another name. A program that sends neither is no browser, and so
 * carries no one else's session.
 */
export function isOwnOrigin(headers: Headers, { hosts }: RequestOrigin, publicUrl: string | null): boolean {
  const site = headers.get('sec-fetch-site');
  if (site !== null) return site === 'same-origin' || site === 'none';
  const origin = headers.get('origin');
  if (origin === null) return true;
  try {
    const { host, origin: whole } = new URL(origin);
    return hosts.includes(host) || (publicUrl !== null && new URL(publicUrl).origin === whole);
  } catch {
    // "null": a sandboxed frame or a file.
    return false;
  }
}

function networksMatcher(networks: readonly string[]): (address: string) => boolean {
  const parsed = networks.map((text) =>
    ipaddr.parseCIDR(text.includes('/') ? text : `${text}/${isIP(text) === 6 ? 128 : 32}`),
  );
  return (text) => {
    if (isIP(text) === 0) return false;
    // An IPv4 address that a socket of IPv6 shows as ::ffff:10.0.0.1 is meant as such.
    const address = ipaddr.process(text);
    return parsed.some(
      ([network, bits]) => network.kind() === address.kind() && address.match(network, bits),
    );
  };
}

/** The last of the hops that is no proxy of ours; the first where all are. Hops without an address are nobody's. */
function firstUntrusted(hops: readonly string[], isTrusted: (address: string) => boolean): string {
  const addresses = hops.slice(-MAX_HOPS).map(addressOf);
  return addresses.findLast((address) => !isTrusted(address)) ?? addresses[0] ?? 'unknown';
}

/** Without port and brackets. */
function addressOf(hop: string): string {
  const address = /^\[([^\]]*)\](?::\d+)?$/.exec(hop)?.[1] ?? /^([\d.]+):\d+$/.exec(hop)?.[1] ?? hop;
  return isIP(address) === 0 ? 'unknown' : address;
}

/** `for` of each proxy, and what the last says of the rest. */
function forwardedOf(header: string): {
  readonly for: readonly string[];
  readonly proto: string | null;
  readonly host: string | null;
} {
  const named = (name: string): readonly string[] =>
    [...header.matchAll(new RegExp(`(?:^|[;,])\\s*${name}=(?:"([^"]*)"|([^;,\\s"]*))`, 'gi'))].map(
      ([, quoted, plain]) => quoted ?? plain ?? '',
    );
  return { for: named('for'), proto: named('proto').at(-1) ?? null, host: named('host').at(-1) ?? null };
}

function listOf(header: string | null): readonly string[] {
  return header === null
    ? []
    : header
        .split(',')
        .map((entry) => entry.trim())
        .filter((entry) => entry !== '');
}

/** What a proxy took off stands before `basePath`, unless that names all of it. */
function prefixed(header: string | null, basePath: string): string {
  if (header === null || !PREFIX.test(header)) return basePath;
  const prefix = header.replace(/\/$/, '');
  return `${basePath}/`.startsWith(`${prefix}/`) ? basePath : prefix + basePath;
}

function bare(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}
