import { createHash } from 'node:crypto';

/** Texts in one piece: how many, then each with its length before it, as 32-bit big-endian numbers. */
export function packFields(fields: readonly Buffer[]): Buffer {
  const packed = Buffer.allocUnsafe(fields.reduce((sum, field) => sum + 4 + field.length, 4));
  let at = packed.writeUInt32BE(fields.length, 0);
  for (const field of fields) {
    at = packed.writeUInt32BE(field.length, at);
    at += field.copy(packed, at);
  }
  return packed;
}

/** The way back. @throws RangeError for what packFields did not make. */
export function unpackFields(packed: Buffer): readonly Buffer[] {
  const count = packed.readUInt32BE(0);
  const fields: Buffer[] = [];
  let at = 4;
  for (let i = 0; i < count; i++) {
    const length = packed.readUInt32BE(at);
    at += 4;
    if (at + length > packed.length) throw new RangeError('a parked job is cut short on disk');
    fields.push(packed.subarray(at, at + length));
    at += length;
  }
  return fields;
}

/** SHA-1 of lengths and values, as remove-jobs.lua works it out in Redis. @param fields field, value, … */
export function digestOf(fields: readonly Buffer[]): string {
  const hash = createHash('sha1');
  for (let i = 1; i < fields.length; i += 2) {
    const value = fields[i] ?? Buffer.alloc(0);
    hash.update(`${value.length}:`).update(value);
  }
  return hash.digest('hex');
}
