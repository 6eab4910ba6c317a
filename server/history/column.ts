import { type ByteReader, type ByteWriter, unzigzag, zigzag } from './bytes.js';

/** In place of a code: nothing is known here. */
export const GAP = -(2 ** 31);

/** Each code as its distance from the one before, or as itself: what says more in fewer bytes. */
export type Coding = 'distance' | 'plain';

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
