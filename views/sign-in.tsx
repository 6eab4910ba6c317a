import type { FC } from 'hono/jsx';
import { Document } from './layout.js';

interface SignInProps {
  readonly styles: readonly string[];
  readonly to: string;
  readonly error: string | null;
}

/** The door: one field for a token. */
export const SignInPage: FC<SignInProps> = ({ styles, to, error }) => (
  <Document>
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <title>Sign in · Spillway</title>
      {styles.map((href) => (
        <link rel="stylesheet" href={href} />
      ))}
    </head>
    <body>
      <main class="sign-in">
        <h1>Spillway</h1>
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
            aria-describedby={error ? 'token-error' : 'token-hint'}
          />
          {error ? (
            <p id="token-error" class="field-error" role="alert">
              {error}
            </p>
          ) : (
            <p id="token-hint" class="hint">
              From whoever runs this console. It is kept as a cookie for 12 hours.
            </p>
          )}
          <button type="submit">Sign in</button>
        </form>
      </main>
    </body>
  </Document>
);
