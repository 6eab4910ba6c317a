import { codeOf, ofCode, type Precision, spreadPrecision } from '../model/theil-sen.js';
import { ByteReader, ByteWriter, unzigzag, zigzag } from './bytes.js';
import { noPoints, type Points } from './points.js';

/** In place of a code: nothing is known here. */
export const GAP = -(2 ** 31);

/** Each code as its distance from the one before, or as itself: what says more in fewer bytes. */
type Coding = 'distance' | 'plain';

const REPEAT = 0;
const GAPS = 1;
const FIRST_CODE = 2;
/** Fewer of the same are shorter one by one. */
const SHORTEST_RUN = 3;

/**
 * Writes codes one after another: 0 and n, the last one n times again; 1 and n, n gaps; else a code. What doesn't
 * change takes two bytes whatever its length, noise about one byte a value.
 * @param codes for `plain` 0 ≤ code, for `distance` any whose distances have 31 bits; GAP where nothing is known.
 */
export function writeColumn(writer: ByteWriter, codes: Int32Array, coding: Coding): void {
  let last = 0;
  for (let i = 0; i < codes.length; ) {
    const code = codes[i] ?? GAP;
    let end = i + 1;
    while (end < codes.length && codes[end] === code) end += 1;
    const run = end - i;
    if (code === GAP) {
      writer.varint(GAPS);
      writer.varint(run);
    } else {
      const isAgain = code === last;
      let left = run;
      if (!isAgain || run < SHORTEST_RUN) {
        writer.varint(FIRST_CODE + (coding === 'plain' ? code : zigzag(code - last)));
        last = code;
        left -= 1;
      }
      if (left >= SHORTEST_RUN) {
        writer.varint(REPEAT);
        writer.varint(left);
      } else for (; left > 0; left--) writer.varint(FIRST_CODE + (coding === 'plain' ? code : 0));
    }
    i = end;
  }
}

/** Reads as many codes as `into` holds. @throws RangeError for what no writer writes. */
export function readColumn(reader: ByteReader, into: Int32Array, coding: Coding): void {
  let last = 0;
  for (let i = 0; i < into.length; ) {
    const token = reader.varint();
    if (token === REPEAT || token === GAPS) {
      const run = reader.varint();
      if (run === 0 || i + run > into.length) throw new RangeError('a block holds a run that is too long');
      into.fill(token === GAPS ? GAP : last, i, i + run);
      i += run;
    } else {
      last = coding === 'plain' ? token - FIRST_CODE : last + unzigzag(token - FIRST_CODE);
      into[i++] = last;
    }
  }
}

/** One signal of a block. All columns of a block have the same start, step and length. */
export interface BlockColumn {
  /** Number of the signal. */
  readonly signal: number;
  readonly precision: Precision;
  readonly points: Points;
}

const FORM = 1;
/** A point of single ticks is its own least and largest. */
const TICKS = 0;
const FOLDED = 1;

/**
 * A stretch of all signals of one subject as bytes; where it begins is kept beside it. Values are rounded to the
 * precision of their column, least and largest to `spreadPrecision` of their distance from the mean.
 */
export function encodeBlock(columns: readonly BlockColumn[], ticksAStep: number): Uint8Array {
  const writer = new ByteWriter();
  const [first] = columns;
  const length = first?.points.count.length ?? 0;
  const form = ticksAStep === 1 ? TICKS : FOLDED;
  for (const head of [FORM, form, first?.points.stepMs ?? 0, length, ticksAStep]) writer.varint(head);
  writer.varint(columns.length);
  const body = new ByteWriter();
  for (const { signal, precision, points } of columns) {
    body.clear();
    if (points.count.length !== length) throw new RangeError('columns of a block must have one length');
    writePoints(body, points, precision, form, ticksAStep);
    writer.varint(signal);
    writer.varint(precision.bits);
    writer.signed(precision.stepExponent);
    writer.varint(body.length);
    writer.append(body);
  }
  return writer.bytes();
}

