/** Why a store of the console can't be written or read now, as a program can tell it. */
export type StoreTrouble = 'full' | 'read-only' | 'busy' | 'unreachable' | 'damaged';

/** First match counts: codes of SQLite (https://www.sqlite.org/rescode.html), then what the system and the client say. */
const TROUBLES: readonly (readonly [pattern: RegExp, trouble: StoreTrouble])[] = [
  [/SQLITE_FULL|database or disk is full|ENOSPC/, 'full'],
  [/SQLITE_(READONLY|CANTOPEN|PERM)|EROFS|attempt to write a readonly database/, 'read-only'],
  [/SQLITE_(BUSY|LOCKED)|database is locked/, 'busy'],
  [/SQLITE_(CORRUPT|NOTADB)/, 'damaged'],
  // Also what a file system without room answers to a write in the midst of a file.
  [/SQLITE_IOERR|disk I\/O error/, 'full'],
  [/the store does not answer/, 'unreachable'],
];

const WORDS: Readonly<Record<StoreTrouble, string>> = {
  full: 'the disk of the data directory is full: make room on it',
  'read-only': 'the store in the data directory can not be written: look at the rights of its files',
  busy: 'another process keeps the store locked: try again',
  unreachable: 'the store does not answer: look at the server of store.url',
  damaged: 'the store in the data directory is damaged: bring it back from a backup',
};

/** What is wrong with the store, of an error and all that caused it; null: it is not about the store. */
export function storeTroubleOf(error: unknown): StoreTrouble | null {
  for (let one = error; one instanceof Error; one = one.cause) {
    // drizzle puts the statement into its message, and with it what people wrote: what went wrong is behind it.
    const message = one.cause instanceof Error ? '' : one.message;
    const text = `${'code' in one ? String(one.code) : ''} ${message}`;
    const known = TROUBLES.find(([pattern]) => pattern.test(text));
    if (known) return known[1];
  }
  return null;
}

/** For a person; holds no path and no secret. */
export function troubleInWords(trouble: StoreTrouble): string {
  return WORDS[trouble];
}
