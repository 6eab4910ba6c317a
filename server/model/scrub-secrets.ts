/** Shorter texts would be found by accident in any sentence. */
const LEAST_LETTERS = 4;

/** A function that takes these secrets out of a text, also where they are percent-encoded or in base64. */
export function secretScrubber(secrets: readonly string[]): (text: string) => string {
  const forms = new Set(
    secrets
      .filter((secret) => secret.length >= LEAST_LETTERS)
      .flatMap((secret) => [
        secret,
        encodeURIComponent(secret.toWellFormed()),
        Buffer.from(secret).toString('base64'),
      ]),
  );
  // Longest first: a secret that holds another is taken out whole.
  const ordered = [...forms].sort((a, b) => b.length - a.length);
  return (text) => ordered.reduce((rest, secret) => rest.replaceAll(secret, '****'), text);
}

/** What of a URL lets its holder in: user, password, path and query. */
export function secretsOfUrl(url: string): readonly string[] {
  const { username, password, pathname, search, hash } = new URL(url);
  const decoded = (text: string) => {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  };
  const segments = pathname.split('/').filter((segment) => segment.length >= 12);
  return [url, pathname.length > 12 ? pathname : '', search, search.slice(1), hash, username, password]
    .concat(segments, [decoded(username), decoded(password)])
    .filter((text) => text !== '');
}
