import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { globMatcher } from '../../server/model/text.js';

/** The plainest way to say it; takes exponential time. */
function matchesByTheBook(glob: readonly string[], text: readonly string[]): boolean {
  const [first, ...rest] = glob;
  if (first === undefined) return text.length === 0;
  if (first === '*')
    return matchesByTheBook(rest, text) || (text.length > 0 && matchesByTheBook(glob, text.slice(1)));
  return text.length > 0 && (first === '?' || first === text[0]) && matchesByTheBook(rest, text.slice(1));
}

/** Counts how often a letter of it is taken. */
function counted(text: string): Iterable<string> & { taken: number } {
  return {
    taken: 0,
    *[Symbol.iterator]() {
      for (const letter of text) {
        this.taken += 1;
        yield letter;
      }
    },
  };
}

describe('a glob', () => {
  it('matches what the plainest reading of it matches, also beyond 32 characters and with characters of two code units', () => {
    const few = fc.string({ unit: fc.constantFrom('a', 'b', ':', '*', '?', '🦀'), maxLength: 7 });
    fc.assert(
      fc.property(few, few, fc.integer({ min: 0, max: 40 }), (glob, text, shared) => {
        const before = 'x'.repeat(shared);
        const is = globMatcher(before + glob)(before + text);
        expect(is).toBe(matchesByTheBook([...glob], [...text]));
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['*AAA…b', `*${'A'.repeat(200)}b`],
    ['*?*?…b', `${'*?'.repeat(100)}b`],
    ['*A*A…b', `${'*A'.repeat(100)}b`],
  ])('takes each letter of a name once, whatever is typed: %s', (_what, glob) => {
    const name = counted('A'.repeat(300_000));
    expect(globMatcher(glob)(name)).toBe(false);
    expect(name.taken).toBe(300_000);
  });
});
