import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Root of the installed package: the same whether run from source or from dist/. */
const root = findRoot(dirname(fileURLToPath(import.meta.url)));

function findRoot(from: string): string {
  if (existsSync(join(from, 'package.json'))) return from;
  const parent = dirname(from);
  if (parent === from) throw new Error('spillway: package.json not found above the running file');
  return findRoot(parent);
}

/** Absolute path of a file that ships beside the code, e.g. `packagePath('server/redis/pause-queue.lua')`. */
export function packagePath(relative: string): string {
  return join(root, relative);
}

/** Version of the installed package. */
export function packageVersion(): string {
  const content = JSON.parse(readFileSync(packagePath('package.json'), 'utf8')) as {
    readonly version: string;
  };
  return content.version;
}
