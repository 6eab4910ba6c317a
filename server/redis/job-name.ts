import { jobTypeOf, MAX_NAME_BYTES, typeOfUnread } from '../../agent/job-type-of.js';
import { ownText } from '../model/own-text.js';
import type { RedisClient } from './connect.js';

/** The field of a job's name, for a command of several: a name of this length is read, or is too long and left out. */
export function nameField(nameBytes: number): readonly ['name'] | readonly [] {
  return nameBytes <= MAX_NAME_BYTES ? ['name'] : [];
}

/** The type of a job, by its name and how long that is; null: it has none, so it is gone. */
export function typeFrom(name: string | null | undefined, nameBytes: number): string | null {
  if (nameBytes > MAX_NAME_BYTES) return typeOfUnread(nameBytes);
  return name === null || name === undefined ? null : jobTypeOf(name);
}

/** Types of the jobs at these keys, in their order: names are measured before they are fetched. @throws what Redis says. */
export async function readTypes(
  client: RedisClient,
  keys: readonly string[],
): Promise<readonly (string | null)[]> {
  const sizes = await Promise.all(keys.map((key) => client.hstrlen(key, 'name')));
  return Promise.all(
    keys.map(async (key, i) => {
      const bytes = sizes[i] ?? 0;
      return typeFrom(bytes <= MAX_NAME_BYTES ? await client.hget(key, 'name') : null, bytes);
    }),
  );
}

/** Texts that name something beside a job (its parent, its worker), as far as they are shown. */
export function shownText(text: string | null | undefined, chars: number): string | null {
  return text === null || text === undefined ? null : ownText(text, chars);
}
