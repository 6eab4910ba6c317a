import { randomBytes } from 'node:crypto';
import * as client from 'openid-client';
import type { OpenidSettings } from '../config/sign-in-config.js';
import type { SessionChange } from '../store/sessions.js';
import { sourceOf } from './accounts.js';
import { groupsIn, nameIn } from './claims.js';
import { derived, seal, unseal } from './sealed.js';
import { SESSION_MS, type Session, type Sessions } from './sessions.js';
import { BEGUN_MS, CALLBACK, SignInFailed } from './sign-in-failed.js';

/** A provider that does not answer. */
const TIMEOUT_SECONDS = 10;
/** Where the provider was out of reach; until then the session goes on as it was. */
const RETRY_MS = 60_000;
/** Where the provider gives nothing to ask again with, they sign in anew, which it mostly lets them at once. */
const WITHOUT_REFRESH_MS = 60 * 60_000;
/** Of a provider that does not answer, or answers as none would; `unknown`: there was no connection. */
const DOWN_CODES: ReadonlySet<string> = new Set([
  ...['unknown', 'OAUTH_TIMEOUT', 'OAUTH_ABORT', 'OAUTH_PARSE_ERROR'],
  ...['OAUTH_RESPONSE_IS_NOT_CONFORM', 'OAUTH_RESPONSE_IS_NOT_JSON'],
]);
/** What it says of itself is read again after this. */
const DISCOVERED_MS = 10 * 60_000;
/** And before somebody is sent there, who might find nobody, and where it was lost; but no more often than this, however many ask. */
const JUST_DISCOVERED_MS = 2_000;
/** Addresses that are led back to; longer ones to the overview. */
const MAX_TO_CHARS = 1_000;

/** What the provider gave, as it is sealed. */
interface Given {
  readonly subject: string;
  readonly idToken: string | null;
  readonly refreshToken: string | null;
}

type Tokens = client.TokenEndpointResponse;

export interface OpenidDeps {
  readonly settings: OpenidSettings;
  readonly publicUrl: string;
  readonly sessions: Sessions;
  readonly now: () => number;
  /** Told of what the provider did. */
  readonly warn: (message: string) => void;
}

/**
 * Sign-in by OpenID Connect: authorization code with PKCE, state and nonce, all of them made from one secret that the
 * browser keeps in a cookie, so that a sign-in that is begun costs the console nothing and any console on the store can end
 * it. What the provider gives is kept sealed with the session's cookie.
 */
export class Openid {
  readonly #deps: OpenidDeps;
  #provider: Promise<client.Configuration> | null = null;
  #discoveredAtMs = Number.NEGATIVE_INFINITY;
  #isLost = false;
  readonly #checking = new Map<string, Promise<boolean>>();

  constructor(deps: OpenidDeps) {
    this.#deps = deps;
  }

  /** Its name on the page. */
  get label(): string {
    return this.#deps.settings.label;
  }

  /** A secret for a browser that has none yet. */
  newSecret(): string {
    return randomBytes(32).toString('base64url');
  }

  /**
   * Where the browser goes to sign in. @param to path of this console that it comes back to. @param again ask for the name
   * there, though somebody is signed in: it may not be the one that has a role. @throws SignInFailed
   */
  async begin(secret: string, to: string, again: boolean): Promise<URL> {
    const { settings, publicUrl, now } = this.#deps;
    const begun = { to: to.length > MAX_TO_CHARS ? '/' : to, atMs: now() };
    const state = seal(secret, JSON.stringify(begun));
    const provider = await this.#discovered(JUST_DISCOVERED_MS);
    return client.buildAuthorizationUrl(provider, {
      redirect_uri: `${publicUrl}${CALLBACK}`,
      scope: settings.scope,
      state,
      nonce: derived(secret, `nonce ${state}`),
      code_challenge: await client.calculatePKCECodeChallenge(derived(secret, `verifier ${state}`)),
      code_challenge_method: 'S256',
      ...(again ? { prompt: 'login' } : {}),
    });
  }

