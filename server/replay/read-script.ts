import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { packagePath } from '../package-path.js';
import type { RedisClient } from '../redis/connect.js';

const known = new Map<string, { readonly source: string; readonly sha: string }>();

/** Runs a script of this folder that only reads: those pass while Redis is full, in every version. */
export async function runRead(
  client: RedisClient,
  name: 'read-candidates' | 'read-outcomes',
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  const script = known.get(name) ?? load(name);
  try {
    return await client.evalsha(script.sha, keys.length, ...keys, ...args);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
    return client.eval(script.source, keys.length, ...keys, ...args);
  }
}

function load(name: string): { readonly source: string; readonly sha: string } {
  const source = readFileSync(packagePath(`server/replay/${name}.lua`), 'utf8');
  const script = { source, sha: createHash('sha1').update(source).digest('hex') };
  known.set(name, script);
  return script;
}
