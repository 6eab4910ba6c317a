import { readFileSync } from 'node:fs';
import { packagePath } from './package-path.js';

/** Version of the installed package. */
export function packageVersion(): string {
  const content = JSON.parse(readFileSync(packagePath('package.json'), 'utf8')) as {
    readonly version: string;
  };
  return content.version;
}
