import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { packagePath } from '../process/package-path.js';
import type { RedisClient } from './connect.js';

/** A Lua file in the form that this Redis lets through over maxmemory. */
export interface PreparedScript {
  readonly source: string;
  readonly sha: string;
}

/** Names of the write scripts beside this file. */
export type ForcedScript =
  | 'pause-queue'
  | 'keep-order'
  | 'replay-jobs'
  | 'resume-queue'
  | 'set-concurrency'
  | 'set-rate-limit'
  | 'trim-events'
  | 'clean-finished';

/** Scripts that need what another file defines: it is put before them. */
const PARTS: Readonly<Partial<Record<ForcedScript, string>>> = {
  'resume-queue': 'wake-workers',
  'set-concurrency': 'wake-workers',
  'set-rate-limit': 'wake-workers',
};

/**
 * Redis counts a DEL as a write though the key is never there. Before 7.0 a script is replicated as text unless it says
 * otherwise, and then may not write after MEMORY USAGE; from 7.0 on the line has no effect.
 */
const FREEING_LINES = `if redis.replicate_commands then redis.replicate_commands() end
redis.call('DEL', KEYS[1] .. ':spillway:none')
`;

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
    // EVAL and not SCRIPT LOAD: one round trip less, and it works the same while full.
    return client.eval(source, keys.length, ...rest);
  }
}

function prepare(script: ForcedScript, canFlagScripts: boolean): PreparedScript {
  const name = `${script}|${canFlagScripts}`;
  const known = prepared.get(name);
  if (known) return known;
  const files = [PARTS[script], script].filter((name) => name !== undefined);
  const made = readForced(
    files.map((file) => `server/redis/${file}.lua`),
    canFlagScripts,
  );
  prepared.set(name, made);
  return made;
}

/** Lua files, one after the other, in the form that Redis lets through over maxmemory. */
export function readForced(paths: readonly string[], canFlagScripts: boolean): PreparedScript {
  return scriptOf((canFlagScripts ? '#!lua flags=allow-oom\n' : FREEING_LINES) + textOf(paths));
}

/** The same without that form: refused over maxmemory before its first write, where that adds memory. */
export function readPlain(paths: readonly string[]): PreparedScript {
  return scriptOf(textOf(paths));
}

function textOf(paths: readonly string[]): string {
  return paths.map((path) => readFileSync(packagePath(path), 'utf8')).join('\n');
}

function scriptOf(source: string): PreparedScript {
  return { source, sha: createHash('sha1').update(source).digest('hex') };
}
