import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { z } from 'zod';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/**
 * Who may have signed a receiver's certificate, for receivers inside a company: PEM text, or the absolute path of a file
 * with it, read once. Trusted for this receiver alone, instead of the public authorities. A certificate that is
 * self-signed is its own authority.
 */
export const trustedCa = z
  .string()
  .transform((text, context) => {
    const fail = (message: string) => {
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    };
    const pem = text.includes('-----BEGIN') ? text : readPem(text);
    if (pem === null) return fail('must be PEM text, or the absolute path of a file that can be read');
    const found = pem.match(CERTIFICATE) ?? [];
    if (found.length === 0 || !found.every(isCertificate)) return fail('must hold certificates in PEM');
    return found.join('\n');
  })
  .nullable()
  .default(null);

function readPem(path: string): string | null {
  if (!isAbsolute(path)) return null;
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}
