import type { TokenEntry } from '../config/config.js';
import type { Role } from '../model/role.js';
import type { SessionRow } from '../store/sessions.js';
import { holderOf } from './wrong-tokens.js';

/** What every way to come in gives: who it is, for the audit, and what they may do. */
export interface Identity {
  readonly name: string;
  readonly role: Role;
}

/** What the configuration says of who may come in. */
interface AccountRules {
  readonly tokens: readonly TokenEntry[];
}

/** Who may come in, by the configuration as it is now: it can be read anew while the console runs. */
export class Accounts {
  #rules: AccountRules;

  constructor(rules: AccountRules) {
    this.#rules = rules;
  }

  /** What is not in them any more ends: sessions, and open streams, within seconds. */
  replace(rules: AccountRules): void {
    this.#rules = rules;
  }

  /** Nobody is asked who they are. */
  get areNone(): boolean {
    return this.#rules.tokens.length === 0;
  }

  /** Who holds this token; null: nobody. */
  holderOf(token: string): TokenEntry | null {
    return holderOf(token, this.#rules.tokens);
  }

  /** May who came in by this token still do the same? */
  isHeld(entry: TokenEntry): boolean {
    return this.#rules.tokens.some((one) => one.sha256 === entry.sha256 && one.role === entry.role);
  }

  /** Who somebody is now; null: nobody any more. */
  identityOf({ way, source }: Pick<SessionRow, 'way' | 'source' | 'name' | 'groups'>): Identity | null {
    if (way !== 'token') return null;
    const entry = this.#rules.tokens.find(({ sha256 }) => sha256 === source);
    return entry ? holderIdentity(entry) : null;
  }
}

/** A token's holder, without the token. */
export function holderIdentity({ sha256: _sha256, ...identity }: TokenEntry): Identity {
  return identity;
}
