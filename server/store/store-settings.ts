import { chmodSync, mkdirSync, readdirSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const OWN_FILES = /^((spillway|parked|history)\.db(-wal|-shm|-journal)?|session\.key)$/;
/** What may lie beside them without saying that the directory is also for something else. */
const ALSO = /^(spillway\.ya?ml|lost\+found)$/;
const OTHERS = 0o077;

/**
 * Makes the data directory where needed, and keeps it from other users whoever made it: 0600 for the console's files
 * (SQLite gives its write-ahead log and index the mode of their database), 0700 for the directory, unless it is used for
 * other things too. What is made later is kept from them by the umask of the process.
 * @returns what others can still see or do there, for a person; null: nothing.
 * @throws why it can't be made or read.
 */
export function keepPrivate(directory: string): string | null {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  // Rights of another kind; Node shows none of them.
  if (process.platform === 'win32') return null;
  const names = readdirSync(directory);
  const open = names.filter((name) => OWN_FILES.test(name) && !tightened(join(directory, name), 0o600));
  const isShared = names.some((name) => !OWN_FILES.test(name) && !ALSO.test(name));
  const problems = [
    open.length > 0 ? `${open.join(', ')} can be read by other users, as they belong to another one` : null,
    isShared ? openToOthers(statSync(directory), 'holds other things too') : null,
    isShared || tightened(directory, 0o700)
      ? null
      : openToOthers(statSync(directory), 'belongs to another user'),
  ].filter((problem) => problem !== null);
  return problems.length === 0 ? null : `data directory ${directory}: ${problems.join('; ')}`;
}

function tightened(path: string, mode: number): boolean {
  if ((statSync(path).mode & OTHERS) === 0) return true;
  try {
    chmodSync(path, mode);
    return true;
  } catch {
    // Another user's: what that comes to is logged.
    return false;
  }
}

function openToOthers({ mode }: Stats, why: string): string | null {
  if ((mode & OTHERS) === 0) return null;
  const bits = (mode & 0o7777).toString(8);
  // With the sticky bit only the owner of a file replaces it.
  const danger = (mode & 0o022) !== 0 && (mode & 0o1000) === 0 ? 'replace the files in it' : 'list it';
  return `it ${why} and is left at ${bits}, so others can ${danger}; give the console one of its own (--data, mode 700)`;
}

/** A store that several consoles share, each with a data directory of its own. Holds a secret. */
export interface StoreSettings {
  /** `libsql://`, `https://`, `http://` or `file:`, without a token in it. */
  readonly url: string;
  readonly authToken: string | null;
}

const SCHEMES = /^(libsql|https|http|file):/;

const authToken = z
  .string()
  // Anything else can't stand in a header, and the client's complaint would quote it.
  .regex(/^[\x21-\x7e]{1,8192}$/, 'must be one word of ASCII characters');

/** `store` of the config file. */
export const storeSchema = z.strictObject({
  url: z
    .string()
    .refine(
      (text) => SCHEMES.test(text) && URL.canParse(text),
      'must be a libsql://, https://, http:// or file: URL',
    )
    .refine(
      (text) => !URL.canParse(text) || (new URL(text).username === '' && new URL(text).password === ''),
      'must not hold user and password: a server takes authToken',
    )
    .refine((text) => !/[?&](?!(tls|authToken)=)/.test(text), 'must have no settings but tls and authToken'),
  authToken: authToken.optional(),
});

/** Takes a token out of the URL, where some tools put it. The setting of its own wins. */
function storeSettingsOf(given: z.infer<typeof storeSchema>): StoreSettings {
  const url = new URL(given.url);
  const inUrl = url.searchParams.get('authToken');
  url.searchParams.delete('authToken');
  return { url: url.href, authToken: given.authToken ?? inUrl };
}

/**
 * The store from environment and file; null: a file in the data directory.
 * @param problems takes what is wrong with it, without its secrets.
 */
export function loadStoreSettings(
  fromFile: z.infer<typeof storeSchema> | undefined,
  environment: Readonly<Record<string, string | undefined>>,
  problems: string[],
): StoreSettings | null {
  const url = environment.SPILLWAY_STORE_URL || fromFile?.url;
  const token = environment.SPILLWAY_STORE_TOKEN || fromFile?.authToken;
  if (url === undefined) {
    if (token !== undefined) problems.push('SPILLWAY_STORE_TOKEN: **** is of no use without store.url');
    return null;
  }
  const parsed = storeSchema.safeParse({ url, ...(token === undefined ? {} : { authToken: token }) });
  if (!parsed.success) {
    const sources: Readonly<Record<string, string>> = {
      url: environment.SPILLWAY_STORE_URL ? 'SPILLWAY_STORE_URL' : 'store.url',
      authToken: environment.SPILLWAY_STORE_TOKEN ? 'SPILLWAY_STORE_TOKEN' : 'store.authToken',
    };
    for (const { path, message } of parsed.error.issues)
      problems.push(`${sources[String(path[0])] ?? 'store'}: **** ${message}`);
    return null;
  }
  const settings = storeSettingsOf(parsed.data);
  if (settings.authToken !== null && !authToken.safeParse(settings.authToken).success) {
    problems.push('store.url: **** must have an authToken that is one word of ASCII characters');
    return null;
  }
  return settings;
}

/** For `--check` and people: where it is, without the token. */
export function maskedStore(settings: StoreSettings | null): unknown {
  return settings && { url: settings.url, authToken: settings.authToken === null ? null : '****' };
}
