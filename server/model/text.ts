/** Shorter texts would be found by accident in any sentence. */
const MIN_CHARS = 4;

/** A function that takes these secrets out of a text, also where they are percent-encoded or in base64. */
export function secretScrubber(secrets: readonly string[]): (text: string) => string {
  const forms = new Set(
    secrets
      .filter((secret) => secret.length >= MIN_CHARS)
      .flatMap((secret) => [
        secret,
        encodeURIComponent(secret.toWellFormed()),
        Buffer.from(secret).toString('base64'),
      ]),
  );
  // Longest first: a secret that holds another is taken out whole.
  const ordered = [...forms].sort((a, b) => b.length - a.length);
  return (text) => ordered.reduce((rest, secret) => rest.replaceAll(secret, '****'), text);
}

/** What of a URL lets its holder in: user, password, path and query. */
export function secretsOfUrl(url: string): readonly string[] {
  const { username, password, pathname, search, hash } = new URL(url);
  const decoded = (text: string) => {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  };
  const segments = pathname.split('/').filter((segment) => segment.length >= 12);
  return [url, pathname.length > 12 ? pathname : '', search, search.slice(1), hash, username, password]
    .concat(segments, [decoded(username), decoded(password)])
    .filter((text) => text !== '');
}
/**
 * The start of a text that is kept. A part of a string holds all of it in memory as long as the part lives, so of one that
 * came from outside a copy is made.
 */
export function ownText(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  return Buffer.from(text.slice(0, maxChars), 'utf16le').toString('utf16le');
}

/** Names that somebody may have meant, nearest first: those that hold what was typed, then those spelt much alike. */
export function nearNames(typed: string, names: readonly string[], most: number): readonly string[] {
  const text = typed.toLowerCase().slice(0, MAX_CHARS);
  const ranked = names.flatMap((name) => {
    const distance = editDistance(text, name);
    const isPart = text.length >= 3 && (name.includes(text) || text.includes(name));
    if (!isPart && distance > Math.max(2, name.length / 3)) return [];
    return [{ name, distance: isPart ? distance / 4 : distance }];
  });
  return ranked
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, most)
    .map(({ name }) => name);
}

const MAX_CHARS = 80;

/** Characters to add, drop or change (Wagner and Fischer, 1974). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(
        Math.min(
          (row[j] ?? 0) + 1,
          (next[j - 1] ?? 0) + 1,
          (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1),
        ),
      );
    row = next;
  }
  return row[b.length] ?? 0;
}
/** Bits of one word of the set of states. */
const WORD_BITS = 32;

/**
 * A test for a glob: `*` is any run of characters, `?` one character. Linear in the text, whatever the pattern: all places in the pattern that may have been reached are a
 * set of bits, and each character moves them once (Baeza-Yates and Gonnet's Shift-And, with a loop where a star stands), so
 * nothing is ever tried again. No regular expression is made from what was typed.
 */
export function globMatcher(glob: string): (text: Iterable<string>) => boolean {
  const { characters, starsBefore } = partsOf(glob);
  const words = Math.floor(characters.length / WORD_BITS) + 1;
  const loops = bitsWhere(words, starsBefore, (star) => star);
  const any = bitsWhere(words, characters, (character) => character === '?');
  const masks = new Map<string, Uint32Array>();
  for (const character of new Set(characters))
    masks.set(
      character,
      bitsWhere(words, characters, (one) => one === '?' || one === character),
    );
  return (text) => {
    // Bit i: the first i characters of the pattern have been matched.
    const reached = new Uint32Array(words);
    reached[0] = 1;
    for (const character of text) {
      const mask = masks.get(character) ?? any;
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
  for (const character of glob) {
    if (character === '*') starsBefore[characters.length] = true;
    else {
      characters.push(character);
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
