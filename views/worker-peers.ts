import type { WorkerState, WorkerType } from '../server/model/worker.js';

/** How long a worker's runs take beside those of its peers: medians, which is what outliers are judged by. */
export interface AmongPeers {
  readonly type: string;
  readonly ownMs: number;
  readonly p99Ms: number;
  readonly peersMs: readonly number[];
}

/** Of each worker by its id, on its most frequent job type; those that have finished nothing lately are left out. */
export function amongPeers(workers: readonly WorkerState[]): ReadonlyMap<string, AmongPeers> {
  const byType = new Map<string, { readonly id: string; readonly ms: number }[]>();
  for (const worker of workers)
    for (const type of typesOf(worker)) {
      const ms = medianOf(type);
      if (ms === null) continue;
      const key = keyOf(worker, type);
      const known = byType.get(key);
      if (known) known.push({ id: worker.id, ms });
      else byType.set(key, [{ id: worker.id, ms }]);
    }
  const found = new Map<string, AmongPeers>();
  for (const worker of workers) {
    const type = typeOf(worker);
    const ownMs = type && medianOf(type);
    if (!type || ownMs === null || ownMs === undefined) continue;
    const peers = (byType.get(keyOf(worker, type)) ?? []).filter(({ id }) => id !== worker.id);
    const peersMs = peers.map(({ ms }) => ms);
    found.set(worker.id, { type: type.name, ownMs, p99Ms: type.run?.p99Ms ?? ownMs, peersMs });
  }
  return found;
}

/** What one has been that is gone is no measure for those that are left. */
function typesOf({ verdict, agent }: WorkerState): readonly WorkerType[] {
  return verdict === 'crashed' ? [] : (agent?.types ?? []);
}

/** The type on which it stands out, else its most frequent. */
function typeOf(worker: WorkerState): WorkerType | undefined {
  const known = typesOf(worker).filter((type) => medianOf(type) !== null);
  return known.find(({ name }) => worker.outlier?.type === name) ?? known[0];
}

function medianOf({ recent, run }: WorkerType): number | null {
  return recent?.p50Ms ?? run?.p50Ms ?? null;
}

function keyOf({ queueId }: WorkerState, { name }: WorkerType): string {
  return JSON.stringify([queueId, name]);
}
