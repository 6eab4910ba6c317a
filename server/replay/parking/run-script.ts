import { type PreparedScript, readForced, readPlain } from '../../redis/forced-script.js';
import type { QueueHandle } from '../../redis/queue-control.js';

/** The scripts beside this file. Those for taking away run over maxmemory; the one that brings back must not. */
export type ParkingScript = 'mark-epoch' | 'read-window' | 'remove-jobs' | 'restore-jobs' | 'settle-batch';

const HERE = 'server/replay/parking';
const WITH_WAKE: readonly ParkingScript[] = ['restore-jobs'];
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
  const paths = [
    ...(WITH_WAKE.includes(script) ? ['server/redis/wake-workers.lua'] : []),
    `${HERE}/${script}.lua`,
  ];
  const made = isForced ? readForced(paths, canFlagScripts) : readPlain(paths);
  prepared.set(name, made);
  return made;
}
