import type { TokenEntry } from '../config/config.js';
import type { AssertionAuthSettings, HeaderAuthSettings, OpenidSettings } from '../config/sign-in-config.js';
import { type Bound, isSameBound } from '../model/grants.js';
import type { SessionRow } from '../store/sessions.js';
import { roleOfGroups } from './claims.js';
import { holderOf } from './wrong-tokens.js';

/** What every way to come in gives: who it is, for the audit, and what they may do. */
export interface Identity extends Bound {
  readonly name: string;
}

/** What the configuration says of who may come in. */
interface AccountRules {
  readonly tokens: readonly TokenEntry[];
  readonly openid?: OpenidSettings | null;
  readonly headerAuth?: HeaderAuthSettings | null;
  readonly assertionAuth?: AssertionAuthSettings | null;
}

/** How a proxy says who somebody is. */
type ProxyWay = 'headerAuth' | 'assertionAuth';

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
    const { openid, headerAuth, assertionAuth } = this.#rules;
    return !(this.takesTokens || openid || headerAuth || assertionAuth);
  }

  get takesTokens(): boolean {
    return this.#rules.tokens.length > 0;
  }

  /** Who holds this token; null: nobody. */
  holderOf(token: string): TokenEntry | null {
    return holderOf(token, this.#rules.tokens);
  }

  /** May who came in by this token still do the same? */
  isHeld(entry: TokenEntry): boolean {
    return this.#rules.tokens.some((one) => one.sha256 === entry.sha256 && isSameBound(one, entry));
  }

  /** Who it is that a proxy has signed in; null: somebody without a role. */
  ofProxy(way: ProxyWay, name: string, groups: readonly string[]): Identity | null {
    const settings = this.#rules[way];
    const rights = settings ? roleOfGroups(groups, settings.roles) : null;
    return rights && { name, ...rights };
  }

  /** Who somebody is now; null: nobody any more. */
  identityOf(who: Pick<SessionRow, 'way' | 'source' | 'name' | 'groups'>): Identity | null {
    const { way, source, name, groups } = who;
    const { tokens, openid } = this.#rules;
    if (way === 'openid') {
      const rights = openid && sourceOf(openid) === source ? roleOfGroups(groups, openid.roles) : null;
      return rights && { name, ...rights };
    }
    const entry = tokens.find(({ sha256 }) => sha256 === source);
    return entry ? holderIdentity(entry) : null;
  }
}

/** What an account of a provider stands and falls with here. */
export function sourceOf({ issuer, clientId }: Pick<OpenidSettings, 'issuer' | 'clientId'>): string {
  return `${issuer} ${clientId}`;
}

/** A token's holder, without the token. */
export function holderIdentity({ sha256: _sha256, ...identity }: TokenEntry): Identity {
  return identity;
}
