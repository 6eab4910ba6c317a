import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Signal } from '../signals/signal.js';
import { noPoints, type Points, TICK_MS } from './points.js';

/** One signal of a block. All columns of a block have the same start, step and length. */
export interface BlockColumn {
  /** Number of the signal. */
  readonly signal: number;
  readonly points: Points;
}

/** What all columns of a block share. */
interface BlockShape {
  readonly scope: Signal['scope'];
  readonly stepMs: number;
  /** Points of each column. */
  readonly length: number;
}

/**
 * Bits of the fraction of a 32-bit float that are kept, rounded to the nearest: of the few series of Redis itself 14 (1 in
 * 32,768), of those of queues and job types, of which there are thousands, 6 (1 in 128, and whole numbers up to 128 exactly).
 */
export const KEPT_BITS = { instance: 14, node: 14, queue: 6, 'job-type': 6 } as const;

/** Of the layout below; rows of another one are not read. */
const FORM = 3;
const HEAD_BYTES = 10;
/** A damaged row must not take the memory. */
const MAX_BYTES = 8 * 1024 * 1024;
/**
 * zlib's usual state is 256 KB: V8 counts it and collects garbage for it, which is too much for hundreds of blocks of ticks
 * a second. A small `memLevel` also makes it begin a new Huffman code often, where the kind of numbers changes.
 */
const OF_TICKS = { level: 6, windowBits: 12, memLevel: 4 } as const;
const OF_FOLDED = { level: 9, windowBits: 14, memLevel: 4 } as const;

/**
 * A stretch of all signals of one subject as bytes; where it begins is kept beside it. After a head comes, deflated: the
 * numbers of the signals, the middle mean of each, and then kind by kind (means, missing ticks, distances of the least and
 * of the largest) the lowest bytes of all signals, the second ones and so on. What is alike stands together, which is what
 * zlib makes short. Values are floats cut to KEPT_BITS and taken as whole numbers, so that distances between them are exact,
 * small, and 0 for what does not change.
 * @param columns may give the same arrays again with other values: each column is taken before the next is asked for.
 */
export function encodeBlock({ scope, stepMs, length }: BlockShape, columns: Iterable<BlockColumn>): Buffer {
  const bits = KEPT_BITS[scope];
  const places = placesOf(bits);
  const taken: { readonly signal: number; readonly middle: number; readonly codes: Uint32Array }[] = [];
  for (const { signal, points } of columns) {
    if (points.count.length !== length) throw new RangeError('columns of a block must have one length');
    const codes = new Uint32Array(partsOf(stepMs) * length);
    taken.push({ signal, middle: writeCodes(codes, points, bits), codes });
  }
  const body = Buffer.allocUnsafe(taken.length * columnBytes(bits, stepMs, length));
  let at = 0;
  for (const { signal } of taken) at = body.writeUInt16LE(signal, at);
  for (const { middle } of taken) at = body.writeUIntLE(middle, at, places);
  for (let part = 0; part < partsOf(stepMs); part++)
    for (let place = 0; place < places; place++)
      for (const { codes } of taken)
        for (let i = part * length; i < (part + 1) * length; i++)
          body[at++] = (codes[i] ?? 0) >>> (8 * place);
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt8(FORM, 0);
  head.writeUInt8(bits, 1);
  head.writeUInt16LE(length, 2);
  head.writeUInt32LE(stepMs, 4);
  head.writeUInt16LE(taken.length, 8);
  return Buffer.concat([head, deflateRawSync(body, stepMs === TICK_MS ? OF_TICKS : OF_FOLDED)]);
}

/**
 * All means, then all missing ticks and so on. A gap repeats the mean before it, as that takes the least.
 * @returns the middle mean, which the others are distances from.
 */
