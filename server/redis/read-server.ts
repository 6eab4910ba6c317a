import { readFile } from 'node:fs/promises';
import type { Redis } from 'ioredis';
import type { NodeMemory } from '../model/memory.js';
import type { MemoryLimit } from '../model/snapshot.js';
import type { AnswerPlace } from './read-batch.js';
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

/**
 * Memory limit in bytes of the cgroup that a Redis process on this machine lives in, or null where there is none,
 * it can't be seen, or `pid` is not a Redis of this machine (INFO's process_id counts in its own namespace).
 */
export async function cgroupLimitBytes(pid: number): Promise<number | null> {
  try {
    const name = (await readFile(`/proc/${pid}/comm`, 'utf8')).trim();
    if (!/^(redis|valkey)/.test(name)) return null;
    const line = (await readFile(`/proc/${pid}/cgroup`, 'utf8'))
      .split('\n')
      .find((entry) => entry.startsWith('0::'));
    const path = line?.slice(3).trim() ?? '';
    const text = (await readFile(`/sys/fs/cgroup${path === '/' ? '' : path}/memory.max`, 'utf8')).trim();
    const bytes = Number(text);
    return Number.isFinite(bytes) && bytes > 0 ? bytes : null;
  } catch {
    // Not this machine's, not Linux, or cgroup v1: then the host's memory as Redis reports it counts.
    return null;
  }
}

/** Does it run on this machine, by its address? */
export function isLoopbackAddress(address: string): boolean {
  return /^(127\.|localhost|\[?::1)/.test(address);
}

/** Fields of an INFO answer by name, sections run together. */
export function parseInfo(text: string): Readonly<Record<string, string>> {
  const fields: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    if (colon > 0 && line[0] !== '#') fields[line.slice(0, colon)] = line.slice(colon + 1).trimEnd();
  }
  return fields;
}

/** Number of an INFO field; `otherwise` where it is missing or no number. */
export function infoNumber(info: Readonly<Record<string, string>>, name: string, otherwise = 0): number {
  const value = Number(info[name]);
  return info[name] !== undefined && Number.isFinite(value) ? value : otherwise;
}

/** `a=1,b=2` as INFO writes compound fields. */
export function parsePairs(text: string | undefined): Readonly<Record<string, string>> {
  const pairs: Record<string, string> = {};
  for (const part of (text ?? '').split(',')) {
    const equals = part.indexOf('=');
    if (equals > 0) pairs[part.slice(0, equals)] = part.slice(equals + 1);
  }
  return pairs;
}

/** Sections that the console needs; several in one INFO from 7.0, before that all of them. 0.07 ms on 7.0.15. [run] */
const SECTIONS = [
  'server',
  'clients',
  'memory',
  'stats',
  'replication',
  'cpu',
  'commandstats',
  'errorstats',
] as const;

export function addServerRead(batch: ReadBatch, canAskSections: boolean): AnswerPlace {
  return canAskSections ? batch.add('info', ...SECTIONS) : batch.add('info', 'all');
}

/** The plain numbers of one INFO: no rates and no verdicts yet, those need a past. */
interface ServerReading {
  readonly version: string;
  readonly runId: string;
  readonly processId: number;
  readonly uptimeSeconds: number;
  readonly role: 'master' | 'replica';
  readonly isReadOnly: boolean;
  readonly usedBytes: number;
  readonly countedBytes: number;
  readonly rssBytes: number;
  readonly maxBytes: number;
  readonly hostBytes: number | null;
  readonly policy: string;
  readonly fragmentationRatio: number;
  readonly refusedTotal: number | null;
  /** Commands but PING that were refused with MISCONF so far; null where Redis does not count errors. */
  readonly unsavedTotal: number | null;
  readonly evictedKeys: number;
  readonly connectedClients: number;
  readonly blockedClients: number;
  readonly clientOutputBytes: number;
  readonly replicas: number;
  readonly replicationLinkUp: boolean;
  readonly replicationBacklogBytes: number;
  readonly replicationLagBytes: number | null;
  readonly opsPerSecond: number;
}

