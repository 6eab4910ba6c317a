import { createHash, randomBytes } from 'node:crypto';
import type { SessionChange, SessionRow, SessionStore } from '../store/sessions.js';
import type { Accounts, Identity } from './accounts.js';

/** A night shift and a bit. */
export const SESSION_MS = 12 * 3_600_000;
/** Who signs in again and again ends their own oldest ones. */
const MAX_SESSIONS_OF_ONE = 100;
/** Of all: the oldest go first. */
const MAX_SESSIONS = 10_000;
/** Consoles may share a store: what was ended at one is over at the others after this. */
const REREAD_MS = 5_000;
/** And what has begun at one is known to the others at once; but strangers can't make us read more often than this. */
const REREAD_UNKNOWN_MS = 1_000;
/** How exactly it is kept when somebody was last seen. */
const SEEN_EVERY_MS = 60_000;
/** While the store fails, of those that were ended; each took a right token. */
const MAX_UNSAVED = 10_000;
/** What a cookie of ours looks like. */
export const SECRET = /^[\w-]{43}$/;

/** A browser's session: who it is, and its id, which opens nothing. */
export interface Session {
  readonly id: string;
  readonly identity: Identity;
  readonly row: SessionRow;
  /** What its cookie holds. */
  readonly secret: string;
}

/** Who signs in, and by what. */
export type SignedIn = Pick<SessionRow, 'way' | 'source' | 'name' | 'groups' | 'address'> &
  Partial<Pick<SessionRow, 'checkAtMs' | 'expiresAtMs'>>;

/**
 * auth/ is who is there: sessions of browsers (here), who may come in (accounts.ts), wrong tokens and lock-outs, where a
 * request comes from, and what the log and the audit keep of it. It imports config and what stands below; routes/gate.ts
 * asks it.
 *
 * Who is signed in. A cookie is 256 random bits, of which memory and store hold the SHA-256 only. A session ends when it is
 * signed out or ended by an admin, when its time is over, and when the configuration has its token no more or with other
 * rights: what the store holds is then forgotten, so that neither a restart nor a token that is put back revives a cookie.
 */
export class Sessions {
  readonly #accounts: Accounts;
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

  constructor(accounts: Accounts, store: SessionStore, now: () => number, warn: (message: string) => void) {
    this.#accounts = accounts;
    this.#store = store;
    this.#now = now;
    this.#warn = warn;
  }

