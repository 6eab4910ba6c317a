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

/** A store that several consoles share, each with a data directory of its own. */
export interface StoreSettings {
  /** `postgres://` or `file:`; may hold a password. */
  readonly url: string;
  /** The same for logs and pages, without the password. */
  readonly name: string;
}

const SCHEMES = /^(postgres|postgresql|file):/;
/** What a URL of PostgreSQL may say behind its `?`; anything else may be a secret, or a mistake. */
const PARAMETERS = new Set(['sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'schema', 'host']);
const SSL_MODES = new Set(['disable', 'require', 'verify-ca', 'verify-full']);

/** `store` of the config file. */
export const storeSchema = z.strictObject({
  url: z
    .string()
    .refine((text) => SCHEMES.test(text) && URL.canParse(text), 'must be a postgres:// or file: URL')
    .refine((text) => isPlain(text), 'must hold % only as the start of an encoded character')
    .refine(
      (text) => [...parametersOf(text).keys()].every((name) => PARAMETERS.has(name)),
      `must have no settings but ${[...PARAMETERS].join(', ')}`,
    )
    .refine(
      (text) => SSL_MODES.has(parametersOf(text).get('sslmode') ?? 'disable'),
      `must have one of these as sslmode: ${[...SSL_MODES].join(', ')}`,
    )
    .refine(
      (text) => /^[a-z_][a-z0-9_]{0,62}$/.test(parametersOf(text).get('schema') ?? 'public'),
      'must have a schema of small letters, digits and _',
    ),
});

/** On a server, rather than in a file. */
export function isOnServer({ url }: Pick<StoreSettings, 'url'>): boolean {
  return url.startsWith('postgres');
}

function parametersOf(text: string): URLSearchParams {
  return URL.canParse(text) ? new URL(text).searchParams : new URLSearchParams();
}

function isPlain(text: string): boolean {
  return !/%(?![0-9a-f]{2})/i.test(text);
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
  if (url === undefined) return null;
  const parsed = storeSchema.safeParse({ url });
  if (parsed.success) return { url, name: nameOf(url) };
  const source = environment.SPILLWAY_STORE_URL ? 'SPILLWAY_STORE_URL' : 'store.url';
  for (const { message } of parsed.error.issues) problems.push(`${source}: **** ${message}`);
  return null;
}

function nameOf(url: string): string {
  const shown = new URL(url);
  if (shown.password !== '') shown.password = '****';
  return shown.href;
}

/** For `--check` and people: where it is, without the password. */
export function maskedStore(settings: StoreSettings | null): unknown {
  return settings && { url: settings.name };
}
