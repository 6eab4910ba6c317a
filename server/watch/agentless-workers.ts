import type { SeenWorker } from '../model/worker.js';
import type { WorkerConnection } from '../redis/clients.js';

/** A worker with the agent, as far as its connection is concerned. */
interface Attended {
  readonly queueId: string;
  /** Of its blocking connection, as it sees it; null: not known. */
  readonly address: string | null;
}

/** Workers that only CLIENT LIST shows, as no agent is attached to them. */
export class AgentlessWorkers {
  /** By queue and address, when it was seen first. */
  #firstSeenAtMs = new Map<string, number>();

  /**
   * Connections that belong to no agent's worker. Where addresses don't match (a proxy between), as many as there are agents'
   * workers are taken away.
   * @param attended workers with the agent that are there.
   */
  states(
    connections: readonly WorkerConnection[],
    attended: readonly Attended[],
    nowMs: number,
  ): readonly SeenWorker[] {
    const present = new Set(connections.map(({ address }) => address));
    const known = new Set<string>();
    /** By queue, workers whose connection is not known. */
    const unmatched = new Map<string, number>();
    for (const { queueId, address } of attended) {
      if (address !== null && present.has(address)) known.add(keyOf(queueId, address));
      else unmatched.set(queueId, (unmatched.get(queueId) ?? 0) + 1);
    }
    const seen = new Map<string, number>();
    const states: SeenWorker[] = [];
    for (const connection of connections) {
      const { queueId, address, ageSeconds } = connection;
      const key = keyOf(queueId, address);
      if (known.has(key)) continue;
      const spare = unmatched.get(queueId) ?? 0;
      if (spare > 0) {
        unmatched.set(queueId, spare - 1);
        continue;
      }
      const firstSeenAtMs = this.#firstSeenAtMs.get(key) ?? nowMs - Math.min(ageSeconds * 1000, nowMs);
      seen.set(key, firstSeenAtMs);
      states.push(workerOf(connection, firstSeenAtMs, nowMs));
    }
    this.#firstSeenAtMs = seen;
    return states;
  }
}

function keyOf(queueId: string, address: string): string {
  return `${queueId} ${address}`;
}

function workerOf(connection: WorkerConnection, firstSeenAtMs: number, nowMs: number): SeenWorker {
  const { queueId, name, address, idleSeconds } = connection;
  return {
    id: `client:${address}`,
    queueId,
    label: name === null ? address : `${name} (${address})`,
    name,
    host: address.slice(0, address.lastIndexOf(':')) || null,
    pid: null,
    isConnected: true,
    firstSeenAtMs,
    lastSeenAtMs: nowMs,
    idleSeconds: connection.isWaiting ? idleSeconds : null,
    agent: null,
    locks: null,
    replacedBy: null,
  };
}
