import { z } from 'zod';

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
export function storeSettingsOf(given: z.infer<typeof storeSchema>): StoreSettings {
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