export function readServer(info: Readonly<Record<string, string>>): ServerReading {
  const isReplica = info.role === 'slave';
  const usedBytes = infoNumber(info, 'used_memory');
  const hostBytes = infoNumber(info, 'total_system_memory');
  const replicas = infoNumber(info, 'connected_slaves');
  return {
    version: info.redis_version ?? 'unknown',
    runId: info.run_id ?? '',
    processId: infoNumber(info, 'process_id'),
    uptimeSeconds: infoNumber(info, 'uptime_in_seconds'),
    role: isReplica ? 'replica' : 'master',
    isReadOnly: isReplica && info.slave_read_only !== '0',
    usedBytes,
    countedBytes: Math.max(0, usedBytes - infoNumber(info, 'mem_not_counted_for_evict')),
    rssBytes: infoNumber(info, 'used_memory_rss'),
    maxBytes: infoNumber(info, 'maxmemory'),
    hostBytes: hostBytes > 0 ? hostBytes : null,
    policy: info.maxmemory_policy ?? 'unknown',
    fragmentationRatio: infoNumber(info, 'mem_fragmentation_ratio', 1),
    refusedTotal: errorTotal(info, 'OOM'),
    unsavedTotal: unsavedTotal(info),
    evictedKeys: infoNumber(info, 'evicted_keys'),
    connectedClients: infoNumber(info, 'connected_clients'),
    blockedClients: infoNumber(info, 'blocked_clients'),
    clientOutputBytes: infoNumber(info, 'mem_clients_normal'),
    replicas,
    replicationLinkUp: !isReplica || info.master_link_status === 'up',
    replicationBacklogBytes: infoNumber(info, 'mem_replication_backlog'),
    replicationLagBytes: isReplica || replicas === 0 ? null : replicationLag(info, replicas),
    opsPerSecond: infoNumber(info, 'instantaneous_ops_per_sec'),
  };
}

/** Errors are counted from 6.2 on; a server that has had none of a kind yet has no such line. */
function errorTotal(info: Readonly<Record<string, string>>, code: string): number | null {
  const counted = parsePairs(info[`errorstat_${code}`]).count;
  if (counted !== undefined) return Number(counted);
  const [major = 0, minor = 0] = (info.redis_version ?? '').split('.').map(Number);
  return major > 6 || (major === 6 && minor >= 2) ? 0 : null;
}

/** Without the PINGs, of this console and of whoever else looks whether Redis is there: nobody misses them. */
function unsavedTotal(info: Readonly<Record<string, string>>): number | null {
  const all = errorTotal(info, 'MISCONF');
  return all === null ? null : all - Number(parsePairs(info.cmdstat_ping).rejected_calls ?? 0);
}

function replicationLag(info: Readonly<Record<string, string>>, replicas: number): number {
  const offset = infoNumber(info, 'master_repl_offset');
  let lag = 0;
  for (let i = 0; i < Math.min(replicas, 32); i++) {
    const replica = parsePairs(info[`slave${i}`]);
    if (replica.offset !== undefined) lag = Math.max(lag, offset - Number(replica.offset));
  }
  return lag;
}

/** The limit that counts: maxmemory; without one the cgroup's or else the host's memory. null where none is known. */
export function memoryLimit(reading: ServerReading, cgroupBytes: number | null): MemoryLimit | null {
  if (reading.maxBytes > 0) return { bytes: reading.maxBytes, source: 'maxmemory' };
  if (cgroupBytes !== null && (reading.hostBytes === null || cgroupBytes < reading.hostBytes)) {
    return { bytes: cgroupBytes, source: 'cgroup' };
  }
  return reading.hostBytes === null ? null : { bytes: reading.hostBytes, source: 'host' };
}
