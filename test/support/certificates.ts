import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A key with its certificate, in PEM. */
export interface Certified {
  readonly key: string;
  readonly cert: string;
  readonly certPath: string;
}

/** A certificate of 127.0.0.1 and localhost that signs itself. */
export function selfSigned(directory: string, name: string): Certified {
  openssl(directory, [...request(name), '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost']);
  return read(directory, name);
}

/** An authority, and a server's certificate that it has signed. @param names such as `IP:127.0.0.1`. */
export function signedBy(
  directory: string,
  authority: string,
  server: string,
  names: string,
): { readonly ca: Certified; readonly server: Certified } {
  openssl(directory, [...request(authority), '-addext', 'basicConstraints=critical,CA:TRUE']);
  openssl(directory, [
    ...request(server),
    ...['-CA', `${authority}.crt`, '-CAkey', `${authority}.key`],
    ...['-addext', `subjectAltName=${names}`, '-addext', 'basicConstraints=critical,CA:FALSE'],
  ]);
  return { ca: read(directory, authority), server: read(directory, server) };
}

function request(name: string): readonly string[] {
  const key = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-keyout',
    `${name}.key`,
  ];
  return ['req', '-x509', ...key, '-out', `${name}.crt`, '-days', '2', '-subj', `/CN=${name}`];
}

function openssl(cwd: string, args: readonly string[]): void {
  execFileSync('openssl', args, { cwd, stdio: 'pipe' });
}

function read(directory: string, name: string): Certified {
  const certPath = join(directory, `${name}.crt`);
  return {
    key: readFileSync(join(directory, `${name}.key`), 'utf8'),
    cert: readFileSync(certPath, 'utf8'),
    certPath,
  };
}
