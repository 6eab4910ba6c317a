import type { Redis } from 'ioredis';
import type { Capabilities, CapabilityName } from '../model/snapshot.js';
import { parseInfo } from './parse-info.js';

/** A name that no key has; probes act on it only. */
const PROBE_KEY = 'spillway:probe:no-such-key';

/**
 * What this Redis permits, found out with commands that change nothing: a read of one setting, a list of no client, a
 * script that deletes a key that does not exist. `canSetConfig` asks ACL DRYRUN where there is one (7.0); a managed
 * Redis that has renamed or removed CONFIG refuses the read as well.
 * @throws what Redis says where even INFO is refused.
 */
export async function probeCapabilities(client: Redis): Promise<Capabilities> {
  const version = parseInfo(await client.info('server')).redis_version ?? '0.0.0';
  const refusals: Partial<Record<CapabilityName, string>> = {};
  const probe = async (name: CapabilityName, ask: () => Promise<unknown>): Promise<boolean> => {
    try {
      await ask();
      return true;
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      // Permitted, but the key's slot is another node's: a probe in a Cluster.
      if (/^(MOVED|ASK)/.test(text)) return true;
      if (!isRefusal(text)) throw error;
      refusals[name] = text;
      return false;
    }
  };
  const canReadConfig = await probe('canReadConfig', () => client.config('GET', 'maxmemory'));
  return {
    version,
    canFlagScripts: majorOf(version) >= 7,
    canReadConfig,
    canSetConfig: await probe('canSetConfig', () =>
      askToSetConfig(client, canReadConfig, refusals.canReadConfig),
    ),
    canListClients: await probe('canListClients', () => client.call('CLIENT', 'LIST', 'ID', '1')),
    canWrite: await probe('canWrite', () => client.del(PROBE_KEY)),
    canRunScripts: await probe('canRunScripts', () => client.eval('return 1', 0)),
    canMeasureMemory: await probe('canMeasureMemory', () => client.call('MEMORY', 'USAGE', PROBE_KEY)),
    refusals,
  };
}

async function askToSetConfig(
  client: Redis,
  canReadConfig: boolean,
  refusal: string | undefined,
): Promise<void> {
  if (!canReadConfig) throw new Error(refusal ?? 'NOPERM CONFIG is refused');
  let user: string;
  try {
    user = String(await client.call('ACL', 'WHOAMI'));
  } catch {
    // No ACL command here: the read of CONFIG is all that can be known without changing anything.
    return;
  }
  let answer: unknown;
  try {
    answer = await client.call('ACL', 'DRYRUN', user, 'CONFIG', 'SET', 'maxmemory', '0');
  } catch {
    // Before 7.0 there is no DRYRUN, and ACL itself may be refused: same as above.
    return;
  }
  if (answer !== 'OK') throw new Error(`NOPERM ${String(answer)}`);
}

/** NOPERM by ACL, READONLY by a replica, "unknown command" where a provider has removed it. */
function isRefusal(text: string): boolean {
  return /NOPERM|no permissions|READONLY|unknown (sub)?command|not allowed|ERR .*(disabled|permission)/i.test(
    text,
  );
}

function majorOf(version: string): number {
  return Number.parseInt(version, 10) || 0;
}
