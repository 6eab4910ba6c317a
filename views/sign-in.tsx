import type { FC } from 'hono/jsx';
import { PlainPage } from './layout.js';

interface SignInProps {
  readonly styles: readonly string[];
  readonly to: string;
  readonly error: string | null;
  /** Name of the provider; null: there is none. */
  readonly provider: string | null;
  readonly takesTokens: boolean;
}

/** The door: a provider, a token, or both. */
export const SignInPage: FC<SignInProps> = ({ styles, to, error, provider, takesTokens }) => (
  <PlainPage styles={styles} title="Sign in">
    <h1>Spillway</h1>
    {error ? (
      <p id="token-error" class="field-error" role="alert">
        {error}
      </p>
    ) : null}
    {provider === null ? null : (
      <a
        class="sign-in-provider"
        href={`/sign-in/openid?to=${encodeURIComponent(to)}${error ? '&again=1' : ''}`}
      >
        Sign in with {provider}
      </a>
    )}
    {takesTokens || provider ? null : <p>Come by the proxy that signs you in: no token is taken here.</p>}
    {!takesTokens ? null : provider === null ? (
      <TokenForm to={to} error={error} />
    ) : (
      <details open={error !== null}>
        <summary>Sign in with a token</summary>
        <TokenForm to={to} error={error} />
      </details>
    )}
  </PlainPage>
);

const TokenForm: FC<Pick<SignInProps, 'to' | 'error'>> = ({ to, error }) => (
  <form method="post" action="/sign-in">
    <input type="hidden" name="to" value={to} />
    <label for="token">Token</label>
    <input
      id="token"
      name="token"
      type="password"
      autocomplete="current-password"
      required
      autofocus
      aria-invalid={error ? 'true' : 'false'}
      aria-describedby={error ? 'token-error token-hint' : 'token-hint'}
    />
    <p id="token-hint" class="hint">
      From whoever runs this console. It is kept as a cookie for 12 hours.
    </p>
    <button type="submit">Sign in</button>
  </form>
);

/** On the way to the provider, which signs out too: a form may not lead to another host. */
export const SignOutPage: FC<{ readonly styles: readonly string[]; readonly next: string }> = ({
  styles,
  next,
}) => (
  <PlainPage styles={styles} title="Signed out" next={next}>
    <h1>Spillway</h1>
    <p>You are signed out here.</p>
    <a class="sign-in-provider" href={next}>
      Sign out at the provider too
    </a>
  </PlainPage>
);
