import { createHash, randomBytes } from 'node:crypto';
import type { TokenEntry } from '../config/config.js';
import type { SessionRow, SessionStore } from '../store/sessions.js';

export const SESSION_COOKIE = 'spillway_session';
/** A night shift and a bit. */
export const SESSION_MS = 12 * 3_600_000;
/** A program that signs in by the form again and again ends its own oldest ones. */
const MAX_SESSIONS_OF_TOKEN = 100;
/** Consoles may share a store: what was ended at one is over at the others after this. */
const REREAD_MS = 5_000;
/** And what has begun at one is known to the others at once; but strangers can't make us read more often than this. */
const REREAD_UNKNOWN_MS = 1_000;
/** While the store fails, of those that were ended; each took a right token. */
const MAX_UNSAVED = 10_000;
const SECRET = /^[\w-]{43}$/;

/** A browser's session: who it is, and its id, which opens nothing. */
interface Session {
  readonly id: string;
  readonly entry: TokenEntry;
}

/**
 * auth/ is who is there: sessions of browsers (here), wrong tokens and lock-outs, where a request comes from, and what the
 * log and the audit keep of it. It imports config and what stands below; routes/gate.ts asks it.
 *
 * Who is signed in. A cookie is 256 random bits, of which memory and store hold the SHA-256 only. A session ends when it
 * is signed out, after 12 hours, or when the console starts without its token: what the store holds is then forgotten,
 * so that neither a restart nor a token that is put back revives a cookie.
 */
export class Sessions {
  readonly #entries: ReadonlyMap<string, TokenEntry>;
  readonly #store: SessionStore;
  readonly #now: () => number;
  readonly #warn: (message: string) => void;
  readonly #live = new Map<string, SessionRow>();
  /** Begun here, and the store could not keep them. */
  readonly #unkept = new Set<string>();
  /** Ended here, and the store does not have that yet. */
  readonly #unsaved = new Set<string>();
  #readAtMs = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | null = null;
  #changes = 0;
  #isFailing = false;

  constructor(
    tokens: readonly TokenEntry[],
    store: SessionStore,
    now: () => number,
    warn: (message: string) => void,
  ) {
    this.#entries = new Map(tokens.map((entry) => [entry.sha256, entry]));
    this.#store = store;
    this.#now = now;
    this.#warn = warn;
  }

  /** Reads who is signed in, and forgets those whose token is not configured any more. */
  async open(): Promise<void> {
    await this.#store.keepOnly([...this.#entries.keys()], this.#now()).catch((error) => this.#fails(error));
    await this.#read();
  }

  /** Signs in. @returns what the cookie holds. A store that can't keep it costs the session at the next start only. */
  async begin(entry: TokenEntry): Promise<string> {
    const own = [...this.#live.values()].filter(({ tokenSha256 }) => tokenSha256 === entry.sha256);
    for (const { id } of own.slice(0, Math.max(0, own.length + 1 - MAX_SESSIONS_OF_TOKEN)))
      await this.end(id);
    const secret = randomBytes(32).toString('base64url');
    const row = { id: idOf(secret), tokenSha256: entry.sha256, expiresAtMs: this.#now() + SESSION_MS };
    this.#changes += 1;
    this.#live.set(row.id, row);
    await this.#store.add(row).catch((error) => {
      this.#unkept.add(row.id);
      this.#fails(error);
    });
    return secret;
  }

  /** The session that one of these cookies is for; null: none of them opens one. */
  async find(cookies: readonly string[]): Promise<Session | null> {
    const ids = cookies.filter((cookie) => SECRET.test(cookie)).map(idOf);
    if (ids.length === 0) return null;
    const known = ids.find((id) => !this.isOver(id));
    if (known === undefined && this.#now() - this.#readAtMs >= REREAD_UNKNOWN_MS) await this.#read();
    const id = known ?? ids.find((one) => !this.isOver(one));
    const entry = id === undefined ? undefined : this.#entries.get(this.#live.get(id)?.tokenSha256 ?? '');
    return id !== undefined && entry ? { id, entry } : null;
  }

  /** Signs out. */
  async end(id: string): Promise<void> {
    this.#changes += 1;
    this.#live.delete(id);
    this.#unkept.delete(id);
    await this.#store.remove(id).catch((error) => {
      if (this.#unsaved.size < MAX_UNSAVED) this.#unsaved.add(id);
      this.#fails(error);
    });
  }

  /** Has it been signed out, here or at another console, or is its time over? */
  isOver(id: string): boolean {
    if (this.#now() - this.#readAtMs >= REREAD_MS) void this.#read();
    const row = this.#live.get(id);
    return row === undefined || row.expiresAtMs <= this.#now();
  }

  /** One at a time; what can't be read now leaves what was. */
  #read(): Promise<void> {
    this.#reading ??= this.#readOnce().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  async #readOnce(): Promise<void> {
    this.#readAtMs = this.#now();
    const changes = this.#changes;
    try {
      for (const id of this.#unsaved) {
        await this.#store.remove(id);
        this.#unsaved.delete(id);
      }
      const rows = await this.#store.list(this.#now());
      this.#isFailing = false;
      // What has begun or ended meanwhile is not in them, or still is.
      if (changes !== this.#changes) return;
      for (const id of this.#live.keys()) if (!this.#unkept.has(id)) this.#live.delete(id);
      for (const row of rows) if (this.#entries.has(row.tokenSha256)) this.#live.set(row.id, row);
    } catch (error) {
      this.#fails(error);
    }
    for (const [id, row] of this.#live) {
      if (row.expiresAtMs > this.#now()) continue;
      this.#live.delete(id);
      this.#unkept.delete(id);
    }
  }

  /** Told once, until it works again. */
  #fails(error: unknown): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    this.#warn(`sessions can't be kept: ${cause instanceof Error ? cause.message : 'unknown reason'}`);
  }
}

function idOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
