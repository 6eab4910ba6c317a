/** A URL without its password. */
export function maskUrl(url: string): string {
  return url.replace(/^([a-z+]+:\/\/[^/@]*?:)[^@]*@/i, '$1****@');
}

/** A setting's value as a message about it may show it: shortened, and `****` wherever it may let its holder in. */
export function maskedSetting(name: string, value: unknown): string {
  if (value === undefined) return 'is missing:';
  // Addresses of channels let their holder in.
  if (/password|secret|sha256|token|key|^(alerts\..*|store\.)url/i.test(name)) return '****';
  // Whoever gives a private key for a certificate must not find it in a log.
  if (typeof value === 'string') return value.includes('-----BEGIN') ? '****' : maskUrl(value).slice(0, 100);
  // Settings of channels as a whole hold their secrets.
  if (/^alerts\b/.test(name) && typeof value === 'object') return '****';
  return JSON.stringify(value)?.slice(0, 60) ?? String(value);
}
