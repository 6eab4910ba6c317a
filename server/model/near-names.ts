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
