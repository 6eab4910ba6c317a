import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { TokenEntry } from '../config/config.js';

/** SHA-256 of a token, in hex: what the configuration holds. Tokens are 256 random bits, so no slow hash is needed. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token, 'utf8').digest('hex');
}

/** A fresh token, to be shown once. */
export function newToken(): string {
  return `spw_${randomBytes(32).toString('base64url')}`;
}

/** Who holds this token; null for nobody. Compares with all entries in constant time. */
export function holderOf(token: string, entries: readonly TokenEntry[]): TokenEntry | null {
  const given = Buffer.from(hashToken(token), 'hex');
  let holder: TokenEntry | null = null;
  for (const entry of entries) {
    if (timingSafeEqual(given, Buffer.from(entry.sha256, 'hex'))) holder = entry;
  }
  return holder;
}

/** So many wrong ones within the window are answered 429 rather than 401. */
const MAX_WRONG = 10;
const WINDOW_MS = 60_000;
/** Sources and tokens that are counted; the longest known go first. */
const MAX_COUNTED = 2_000;

type WrongTry = 'wrong' | 'first-too-many' | 'too-many';

/**
 * Counts wrong tokens by source and by token, in bounded memory. Right ones are never asked about here, so nobody is
 * locked out: a token has 256 bits, and behind a proxy all callers are one source.
 */
export class WrongTokens {
  readonly #counts = new Map<string, { count: number; sinceMs: number }>();

  note(source: string, token: string, nowMs: number): WrongTry {
    const fingerprint = fingerprintOf(token);
    const counts = [
      this.#add(`source ${networkOf(source)}`, nowMs),
      ...(fingerprint === null ? [] : [this.#add(`token ${fingerprint}`, nowMs)]),
    ];
    const most = Math.max(...counts);
    return most < MAX_WRONG ? 'wrong' : most === MAX_WRONG ? 'first-too-many' : 'too-many';
  }

  #add(key: string, nowMs: number): number {
    const known = this.#counts.get(key);
    if (known && nowMs - known.sinceMs < WINDOW_MS && nowMs >= known.sinceMs) return ++known.count;
    this.#counts.delete(key);
    this.#counts.set(key, { count: 1, sinceMs: nowMs });
    const [oldest] = this.#counts.keys();
    if (this.#counts.size > MAX_COUNTED && oldest !== undefined) this.#counts.delete(oldest);
    return 1;
  }
}

/**
 * The start of the SHA-256 of what looks like a token of ours, as the configuration has (or had) it: tells which program
 * goes on using one that was taken away. null for anything else, which may be a password of another place.
 */
export function fingerprintOf(token: string): string | null {
  return /^spw_[\w-]{43}$/.test(token) ? hashToken(token).slice(0, 8) : null;
}

/** Whoever has one IPv6 address has the 2^64 of its network. */
function networkOf(source: string): string {
  if (isIP(source) !== 6) return source;
  const address = ipaddr.process(source);
  return address instanceof ipaddr.IPv6 ? address.parts.slice(0, 4).join(':') : address.toString();
}
