/** Bits of one word of the set of states. */
const WORD_BITS = 32;

/**
 * A test for a glob: `*` is any run of characters, `?` one letter. Linear in the text, whatever the pattern: all places in the pattern that may have been reached are a
 * set of bits, and each letter moves them once (Baeza-Yates and Gonnet's Shift-And, with a loop where a star stands), so
 * nothing is ever tried again. No regular expression is made from what was typed.
 */
export function globMatcher(glob: string): (text: Iterable<string>) => boolean {
  const { characters, starsBefore } = partsOf(glob);
  const words = Math.floor(characters.length / WORD_BITS) + 1;
  const loops = bitsWhere(words, starsBefore, (star) => star);
  const any = bitsWhere(words, characters, (letter) => letter === '?');
  const masks = new Map<string, Uint32Array>();
  for (const letter of new Set(characters))
    masks.set(
      letter,
      bitsWhere(words, characters, (one) => one === '?' || one === letter),
    );
  return (text) => {
    // Bit i: the first i characters of the pattern have been matched.
    const reached = new Uint32Array(words);
    reached[0] = 1;
    for (const letter of text) {
      const mask = masks.get(letter) ?? any;
      let carry = 0;
      let isAlive = 0;
      for (let w = 0; w < words; w++) {
        const now = reached[w] ?? 0;
        const moved = now & (mask[w] ?? 0);
        reached[w] = (moved << 1) | carry | (now & (loops[w] ?? 0));
        carry = moved >>> (WORD_BITS - 1);
        isAlive |= reached[w] ?? 0;
      }
      if (isAlive === 0) return false;
    }
    const last = characters.length;
    return (((reached[last >>> 5] ?? 0) >>> (last & 31)) & 1) === 1;
  };
}

/** Characters of the pattern without stars; a star before the i-th of them, or at the end, is true at i. */
function partsOf(glob: string): { readonly characters: readonly string[]; readonly starsBefore: boolean[] } {
  const characters: string[] = [];
  const starsBefore = [false];
  for (const letter of glob) {
    if (letter === '*') starsBefore[characters.length] = true;
    else {
      characters.push(letter);
      starsBefore.push(false);
    }
  }
  return { characters, starsBefore };
}

function bitsWhere<T>(words: number, values: readonly T[], isSet: (value: T) => boolean): Uint32Array {
  const bits = new Uint32Array(words);
  values.forEach((value, i) => {
    if (isSet(value)) bits[i >>> 5] = (bits[i >>> 5] ?? 0) | (1 << (i & 31));
  });
  return bits;
}
