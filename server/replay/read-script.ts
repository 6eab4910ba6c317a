import type { RedisClient } from '../redis/connect.js';
import { type PreparedScript, readPlain } from '../redis/forced-script.js';

type ReadScript = 'read-candidates' | 'read-outcomes';

const PARTS: Readonly<Partial<Record<ReadScript, readonly string[]>>> = {
  'read-candidates': ['server/redis/job-type.lua'],
};
const known = new Map<string, PreparedScript>();

/** Runs a script of this folder that only reads: those pass while Redis is full, in every version. */
export async function runRead(
  client: RedisClient,
  name: ReadScript,
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

function load(name: ReadScript): PreparedScript {
  const script = readPlain([...(PARTS[name] ?? []), `server/replay/${name}.lua`]);
  known.set(name, script);
  return script;
}
