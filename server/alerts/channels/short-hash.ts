import { createHash } from 'node:crypto';

/** 32 hex digits for any text: where a receiver bounds the length or the characters of a key. */
export function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
