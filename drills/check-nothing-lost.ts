import type { Stage } from './scenario.js';

/**
 * Stops everybody, then holds every id that producers and workers reported against what Redis holds.
 * @param removed ids of jobs that somebody removed by hand.
 */
export async function checkNothingLost(
  { world, activity }: Stage,
  queues: readonly string[],
  removed: readonly string[] = [],
): Promise<void> {
  const { client } = world.redis;
  await world.stopPlayers();
  for (const queue of queues) {
    const balance = await world.ledger.balance(client, queue);
    const missing = balance.lost.filter((id) => !removed.includes(id));
    // A killed process can't say what it has just completed; Redis knows, where completed jobs are kept.
    const ends = await Promise.all(missing.map((id) => client.hexists(`bull:${queue}:${id}`, 'finishedOn')));
    const unsaid = ends.filter((isThere) => isThere === 1).length;
    const completed = balance.completed + unsaid;
    const byHand = removed.length === 0 ? ['', ''] : [' + removed by hand', ` + ${removed.length}`];
    activity.check(
      `no job lost in ${queue}: completed + in Redis${byHand[0]} = accepted`,
      missing.length === unsaid && completed + balance.inRedis + removed.length === balance.accepted,
      `${completed} + ${balance.inRedis}${byHand[1]} = ${balance.accepted}; lost ${missing.length - unsaid}, completed by processes that were killed before they said so ${unsaid}; refused adds ${balance.refused}, of them kept by Redis ${balance.refusedButKept}`,
    );
  }
}