/** Used again, as hundreds of blocks a second have columns of one length. */
let lastMeans = new Int32Array(0);
function meansOf(length: number): Int32Array {
  if (lastMeans.length !== length) lastMeans = new Int32Array(length);
  return lastMeans;
}

function writePoints(
  writer: ByteWriter,
  { mean, min, max, count }: Points,
  precision: Precision,
  form: number,
  ticksAStep: number,
): void {
  const means = meansOf(count.length);
  let known = 0;
  let last = Number.NaN;
  let code = GAP;
  for (let i = 0; i < count.length; i++) {
    const value = mean[i] ?? 0;
    if (count[i] !== 0) known += 1;
    // Most values are as the one before.
    if (count[i] !== 0 && value !== last) code = codeOf(value, precision);
    if (count[i] !== 0) last = value;
    means[i] = count[i] === 0 ? GAP : code;
  }
  writeColumn(writer, means, 'distance');
  if (form === TICKS) return;
  const spread = spreadPrecision(precision);
  const [below, above, missing] = [new Int32Array(known), new Int32Array(known), new Int32Array(known)];
  for (let i = 0, at = 0; i < count.length; i++) {
    if (count[i] === 0) continue;
    // From the mean as it will be read again, so that the two errors don't add up.
    const middle = ofCode(means[i] ?? 0, precision);
    below[at] = codeOf(Math.max(0, middle - (min[i] ?? middle)), spread);
    above[at] = codeOf(Math.max(0, (max[i] ?? middle) - middle), spread);
    missing[at++] = Math.max(0, ticksAStep - (count[i] ?? 0));
  }
  for (const codes of [below, above, missing]) writeColumn(writer, codes, 'plain');
}

/**
 * The signals of a block.
 * @param wanted only this one; all where left out.
 * @throws RangeError for bytes that no encoder wrote.
 */
export function decodeBlock(bytes: Uint8Array, startMs: number, wanted?: number): readonly BlockColumn[] {
  const reader = new ByteReader(bytes);
  const [version, form, stepMs, length, ticksAStep, columns] = [
    reader.varint(),
    reader.varint(),
    reader.varint(),
    reader.varint(),
    reader.varint(),
    reader.varint(),
  ];
  if (version !== FORM) throw new RangeError(`a block has the unknown form ${version}`);
  if (length > MAX_POINTS) throw new RangeError('a block is too long');
  const found: BlockColumn[] = [];
  for (let i = 0; i < columns; i++) {
    const signal = reader.varint();
    const precision = { bits: reader.varint(), stepExponent: reader.signed() };
    const size = reader.varint();
    const end = reader.at + size;
    if (wanted === undefined || wanted === signal) {
      const points = noPoints(startMs, stepMs, length);
      readPoints(reader, points, precision, form, ticksAStep);
      found.push({ signal, precision, points });
    }
    reader.at = end;
  }
  return found;
}

/** No tier has blocks of so many: more is damage, and must not take the memory. */
const MAX_POINTS = 100_000;

function readPoints(
  reader: ByteReader,
  { mean, min, max, count }: Points,
  precision: Precision,
  form: number,
  ticksAStep: number,
): void {
  const means = meansOf(count.length);
  readColumn(reader, means, 'distance');
  let known = 0;
  for (let i = 0; i < means.length; i++) {
    const code = means[i] ?? GAP;
    if (code === GAP) continue;
    known += 1;
    count[i] = 1;
    mean[i] = min[i] = max[i] = ofCode(code, precision);
  }
  if (form === TICKS) return;
  const spread = spreadPrecision(precision);
  const [below, above, missing] = [new Int32Array(known), new Int32Array(known), new Int32Array(known)];
  for (const codes of [below, above, missing]) readColumn(reader, codes, 'plain');
  for (let i = 0, at = 0; i < count.length; i++) {
    if (count[i] === 0) continue;
    const middle = mean[i] ?? 0;
    min[i] = middle - ofCode(below[at] ?? 0, spread);
    max[i] = middle + ofCode(above[at] ?? 0, spread);
    count[i] = Math.max(1, ticksAStep - (missing[at++] ?? 0));
  }
}
