/** Why a store of the console can't be written or read now, as a program can tell it. */
export type StoreTrouble =
  | 'full'
  | 'read-only'
  | 'busy'
  | 'damaged'
  | 'unreachable'
  | 'server-full'
  | 'server-read-only'
  | 'server-busy'
  | 'not-let-in'
  | 'not-allowed'
  | 'no-database'
  | 'no-tls'
  | 'too-many'
  | 'other-schema';

/** First match counts: codes of SQLite (https://www.sqlite.org/rescode.html), then what the system and the client say. */
const TROUBLES: readonly (readonly [pattern: RegExp, trouble: StoreTrouble])[] = [
  [/SQLITE_FULL|database or disk is full|ENOSPC/, 'full'],
  [/SQLITE_(READONLY|CANTOPEN|PERM)|EROFS|attempt to write a readonly database/, 'read-only'],
  [/SQLITE_(BUSY|LOCKED)|database is locked/, 'busy'],
  [/SQLITE_(CORRUPT|NOTADB)/, 'damaged'],
  // Also what a file system without room answers to a write in the midst of a file.
  [/SQLITE_IOERR|disk I\/O error/, 'full'],
];

/** Codes of PostgreSQL, or how they begin (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
const SERVER_TROUBLES: readonly (readonly [pattern: RegExp, trouble: StoreTrouble])[] = [
  [/^53100$/, 'server-full'],
  // A standby, or one that its owner has set so.
  [/^25006$/, 'server-read-only'],
  [/^(55P03|40001|40P01|57014|25P03)$/, 'server-busy'],
  [/^(28...)$/, 'not-let-in'],
  [/^42501$/, 'not-allowed'],
  [/^3D000$/, 'no-database'],
  [/^53[34]00$/, 'too-many'],
  [/^(42P01|42703|3F000)$/, 'other-schema'],
  [/^(08...|57P0.)$/, 'unreachable'],
];

const WORDS: Readonly<Record<StoreTrouble, string>> = {
  full: 'the disk of the data directory is full: make room on it',
  'read-only': 'the store in the data directory can not be written: look at the rights of its files',
  busy: 'another process keeps the store locked: try again',
  damaged: 'the store in the data directory is damaged: bring it back from a backup',
  unreachable: 'the store does not answer: look at the PostgreSQL of store.url',
  'server-full': 'the disk of the PostgreSQL of store.url is full: make room on it',
  'server-read-only':
    'the PostgreSQL of store.url can only be read: it is a standby, or was set so; name the primary',
  'server-busy': 'the PostgreSQL of store.url is busy or locked: try again',
  'not-let-in':
    'the PostgreSQL of store.url does not let the console in: look at user, password and pg_hba.conf',
  'not-allowed': 'the user of store.url may not do this in PostgreSQL: grant it the schema and its tables',
  'no-database': 'the PostgreSQL of store.url has no such database: create it',
  'no-tls': 'the PostgreSQL of store.url speaks no TLS as sslmode asks, or its certificate is not trusted',
  'too-many':
    'the PostgreSQL of store.url takes no more connections, or is out of memory: raise max_connections',
  'other-schema': 'the tables in the PostgreSQL of store.url are gone or others: look at its schema',
};

/** A server of the store that could not be asked, or said something that no code tells. */
export class StoreUnavailable extends Error {
  readonly trouble: StoreTrouble;

  constructor(trouble: StoreTrouble, message: string) {
    super(message);
    this.name = 'StoreUnavailable';
    this.trouble = trouble;
  }
}

/** What is wrong with the store, of an error and all that caused it; null: it is not about the store. */
export function storeTroubleOf(error: unknown): StoreTrouble | null {
  for (let one = error; one instanceof Error; one = one.cause) {
    if (one instanceof StoreUnavailable) return one.trouble;
    const code = 'code' in one ? String(one.code) : '';
    const isOfServer = 'severity' in one;
    const known = isOfServer
      ? SERVER_TROUBLES.find(([pattern]) => pattern.test(code))
      : TROUBLES.find(([pattern]) => pattern.test(`${code} ${one.message}`));
    if (known) return known[1];
  }
  return null;
}

/** For a person; holds no path and no secret. */
export function troubleInWords(trouble: StoreTrouble): string {
  return WORDS[trouble];
}
