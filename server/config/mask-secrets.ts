import type { z } from 'zod';
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

/** What is wrong with a setting, in words: its name, its value without secrets, and what would be right. */
export function describeIssue(issue: z.core.$ZodIssue, content: unknown): string {
  if (issue.code === 'unrecognized_keys') {
    const at = [...issue.path, ''].join('.');
    return issue.keys.map((key) => `${at}${key}: is not a setting; check the spelling`).join('\n');
  }
  const name = issue.path.map(String).join('.') || 'file';
  const value = issue.path.reduce<unknown>(
    (inside, key) => (typeof inside === 'object' && inside !== null ? Reflect.get(inside, key) : undefined),
    content,
  );
  return `${name}: ${maskedSetting(name, value)} ${issue.message}`;
}
