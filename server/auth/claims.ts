import type { GroupRole } from '../config/sign-in-config.js';

type Claims = Readonly<Record<string, unknown>>;

const NAME_CLAIMS = ['preferred_username', 'email'];
const MAX_NAME_CHARS = 100;
const MAX_GROUPS = 1_000;

/** A claim by its name, or by keys joined by dots where it is nested. */
export function claimAt(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  return path
    .split('.')
    .reduce<unknown>(
      (inside, key) =>
        typeof inside === 'object' && inside !== null && Object.hasOwn(inside, key)
          ? (inside as Claims)[key]
          : undefined,
      claims,
    );
}

/** What somebody is called in the audit; null: the claims have no name. */
export function nameIn(claims: Claims, path: string | undefined): string | null {
  const found = (path === undefined ? NAME_CLAIMS : [path]).map((name) => claimAt(claims, name));
  const name = found.find((value) => typeof value === 'string' && value.trim() !== '');
  return typeof name === 'string' ? shownName(name) : null;
}

/** On one line and of bearable length, whatever was sent. */
export function shownName(name: string): string {
  return name
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '')
    .trim()
    .slice(0, MAX_NAME_CHARS);
}

/** A list, one value, or a text with commas or spaces; null: there is none. */
export function groupsIn(claims: Claims, path: string): readonly string[] | null {
  const value = claimAt(claims, path);
  if (value === undefined || value === null) return null;
  const list = Array.isArray(value) ? value : typeof value === 'string' ? listed(value) : [value];
  return list
    .filter((group) => typeof group !== 'object')
    .map(String)
    .slice(0, MAX_GROUPS);
}

function listed(text: string): readonly string[] {
  return text.includes(',') ? text.split(',').map((group) => group.trim()) : [text];
}

/** The first entry that fits; null: none of the groups has a role. */
export function roleOfGroups<E extends GroupRole>(
  groups: readonly string[],
  roles: readonly E[],
): Omit<E, 'group'> | null {
  const found = roles.find(({ group }) => group === '*' || groups.includes(group));
  if (!found) return null;
  const { group: _group, ...rights } = found;
  return rights;
}
