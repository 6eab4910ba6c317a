import { type PreparedScript, readForced, readPlain } from '../../redis/forced-script.js';
import type { QueueHandle } from '../../redis/queue-control.js';

/** The scripts beside this file. Those for taking away run over maxmemory; the one that brings back must not. */
export type ParkingScript = 'mark-epoch' | 'read-window' | 'remove-jobs' | 'restore-jobs' | 'settle-batch';

const HERE = 'server/replay/parking';
/** What another file defines is put before them. */
const PARTS: Readonly<Partial<Record<ParkingScript, string>>> = {
  'read-window': 'server/redis/job-type.lua',
  'restore-jobs': 'server/redis/wake-workers.lua',
};
const FORCED: readonly ParkingScript[] = ['mark-epoch', 'remove-jobs', 'settle-batch'];

const prepared = new Map<string, PreparedScript>();

/**
 * Runs one of parking's scripts; job ids and fields go and come as bytes, as not all of them need be text.
 * @throws what Redis or the network says. A time-out leaves open whether it ran: see settle-batch.lua.
 */
export async function runParkingScript(
  queue: QueueHandle,
  script: ParkingScript,
  keys: readonly string[],
  args: readonly (string | number | Buffer)[],
): Promise<unknown> {
  const { source, sha } = prepare(script, queue.canFlagScripts);
  const rest = [...keys, ...args];
  try {
    return await queue.client.callBuffer('evalsha', sha, keys.length, ...rest);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
    return queue.client.callBuffer('eval', source, keys.length, ...rest);
  }
}

/** Where a queue keeps what was done to it, batch by batch. */
export function receiptsKey(queueId: string): string {
  return `${queueId}:spillway:parked`;
}

function prepare(script: ParkingScript, canFlagScripts: boolean): PreparedScript {
  const isForced = FORCED.includes(script);
  const name = `${script}|${isForced && canFlagScripts}`;
  const known = prepared.get(name);
  if (known) return known;
  const part = PARTS[script];
  const paths = [...(part === undefined ? [] : [part]), `${HERE}/${script}.lua`];
  const made = isForced ? readForced(paths, canFlagScripts) : readPlain(paths);
  prepared.set(name, made);
  return made;
}
