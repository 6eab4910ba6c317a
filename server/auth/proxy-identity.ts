import type { JWTVerifyGetKey } from 'jose';
import type { Config } from '../config/config.js';
import type { AssertionAuthSettings } from '../config/sign-in-config.js';
import type { Accounts, Identity } from './accounts.js';
import { groupsIn, nameIn, shownName } from './claims.js';
import type { RequestOrigin } from './request-origin.js';

/** Keys that do not come within this. */
const JWKS_TIMEOUT_MS = 5_000;
/** Keys are read again for one that is not among them, but no sooner. */
const JWKS_COOLDOWN_MS = 2_000;
/** And after this in any case: a key that was taken back is refused from then on. */
const JWKS_MAX_AGE_MS = 600_000;
/** That they can't be had is logged this often. */
const WARN_EVERY_MS = 60_000;

/** Why somebody whom a proxy brought is not let in; 503: whether they may can't be found out now. */
export class ProxyRefusal extends Error {
  readonly status: 401 | 403 | 503;
  constructor(status: 401 | 403 | 503, message: string) {
    super(message);
    this.name = 'ProxyRefusal';
    this.status = status;
  }
}

interface Proxied {
  readonly identity: Identity;
  /** May they no longer do the same? */
  readonly isOver: () => boolean;
}

/**
 * Whom a proxy has signed in, by its headers (oauth2-proxy, Pomerium) or by the JWT that it signs (Cloudflare Access,
 * Pomerium). Headers are believed from `trustedProxies` alone: from anybody else they are as if they were not there.
 */
export class ProxyIdentity {
  readonly #settings: Pick<Config, 'headerAuth' | 'assertionAuth'>;
  readonly #accounts: Accounts;
  readonly #now: () => number;
  readonly #warn: (message: string) => void;
  #keys: Promise<JWTVerifyGetKey> | null = null;
  #warnedAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    settings: Pick<Config, 'headerAuth' | 'assertionAuth'>,
    accounts: Accounts,
    now: () => number,
    warn: (message: string) => void,
  ) {
    this.#settings = settings;
    this.#accounts = accounts;
    this.#now = now;
    this.#warn = warn;
  }

  /** @returns null: the proxy says nothing of who it is. @throws ProxyRefusal */
  async identify(headers: Headers, { isProxied }: RequestOrigin): Promise<Proxied | null> {
    const { headerAuth, assertionAuth } = this.#settings;
    if (!isProxied) return null;
    const assertion = assertionAuth && headers.get(assertionAuth.header);
    if (assertionAuth && assertion) return this.#byAssertion(assertionAuth, assertion);
    const user = headerAuth && headers.get(headerAuth.userHeader);
    if (!headerAuth || !user) return null;
    // Sent twice, of which one may be the client's own.
    if (user.includes(',')) throw new ProxyRefusal(401, 'the proxy named more than one user');
    const groups = (headers.get(headerAuth.groupsHeader) ?? '').split(',').map((group) => group.trim());
    return this.#admitted('headerAuth', shownName(user), groups.filter(Boolean), Number.POSITIVE_INFINITY);
  }

  async #byAssertion(settings: AssertionAuthSettings, token: string): Promise<Proxied> {
    const { issuer, audience, algorithms, clockToleranceSeconds: clockTolerance } = settings;
    // Loaded where it is used alone: most consoles are without.
    const { errors, jwtVerify } = await import('jose');
    this.#keys ??= keysOf(settings);
    const rules = { issuer, audience, algorithms, clockTolerance, requiredClaims: ['exp'] };
    const { payload } = await jwtVerify(token, await this.#keys, rules).catch((error: unknown) => {
      const isBad = error instanceof errors.JOSEError && error.code !== 'ERR_JOSE_GENERIC';
      if (isBad && !(error instanceof errors.JWKSTimeout) && !(error instanceof errors.JWKSInvalid))
        throw new ProxyRefusal(401, `the assertion of the proxy is not valid (${error.code})`);
      this.#warnOfKeys(settings, error);
      throw new ProxyRefusal(503, 'the keys that assertions are checked with can not be had now');
    });
    const name = nameIn(payload, settings.nameClaim) ?? shownName(payload.sub ?? '');
    if (name === '') throw new ProxyRefusal(401, 'the assertion of the proxy has no name');
    const untilMs = ((payload.exp ?? 0) + clockTolerance) * 1000;
    return this.#admitted('assertionAuth', name, groupsIn(payload, settings.groupsClaim) ?? [], untilMs);
  }

  #admitted(
    way: 'headerAuth' | 'assertionAuth',
    name: string,
    groups: readonly string[],
    untilMs: number,
  ): Proxied {
    const identity = this.#accounts.ofProxy(way, name, groups);
    if (!identity) throw new ProxyRefusal(403, `${name} has no role here: none of their groups has one`);
    const admitted = JSON.stringify(identity);
    const isOver = (): boolean =>
      this.#now() > untilMs || JSON.stringify(this.#accounts.ofProxy(way, name, groups)) !== admitted;
    return { identity, isOver };
  }

  #warnOfKeys({ jwksUrl }: AssertionAuthSettings, error: unknown): void {
    if (this.#now() - this.#warnedAtMs < WARN_EVERY_MS) return;
    this.#warnedAtMs = this.#now();
    const why = error instanceof Error ? error.message : 'unknown reason';
    this.#warn(
      `Nobody is let in by assertions: the keys at ${new URL(jwksUrl).origin} can not be had: ${why}`,
    );
  }
}

async function keysOf({ jwksUrl }: AssertionAuthSettings): Promise<JWTVerifyGetKey> {
  const { createRemoteJWKSet } = await import('jose');
  return createRemoteJWKSet(new URL(jwksUrl), {
    ...{ timeoutDuration: JWKS_TIMEOUT_MS, cooldownDuration: JWKS_COOLDOWN_MS },
    cacheMaxAge: JWKS_MAX_AGE_MS,
  });
}
