import type { SeenWorker } from '../model/worker.js';

/**
 * Who has taken the place of each worker that is gone: the first of the same name on its queue (or without a name, as it
 * was) that was heard for the first time after its last beat, and that has taken nobody else's place. Of several, one on
 * the same host goes first: a restart. Pure.
 * @param before ids of workers that have taken a place already.
 * @returns by id of the worker that is gone; those whose place is empty are left out.
 */
export function replacedWorkers(
  workers: readonly SeenWorker[],
  before: ReadonlySet<string> = new Set(),
): ReadonlyMap<string, SeenWorker> {
  const gone = workers.filter(
    ({ agent, isConnected, replacedBy }) => agent !== null && isConnected === false && replacedBy === null,
  );
  const replaced = new Map<string, SeenWorker>();
  if (gone.length === 0) return replaced;
  const inTurn = workers
    .filter(({ agent }) => agent !== null)
    .sort((a, b) => appearedAtMs(a) - appearedAtMs(b) || (a.id < b.id ? -1 : 1));
  const taken = new Set(before);
  // Whoever was lost first is replaced first, so that one who came and was lost too has a place to be replaced in.
  for (const one of [...gone].sort((a, b) => a.lastSeenAtMs - b.lastSeenAtMs)) {
    const fits = inTurn.filter(
      (other) =>
        other.queueId === one.queueId &&
        other.name === one.name &&
        appearedAtMs(other) > one.lastSeenAtMs &&
        !taken.has(other.id),
    );
    const successor = fits.find(({ host }) => host === one.host) ?? fits[0];
    if (!successor) continue;
    taken.add(successor.id);
    replaced.set(one.id, successor);
  }
  return replaced;
}

/** Whoever was there before a console was started is first seen then: it says itself since when it is attached. */
function appearedAtMs({ firstSeenAtMs, agent }: SeenWorker): number {
  return Math.min(firstSeenAtMs, agent?.attachedAtMs ?? firstSeenAtMs);
}