  /** Somebody who is back from the provider: who they are, and where they wanted to go. @throws SignInFailed */
  async finish(secrets: readonly string[], answer: URLSearchParams) {
    const { settings, publicUrl, now } = this.#deps;
    const state = answer.get('state') ?? '';
    const begun = secrets.map((secret) => ({ secret, text: unseal(secret, state) })).find(({ text }) => text);
    if (!begun?.text)
      throw new SignInFailed('This sign-in was not begun in this browser. Begin again.', false);
    const { to, atMs } = JSON.parse(begun.text) as { readonly to: string; readonly atMs: number };
    if (now() - atMs > BEGUN_MS) throw new SignInFailed('This sign-in took too long. Begin again.', false);
    const url = new URL(`${publicUrl}${CALLBACK}`);
    url.search = answer.toString();
    const tokens = await this.#asked((provider) =>
      client.authorizationCodeGrant(provider, url, {
        expectedState: state,
        expectedNonce: derived(begun.secret, `nonce ${state}`),
        pkceCodeVerifier: derived(begun.secret, `verifier ${state}`),
        idTokenExpected: true,
      }),
    );
    const claims = { ...tokens.claims() };
    const subject = String(claims.sub ?? '');
    const { name, groups } = await this.#personIn(claims, tokens, subject);
    const given: Given = {
      subject,
      idToken: tokens.id_token ?? null,
      refreshToken: tokens.refresh_token ?? null,
    };
    const lasts = given.refreshToken === null ? WITHOUT_REFRESH_MS : SESSION_MS;
    return {
      to,
      given,
      who: {
        ...{
          way: 'openid' as const,
          source: sourceOf(settings),
          name: name ?? subject,
          groups: groups ?? [],
        },
        checkAtMs: given.refreshToken === null ? null : this.#nextCheckMs(),
        expiresAtMs: now() + lasts,
      },
    };
  }

  /** What the store keeps of what the provider gave. */
  sealed(secret: string, given: Given): string {
    return seal(secret, JSON.stringify(given));
  }

  /**
   * Asks the provider, where it is time to, whether they may still come in and as what. One that is out of reach ends
   * nothing. @returns false: it refused, or they have no role any more, and the session has ended.
   */
  async check(session: Session): Promise<boolean> {
    const { checkAtMs } = session.row;
    const running = this.#checking.get(session.id);
    if (running) return running;
    if (checkAtMs === null || checkAtMs > this.#deps.now()) return true;
    const check = this.#checkNow(session).finally(() => this.#checking.delete(session.id));
    this.#checking.set(session.id, check);
    return check;
  }

  /** Where the browser goes to be signed out at the provider too; null: it has no such place, or is out of reach. */
  async signOutUrl({ row, secret }: Session): Promise<URL | null> {
    const given = givenIn(row.sealed, secret);
    if (given?.idToken == null) return null;
    try {
      const provider = await this.#discovered();
      if (!provider.serverMetadata().end_session_endpoint) return null;
      return client.buildEndSessionUrl(provider, {
        id_token_hint: given.idToken,
        post_logout_redirect_uri: `${this.#deps.publicUrl}/sign-in`,
      });
    } catch {
      return null;
    }
  }

  async #checkNow({ id, row, secret }: Session): Promise<boolean> {
    const { sessions, now, warn } = this.#deps;
    if (!(await sessions.claimCheck(row, now() + RETRY_MS))) return true;
    try {
      const given = givenIn(row.sealed, secret);
      if (!given?.refreshToken) throw new SignInFailed('there is nothing to ask with', false);
      return await sessions.change(id, await this.#renewed(given, given.refreshToken, secret));
    } catch (error) {
      if (!(error instanceof SignInFailed)) throw error;
      warn(
        `The provider was asked about ${row.name}: ${error.message}${error.isDown ? ' The session goes on.' : ''}`,
      );
      if (error.isDown) return true;
      await sessions.end([id]);
      return false;
    }
  }

  async #renewed(given: Given, refreshToken: string, secret: string): Promise<SessionChange> {
    const tokens = await this.#asked((provider) => client.refreshTokenGrant(provider, refreshToken));
    const claims = { ...tokens.claims() };
    if (claims.sub !== undefined && claims.sub !== given.subject)
      throw new SignInFailed('The provider answered about somebody else.', false);
    const { name, groups } = await this.#personIn(claims, tokens, given.subject);
    const kept: Given = {
      subject: given.subject,
      idToken: tokens.id_token ?? given.idToken,
      refreshToken: tokens.refresh_token ?? refreshToken,
    };
    return {
      // Where an answer says nothing of them, what was said before stays.
      ...(name === null ? {} : { name }),
      ...(groups === null ? {} : { groups }),
      ...{ sealed: this.sealed(secret, kept), checkAtMs: this.#nextCheckMs() },
    };
  }

  /** Groups are often told by the userinfo endpoint alone. */
  async #personIn(claims: Readonly<Record<string, unknown>>, tokens: Tokens, subject: string) {
    const { nameClaim, groupsClaim } = this.#deps.settings;
    const read = (all: Readonly<Record<string, unknown>>) => ({
      name: nameIn(all, nameClaim),
      groups: groupsIn(all, groupsClaim),
    });
    const told = read(claims);
    const provider = await this.#discovered();
    if ((told.groups !== null && told.name !== null) || !provider.serverMetadata().userinfo_endpoint)
      return told;
    const info = await this.#asked(() => client.fetchUserInfo(provider, tokens.access_token, subject));
    const both = read({ ...claims, ...info });
    // Whoever is in no group any more is told without the claim by many.
    return { ...both, groups: both.groups ?? [] };
  }

  #nextCheckMs(): number {
    return this.#deps.now() + this.#deps.settings.checkMinutes * 60_000;
  }

  /** @param maxAgeMs of what it said of itself. @throws SignInFailed */
  #discovered(maxAgeMs = DISCOVERED_MS): Promise<client.Configuration> {
    const { settings, now, warn } = this.#deps;
    const isFresh = now() - this.#discoveredAtMs < (this.#isLost ? JUST_DISCOVERED_MS : maxAgeMs);
    if (this.#provider && isFresh) return this.#provider;
    const issuer = new URL(settings.issuer);
    const insecure = issuer.protocol === 'http:' ? [client.allowInsecureRequests] : [];
    this.#discoveredAtMs = now();
    this.#isLost = false;
    const options = { timeout: TIMEOUT_SECONDS, execute: [...insecure, client.enableNonRepudiationChecks] };
    const reading = client
      .discovery(issuer, settings.clientId, settings.clientSecret, authenticationOf(settings), options)
      .catch((error: unknown) => {
        this.#isLost = true;
        const failure = failureOf(error, settings);
        warn(`${failure.message} (discovery: ${codeOf(error)})`);
        throw failure;
      });
    this.#provider = reading;
    return reading;
  }

  async #asked<T>(ask: (provider: client.Configuration) => Promise<T>): Promise<T> {
    const provider = await this.#discovered();
    try {
      return await ask(provider);
    } catch (error) {
      const failure = failureOf(error, this.#deps.settings);
      if (failure.isDown) this.#isLost = true;
      this.#deps.warn(`${failure.message} (${codeOf(error)})`);
      throw failure;
    }
  }
}

