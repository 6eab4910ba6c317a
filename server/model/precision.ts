/**
 * How exactly values are kept: as whole numbers of steps of `2 ** stepExponent` while they are small, and with `bits`
 * significant bits above, as floating point does. Whole numbers up to `2 ** (bits + 1)` steps are exact; what is larger
 * is off by at most its `2 ** -(bits + 1)`th part.
 */
export interface Precision {
  /** 1 to 20 */
  readonly bits: number;
  readonly stepExponent: number;
}

/** The code of a finite value: larger for larger values, and of the other sign for the negative. */
export function codeOf(value: number, { bits, stepExponent }: Precision): number {
  const steps = Math.abs(value) * 2 ** -stepExponent;
  const sign = value < 0 ? -1 : 1;
  if (steps < 2 ** (bits + 1)) return sign * Math.round(steps) || 0;
  let octave = Math.floor(Math.log2(steps)) - bits;
  // log2 rounds: right below a power of two it may say the power.
  if (2 ** (bits + octave) > steps) octave -= 1;
  return sign * ((octave + 1) * 2 ** bits + Math.round(steps / 2 ** octave - 2 ** bits));
}

/** The value that a code stands for. */
export function ofCode(code: number, { bits, stepExponent }: Precision): number {
  const size = Math.abs(code);
  const sign = code < 0 ? -1 : 1;
  if (size < 2 ** (bits + 1)) return code * 2 ** stepExponent;
  const octave = Math.floor(size / 2 ** bits) - 1;
  const steps = (2 ** bits + size - (octave + 1) * 2 ** bits) * 2 ** octave;
  return sign * steps * 2 ** stepExponent;
}

/** What a value becomes by being kept. */
export function roundTo(value: number, precision: Precision): number {
  return ofCode(codeOf(value, precision), precision);
}

/** Largest distance between a value and what is kept of it. */
export function largestError(value: number, { bits, stepExponent }: Precision): number {
  return Math.max(2 ** (stepExponent - 1), Math.abs(value) * 2 ** -(bits + 1)) * (1 + 1e-9);
}

/** Of how far the least and the largest lie from the mean less is kept: they only frame it. */
export function spreadPrecision({ bits, stepExponent }: Precision): Precision {
  return { bits: Math.max(2, bits - 3), stepExponent };
}
