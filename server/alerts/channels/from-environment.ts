/** A whole value that is kept in the environment: `${SLACK_URL}`. */
const REFERENCE = /^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$/;

/**
 * Puts variables of the environment in the place of `${NAME}` in every text of a tree, before it is checked. Only whole
 * values, so that a `$` in a password needs no escape.
 * @returns the tree, and the names of variables that are not set, with where they were asked for.
 */
export function fromEnvironment(
  tree: unknown,
  environment: Readonly<Record<string, string | undefined>>,
): { readonly tree: unknown; readonly missing: readonly { readonly at: string; readonly name: string }[] } {
  const missing: { at: string; name: string }[] = [];
  const fill = (value: unknown, at: string): unknown => {
    if (typeof value === 'string') {
      const name = REFERENCE.exec(value)?.[1];
      if (name === undefined) return value;
      const found = environment[name];
      if (found === undefined || found === '') missing.push({ at, name });
      return found ?? '';
    }
    const under = (key: string | number) => (at === '' ? String(key) : `${at}.${key}`);
    if (Array.isArray(value)) return value.map((item, i) => fill(item, under(i)));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fill(item, under(key))]));
  };
  return { tree: fill(tree, ''), missing };
}