  /** Reads who is signed in, and forgets those whom the configuration does not let in any more as they are. */
  async open(): Promise<void> {
    await this.#read();
    const gone = [...this.#live.values()].filter((row) => this.#identityOf(row) === null);
    await this.end(gone.map(({ id }) => id));
  }

  /**
   * Signs in, always with a new id. @param seal makes what is kept of what the provider gave, with what the cookie holds.
   * @returns what the cookie holds; null: they may not come in. A store that can't keep it costs the session at the next
   * start only.
   */
  async begin(who: SignedIn, seal: (secret: string) => string | null = () => null): Promise<string | null> {
    const rights = rightsOf(this.#accounts.identityOf(who));
    if (rights === null) return null;
    const all = [...this.#live.values()];
    const own = all.filter(({ source, name }) => source === who.source && name === who.name);
    const tooMany = [
      ...own.slice(0, Math.max(0, own.length + 1 - MAX_SESSIONS_OF_ONE)),
      ...all.slice(0, Math.max(0, all.length + 1 - MAX_SESSIONS)),
    ];
    await this.end(tooMany.map(({ id }) => id));
    const secret = randomBytes(32).toString('base64url');
    const nowMs = this.#now();
    const row: SessionRow = {
      ...{ checkAtMs: null, expiresAtMs: nowMs + SESSION_MS, ...who },
      ...{ id: idOf(secret), rights, createdAtMs: nowMs, seenAtMs: nowMs, sealed: seal(secret) },
    };
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
    const known = cookies
      .filter((cookie) => SECRET.test(cookie))
      .map((secret) => ({ secret, id: idOf(secret) }));
    if (known.length === 0) return null;
    const isOpen = ({ id }: { readonly id: string }): boolean => !this.isOver(id);
    if (!known.some(isOpen) && this.#now() - this.#readAtMs >= REREAD_UNKNOWN_MS) await this.#read();
    const one = known.find(isOpen);
    const row = one && this.#live.get(one.id);
    const identity = row ? this.#identityOf(row) : null;
    return one && row && identity ? { ...one, row, identity } : null;
  }

  /** All that are not over, newest first, as the store has them now. */
  async list(): Promise<readonly SessionRow[]> {
    await this.#read();
    return [...this.#live.values()]
      .filter(({ id }) => !this.isOver(id))
      .sort((one, other) => other.createdAtMs - one.createdAtMs);
  }

  /** Ends them, by sign-out or because somebody says so. */
  async end(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    this.#changes += 1;
    for (const id of ids) {
      this.#live.delete(id);
      this.#unkept.delete(id);
    }
    await this.#store.remove(ids).catch((error) => {
      for (const id of ids) if (this.#unsaved.size < MAX_UNSAVED) this.#unsaved.add(id);
      this.#fails(error);
    });
  }

  /** What is different of it now. @returns false: it may not go on as it is, and has ended. */
  async change(id: string, change: SessionChange): Promise<boolean> {
    const known = this.#live.get(id);
    if (!known) return false;
    const row = { ...known, ...change };
    const rights = rightsOf(this.#accounts.identityOf(row));
    if (rights === null) {
      await this.end([id]);
      return false;
    }
    this.#changes += 1;
    this.#live.set(id, { ...row, rights });
    await this.#store.change(id, { ...change, rights }).catch((error) => this.#fails(error));
    return true;
  }

  /** Is it for this console to ask the provider about it now, and for no other on the store? */
  async claimCheck({ id, checkAtMs }: SessionRow, untilMs: number): Promise<boolean> {
    if (checkAtMs === null || this.#live.get(id)?.checkAtMs !== checkAtMs) return false;
    this.#changes += 1;
    this.#live.set(id, { ...(this.#live.get(id) as SessionRow), checkAtMs: untilMs });
    return this.#store.claimCheck(id, checkAtMs, untilMs).catch((error) => {
      this.#fails(error);
      return this.#unkept.has(id);
    });
  }

  /** Has it ended, here or at another console, or is its time over, or what it came in by no longer what it was? */
  isOver(id: string): boolean {
    if (this.#now() - this.#readAtMs >= REREAD_MS) void this.#read();
    const row = this.#live.get(id);
    if (row === undefined || row.expiresAtMs <= this.#now() || this.#identityOf(row) === null) return true;
    this.#see(row);
    return false;
  }

  /** Is the provider to be asked about it? Only a request has what that takes: what is open has to come back. */
  isDue(id: string): boolean {
    const checkAtMs = this.#live.get(id)?.checkAtMs ?? null;
    return checkAtMs !== null && checkAtMs <= this.#now();
  }

  /** null: the configuration does not let them in any more with what they had. */
  #identityOf(row: SessionRow): Identity | null {
    const identity = this.#accounts.identityOf(row);
    return rightsOf(identity) === row.rights ? identity : null;
  }

  #see(row: SessionRow): void {
    const seenAtMs = this.#now();
    if (seenAtMs - row.seenAtMs < SEEN_EVERY_MS) return;
    this.#live.set(row.id, { ...row, seenAtMs });
    this.#store.change(row.id, { seenAtMs }).catch((error) => this.#fails(error));
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
      const unsaved = [...this.#unsaved];
      if (unsaved.length > 0) await this.#store.remove(unsaved);
      for (const id of unsaved) this.#unsaved.delete(id);
      const rows = await this.#store.list(this.#now());
      this.#isFailing = false;
      // What has begun or ended meanwhile is not in them, or still is.
      if (changes !== this.#changes) return;
      for (const id of this.#live.keys()) if (!this.#unkept.has(id)) this.#live.delete(id);
      for (const row of rows) this.#live.set(row.id, row);
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

/** All that they may do, as one text; their name is none of it. */
function rightsOf(identity: Identity | null): string | null {
  if (!identity) return null;
  const { name: _name, ...rights } = identity;
  return JSON.stringify(rights);
}

function idOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