function writeCodes(codes: Uint32Array, { mean, min, max, count, stepMs }: Points, bits: number): number {
  const length = count.length;
  const isFolded = codes.length > 2 * length;
  for (let i = 0, code = 0; i < length; i++) {
    const isKnown = count[i] !== 0;
    if (isKnown) code = codeOf(mean[i] ?? 0, bits);
    codes[i] = code;
    codes[length + i] = Math.max(0, stepMs / TICK_MS - (count[i] ?? 0));
    if (!isFolded) continue;
    codes[2 * length + i] = isKnown ? code - codeOf(min[i] ?? 0, bits) : 0;
    codes[3 * length + i] = isKnown ? codeOf(max[i] ?? 0, bits) - code : 0;
  }
  const middle = codes.slice(0, length).sort()[length >> 1] ?? 0;
  for (let i = 0; i < length; i++) codes[i] = unsigned((codes[i] ?? 0) - middle);
  return middle;
}

/**
 * The signals of a block.
 * @param wanted only this one; all where left out.
 * @throws Error for bytes that no encoder wrote.
 */
export function decodeBlock(bytes: Uint8Array, startMs: number, wanted?: number): readonly BlockColumn[] {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (head.readUInt8(0) !== FORM) throw new RangeError('a block has an unknown form');
  const [bits, length, stepMs] = [head.readUInt8(1), head.readUInt16LE(2), head.readUInt32LE(4)];
  const [columns, places] = [head.readUInt16LE(8), placesOf(bits)];
  const body = inflateRawSync(head.subarray(HEAD_BYTES), { maxOutputLength: MAX_BYTES });
  if (length === 0 || body.length !== columns * columnBytes(bits, stepMs, length))
    throw new RangeError('a block ends too early');
  const found: BlockColumn[] = [];
  const codes = new Uint32Array(partsOf(stepMs) * length);
  for (let column = 0; column < columns; column++) {
    const signal = body.readUInt16LE(2 * column);
    if (wanted !== undefined && wanted !== signal) continue;
    codes.fill(0);
    let from = (2 + places) * columns + column * length;
    for (let part = 0; part < codes.length; part += length)
      for (let place = 0; place < places; place++, from += columns * length)
        for (let i = 0; i < length; i++)
          codes[part + i] = (codes[part + i] ?? 0) | ((body[from + i] ?? 0) << (8 * place));
    const points = noPoints(startMs, stepMs, length);
    readCodes(codes, body.readUIntLE(2 * columns + places * column, places), points, bits);
    found.push({ signal, points });
  }
  return found;
}

function readCodes(codes: Uint32Array, middle: number, points: Points, bits: number): void {
  const { mean, min, max, count, stepMs } = points;
  const length = count.length;
  for (let i = 0; i < length; i++) {
    const code = middle + signed(codes[i] ?? 0);
    mean[i] = ofCode(code, bits);
    count[i] = Math.max(0, stepMs / TICK_MS - (codes[length + i] ?? 0));
    min[i] = ofCode(code - (codes[2 * length + i] ?? 0), bits);
    max[i] = ofCode(code + (codes[3 * length + i] ?? 0), bits);
  }
}

/** 0, −1, 1, −2, 2 … as 0, 1, 2, 3, 4 …: what is near to 0 on either side is small. */
function unsigned(distance: number): number {
  return (distance << 1) ^ (distance >> 31);
}

function signed(code: number): number {
  return (code >>> 1) ^ -(code & 1);
}

/** Of a point: its mean, and how many ticks are missing; where it is folded also how far off the least and the largest are. */
function partsOf(stepMs: number): number {
  return stepMs === TICK_MS ? 2 : 4;
}

/** Bytes that a number takes; distances may wrap around in them. */
function placesOf(bits: number): number {
  return Math.ceil((bits + 9) / 8);
}

/** Of one signal: its number, its middle mean, its points. */
function columnBytes(bits: number, stepMs: number, length: number): number {
  return 2 + placesOf(bits) * (1 + partsOf(stepMs) * length);
}

const FLOAT = new Float32Array(1);
const BITS = new Uint32Array(FLOAT.buffer);

/** Sign, exponent and the first `bits` of the fraction, rounded: a larger one for what is further from 0. */
function codeOf(value: number, bits: number): number {
  // Plus 0, here and below: no negative zero, which would be far from zero.
  FLOAT[0] = value + 0;
  return ((BITS[0] ?? 0) + (1 << (22 - bits))) >>> (23 - bits);
}

function ofCode(code: number, bits: number): number {
  BITS[0] = code << (23 - bits);
  return (FLOAT[0] ?? 0) + 0;
}