function authenticationOf({ clientSecret }: OpenidSettings): client.ClientAuth {
  return clientSecret === undefined ? client.None() : client.ClientSecretBasic(clientSecret);
}

function givenIn(sealed: string | null, secret: string): Given | null {
  const text = sealed === null ? null : unseal(secret, sealed);
  return text === null ? null : (JSON.parse(text) as Given);
}

/** In words; never with what a link to here could have put into them. */
function failureOf(error: unknown, { issuer }: OpenidSettings): SignInFailed {
  if (error instanceof SignInFailed) return error;
  const code = codeOf(error);
  const status = (error as { readonly status?: unknown }).status;
  const isDown =
    typeof status === 'number' ? status >= 500 || status === 429 : DOWN_CODES.has(code) && !isRefusal(error);
  if (isDown) return new SignInFailed(`The provider ${new URL(issuer).origin} can not be reached now.`, true);
  return isRefusal(error)
    ? new SignInFailed(`The provider refused (${code}).`, false)
    : new SignInFailed('What the provider answered is not for this sign-in. Begin again.', false);
}

function isRefusal(error: unknown): boolean {
  return [
    client.ResponseBodyError,
    client.AuthorizationResponseError,
    client.WWWAuthenticateChallengeError,
  ].some((kind) => error instanceof kind);
}

/** A word without secrets that tells what went wrong. */
function codeOf(error: unknown): string {
  const { error: refusal, code } = error as { readonly error?: unknown; readonly code?: unknown };
  const word = refusal ?? code;
  return typeof word === 'string' && /^[A-Za-z_]{1,60}$/.test(word) ? word : 'unknown';
}
