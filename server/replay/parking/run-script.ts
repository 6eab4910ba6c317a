import { type PreparedScript, readForced, readPlain } from '../../redis/forced-script.js';
import type { QueueHandle } from '../../redis/queue-control.js';

/** The scripts beside this file. Those for taking away run over maxmemory; the one that brings back must not. */
type ParkingScript = 'mark-epoch' | 'read-window' | 'remove-jobs' | 'restore-jobs' | 'settle-batch';

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

/**
 * The batch that brings jobs back says in its name for whom, as that decides what becomes of those that can't come back:
 * a parking's own restore is through with them, a replay leaves them on disk. And in which order it was given them, as its
 * receipt has a code for each in that order.
 */
const REPLAY = 'replay:';
const REPLAY_NEWEST = 'newest:';
const AGAIN = 'again:';

/**
 * For a replay.
 * @param call what the replay calls this part of its batch; the same when it asks again.
 * @param newId a batch whose end was not heard is void for ever: each try has a name of its own.
 */
export function replayBatchName(call: string, order: 'oldest' | 'newest', newId: string): string {
  return `${order === 'newest' ? REPLAY_NEWEST : REPLAY}${call}:${newId}`;
}

/** For what Redis has lost of a replay's batch. */
export function againBatchName(newId: string): string {
  return `${AGAIN}${newId}`;
}

/** The call of a replay that a batch was made for; null: none. */
export function replayCallOf(batch: string): string | null {
  if (!batch.startsWith(REPLAY) && !isNewestFirst(batch)) return null;
  return batch.slice(batch.indexOf(':') + 1, batch.lastIndexOf(':'));
}

export function isNewestFirst(batch: string): boolean {
  return batch.startsWith(REPLAY_NEWEST);
}

export function isAgain(batch: string): boolean {
  return batch.startsWith(AGAIN);
}

/** Was it brought back by a replay, not by a restore of its parking? */
export function isOfReplay(batch: string): boolean {
  return replayCallOf(batch) !== null || isAgain(batch);
}

/**
 * What became of a batch whose end nobody heard: its receipt, or null where it was not carried out and never will be.
 * @param kind 'p' one that takes jobs out, 'r' one that brings them back.
 * @throws what Redis or the network says; then it is still open.
 */
export async function settleBatch(
  queue: QueueHandle,
  kind: 'p' | 'r',
  batch: string,
): Promise<string | null> {
  const answer = String(
    await runParkingScript(queue, 'settle-batch', [receiptsKey(queue.id)], [`${kind}${batch}`]),
  );
  return answer === 'void' ? null : answer;
}

/** The receipts of these batches; null where Redis has none (it lost it, or never had it). @throws what Redis says. */
export async function readReceipts(
  queue: QueueHandle,
  kind: 'p' | 'r',
  batches: readonly string[],
): Promise<readonly (string | null)[]> {
  if (batches.length === 0) return [];
  return queue.client.hmget(receiptsKey(queue.id), ...batches.map((batch) => `${kind}${batch}`));
}

/** Receipts that nobody will ask for again. @throws what Redis says. */
export async function forgetReceipts(
  queue: QueueHandle,
  kind: 'p' | 'r',
  batches: readonly string[],
): Promise<void> {
  if (batches.length === 0) return;
  await queue.client.hdel(receiptsKey(queue.id), ...batches.map((batch) => `${kind}${batch}`));
}
