import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TokenEntry } from '../config.js';

export const SESSION_COOKIE = 'spillway_session';
/** A night shift and a bit. */
export const SESSION_MS = 12 * 3_600_000;

/**
 * The secret that sessions are signed with, kept in the data directory so that a restart signs nobody out. Where it
 * can't be kept, a fresh one: then a restart does.
 */
export function sessionSecret(directory: string): Buffer {
  const path = join(directory, 'session.key');
  try {
    const kept = readFileSync(path);
    if (kept.length >= 32) return kept;
  } catch {
    // Not there yet, or not readable: both end in a fresh one.
  }
  const fresh = randomBytes(32);
  try {
    writeFileSync(path, fresh, { mode: 0o600 });
  } catch {
    // A directory that can't be written is told by the store already.
  }
  return fresh;
}

/** `<expires>.<start of the token's hash>.<signature>`: holds no token, and ends when the token leaves the configuration. */
export function sealSession(entry: TokenEntry, nowMs: number, secret: Buffer): string {
  const body = `${nowMs + SESSION_MS}.${entry.sha256.slice(0, 16)}`;
  return `${body}.${sign(body, secret)}`;
}

/** Whose session it is; null for one that is forged, over, or whose token is no longer configured. */
export function openSession(
  cookie: string,
  entries: readonly TokenEntry[],
  nowMs: number,
  secret: Buffer,
): TokenEntry | null {
  const [expires = '', tokenStart = '', signature = ''] = cookie.split('.');
  const expected = Buffer.from(sign(`${expires}.${tokenStart}`, secret));
  const given = Buffer.from(signature);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null;
  if (!(Number(expires) > nowMs)) return null;
  return entries.find((entry) => entry.sha256.startsWith(tokenStart) && tokenStart.length === 16) ?? null;
}

function sign(body: string, secret: Buffer): string {
  return createHmac('sha256', secret).update(body).digest('base64url');
}
