import type { HoldingRow, HoldingTableProps, Tone } from '../../../views/holding.js';
import { formatBytes, formatRatio, formatThings } from '../../model/format.js';
import type { NodeMemory } from '../../model/memory.js';
import type { RedisNode } from '../../model/snapshot.js';
import { plainName } from '../../model/words.js';
import { rowOf } from './holding-view-model.js';
import { UNKNOWN } from './words.js';

/** What one process holds, line by line: the lines up to "Used" add up to it. */
export function nodeTableOf(node: RedisNode, isOneOfMany: boolean, index: number): HoldingTableProps {
  const { memory } = node;
  return {
    id: `memory-node-${index}`,
    title: isOneOfMany ? `Node ${node.address}` : 'Server',
    heading: 'What',
    shareOf: 'Of used memory',
    rows: memory ? rowsOf(node, memory) : [],
    empty: `It uses ${formatBytes(node.usedBytes)}; what for is not read yet, or not permitted (MEMORY STATS).`,
  };
}

function rowsOf(node: RedisNode, memory: NodeMemory): readonly HoldingRow[] {
  const { usedBytes } = memory;
  const line = (name: string, bytes: number, tone: Tone | null, note = ''): HoldingRow =>
    rowOf(name, { bytes, errorBytes: 0 }, usedBytes, { tone, note });
  const limit = node.limit
    ? `${formatRatio(node.usedRatio ?? 0)} of ${formatBytes(node.limit.bytes)}`
    : 'no limit';
  return [
    rowOf('Queues', memory.queues, usedBytes, { note: toSample(memory) }),
    ...foreignRows(memory),
    line('Buffers of clients', memory.clientBytes, 'beside', `${formatBytes(node.clientOutputBytes)} unread`),
    line('Buffers of replicas', memory.replicaBufferBytes, 'beside'),
    line('Replication backlog', memory.replicationBacklogBytes, 'beside'),
    line('AOF buffers', memory.aofBytes, 'beside'),
    line('Lua and functions', memory.scriptBytes, 'own'),
    line('Tables over the keys', memory.keyspaceBytes, 'own'),
    line('An empty Redis', memory.startupBytes, 'own'),
    unattributedRow(memory),
    line('Used', usedBytes, null, limit),
    line('Fragmentation', memory.fragmentationBytes, null, 'beside used, outside the limit'),
  ];
}

function toSample({ queuesToSample }: NodeMemory): string {
  return queuesToSample > 0 ? `${formatThings(queuesToSample, 'queue')} not sampled yet` : '';
}

function foreignRows({ foreign, usedBytes }: NodeMemory): readonly HoldingRow[] {
  const name = 'Keys of no queue';
  if (!foreign)
    return [
      {
        tone: 'beside',
        isPart: false,
        name,
        href: null,
        note: 'not known yet',
        held: UNKNOWN,
        error: '',
        share: UNKNOWN,
      },
    ];
  return [
    rowOf(name, foreign, usedBytes, { tone: 'beside', note: formatThings(foreign.keys, 'key') }),
    ...foreign.largest.map(({ key, bytes }) =>
      rowOf(plainName(key), { bytes, errorBytes: 0 }, usedBytes, { isPart: true }),
    ),
  ];
}

/** What is left is as unsure as all that it is the rest of. */
function unattributedRow({ unattributedBytes, queues, foreign, usedBytes }: NodeMemory): HoldingRow {
  const held = {
    bytes: unattributedBytes,
    errorBytes: Math.round(Math.hypot(queues.errorBytes, foreign?.errorBytes ?? 0)),
  };
  const note = unattributedBytes < 0 ? 'the samples overrate' : 'small keys, allocator';
  return rowOf('Not attributed', held, usedBytes, { tone: 'unknown', note });
}
