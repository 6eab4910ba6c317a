import { createHash } from 'node:crypto';

/** A name up to so many bytes is the type as it is. */
const MAX_TYPE_BYTES = 200;
const HEAD_BYTES = 180;
/** A name beyond this is read by nobody: jobs are distinguished by how long it is. */
export const MAX_NAME_BYTES = 16 * 1024;
/** UTF-8 takes at most three bytes for one of JavaScript's characters. */
const SURELY_SHORT_CHARS = Math.floor(MAX_TYPE_BYTES / 3);

/**
 * The job type of a job name: the name itself where it is at most 200 bytes, else its beginning and a hash of all of it, so
 * that long names stay apart and nothing that is kept or shown is larger than this. Of the type it is the type again.
 * Worked out in Lua too (replay/job-type.lua): whoever compares types by hand compares what this returns.
 */
export function jobTypeOf(name: string): string {
  if (name.length <= SURELY_SHORT_CHARS) return name;
  const bytes = name.length > MAX_NAME_BYTES ? null : Buffer.from(name);
  if (bytes === null || bytes.length > MAX_NAME_BYTES) return typeOfUnread(Buffer.byteLength(name));
  if (bytes.length <= MAX_TYPE_BYTES) return name;
  let end = HEAD_BYTES;
  // Not in the midst of a character.
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  const hash = createHash('sha1').update(bytes).digest('hex').slice(0, 8);
  return `${bytes.toString('utf8', 0, end)}…${hash}`;
}

/** The job type of a name that is not read, as it is so long. */
export function typeOfUnread(nameBytes: number): string {
  return `(name of ${nameBytes} bytes)`;
}
