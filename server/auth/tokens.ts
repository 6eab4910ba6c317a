import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
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
