/**
 * The first `most` of many things in an order, in that order: the same as to sort all and cut, without the price of
 * sorting those that are cut. Pure.
 */
export function firstOf<T>(things: Iterable<T>, most: number, compare: (a: T, b: T) => number): readonly T[] {
  if (most <= 0) return [];
  let kept: T[] = [];
  let last: T | undefined;
  for (const thing of things) {
    if (last !== undefined && compare(thing, last) >= 0) continue;
    kept.push(thing);
    if (kept.length < 2 * most) continue;
    kept = kept.sort(compare).slice(0, most);
    last = kept[most - 1];
  }
  return kept.sort(compare).slice(0, most);
}
