import { deflateRawSync, inflateRawSync } from 'node:zlib';

const PLAIN = 0;
const DEFLATED = 1;
/** Shorter ones gain less than they cost. */
const WORTH_DEFLATING_BYTES = 160;
/**
 * zlib's usual state is 256 KB, for each of hundreds of blocks a second: V8 counts it and collects garbage for it. A block is
 * some hundred bytes, which such a small window (4 KB) and table hold.
 */
const SMALL = { level: 6, windowBits: 12, memLevel: 4 } as const;

/** A block as it is stored: a byte that says how, then the block. */
export function pack(block: Uint8Array, mayDeflate: boolean): Uint8Array {
  const deflated = mayDeflate && block.length >= WORTH_DEFLATING_BYTES ? deflateRawSync(block, SMALL) : null;
  const isSmaller = deflated !== null && deflated.length < block.length;
  const body = isSmaller ? deflated : block;
  const packed = new Uint8Array(body.length + 1);
  packed[0] = isSmaller ? DEFLATED : PLAIN;
  packed.set(body, 1);
  return packed;
}

/** A damaged row must not take the memory. */
const MAX_BYTES = 8 * 1024 * 1024;

/** @throws Error for bytes that `pack` did not make. */
export function unpack(packed: Uint8Array): Uint8Array {
  const body = packed.subarray(1);
  if (packed[0] === PLAIN) return body;
  if (packed[0] === DEFLATED) return inflateRawSync(body, { maxOutputLength: MAX_BYTES });
  throw new RangeError('a block is packed in an unknown way');
}
