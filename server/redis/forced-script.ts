import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { packagePath } from '../package-path.js';
import type { RedisClient } from './connect.js';

/** A Lua file in the form that this Redis lets through over maxmemory. */
interface PreparedScript {
  readonly source: string;
  readonly sha: string;
}

/** Names of the write scripts beside this file. */
export type ForcedScript =
  | 'halt-queue'
  | 'resume-queue'
  | 'set-concurrency'
  | 'set-rate-limit'
  | 'clean-finished';

const prepared = new Map<string, PreparedScript>();

/**
 * Runs a write that Redis accepts even over maxmemory. From 7.0 a script may say so (`flags=allow-oom`); before that
 * the check covers only a script's first write, so the first command deletes a key that is never there. [facts: both
 * measured on 7.0.15]
 * @param keys the first one names the hash slot; in a Cluster all must lie in it.
 * @throws what Redis says; a script that is refused has changed nothing, as the refusal comes before its first write.
 */
export async function runForced(
  client: RedisClient,
  canFlagScripts: boolean,
  script: ForcedScript,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  const { source, sha } = prepare(script, canFlagScripts);
  const rest = [...keys, ...args];
  try {
    return await client.evalsha(sha, keys.length, ...rest);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
    return client.eval(source, keys.length, ...rest);
  }
}

function prepare(script: ForcedScript, canFlagScripts: boolean): PreparedScript {
  const name = `${script}|${canFlagScripts}`;
  const known = prepared.get(name);
  if (known) return known;
  const body = readFileSync(packagePath(`server/redis/${script}.lua`), 'utf8');
  const source = canFlagScripts
    ? `#!lua flags=allow-oom\n${body}`
    : `redis.call('DEL', KEYS[1] .. ':spillway:none')\n${body}`;
  const made = { source, sha: createHash('sha1').update(source).digest('hex') };
  prepared.set(name, made);
  return made;
}
