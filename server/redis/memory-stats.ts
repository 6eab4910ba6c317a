import type { Redis } from 'ioredis';
import type { NodeMemory } from '../model/memory.js';
import { ReadBatch, Refused } from './read-batch.js';

export type MemoryStats = Pick<
  NodeMemory,
  | 'clientBytes'
  | 'replicaBufferBytes'
  | 'replicationBacklogBytes'
  | 'aofBytes'
  | 'scriptBytes'
  | 'keyspaceBytes'
  | 'startupBytes'
> & { readonly usedBytes: number; readonly keys: number };

/** Where the memory of a process is by its own account, and the commands that were sent. null: not known, as MEMORY was refused. */
export async function readMemoryStats(
  client: Redis,
): Promise<{ readonly stats: MemoryStats | null; readonly calls: ReadonlyMap<string, number> }> {
  const batch = new ReadBatch();
  const slot = batch.add('memory', 'STATS');
  await batch.run(client);
  const stats = batch.read((answers) => decodeStats(answers.value(slot)));
  return { stats: stats instanceof Refused ? null : stats, calls: batch.calls };
}

/** Reads the answer of MEMORY STATS: a flat list of names and values, with a list for each database. */
function decodeStats(answer: unknown): MemoryStats {
  const stats = pairsOf(answer);
  const number = (name: string): number => {
    const value = Number(stats.get(name) ?? 0);
    return Number.isFinite(value) ? value : 0;
  };
  let keyspaceBytes = 0;
  for (const [name, value] of stats) {
    if (!name.startsWith('db.')) continue;
    for (const bytes of pairsOf(value).values()) keyspaceBytes += Number(bytes) || 0;
  }
  return {
    usedBytes: number('total.allocated'),
    keys: number('keys.count'),
    clientBytes: number('clients.normal'),
    replicaBufferBytes: number('clients.slaves'),
    replicationBacklogBytes: number('replication.backlog'),
    aofBytes: number('aof.buffer'),
    scriptBytes: number('lua.caches') + number('functions.caches'),
    keyspaceBytes,
    startupBytes: number('startup.allocated'),
  };
}

function pairsOf(answer: unknown): ReadonlyMap<string, unknown> {
  if (answer instanceof Map) return new Map([...answer].map(([name, value]) => [String(name), value]));
  if (!Array.isArray(answer))
    return new Map(typeof answer === 'object' && answer ? Object.entries(answer) : []);
  const pairs = new Map<string, unknown>();
  for (let i = 0; i + 1 < answer.length; i += 2) pairs.set(String(answer[i]), answer[i + 1]);
  return pairs;
}
