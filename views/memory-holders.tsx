import type { FC } from 'hono/jsx';
import { formatBytes, formatRatio, formatThings } from '../server/model/format.js';
import type { NodeMemory } from '../server/model/memory.js';
import {
  foldRest,
  type MemoryShares,
  memorySharesOf,
  type QueueShare,
} from '../server/model/memory-shares.js';
import type { RedisNode, Snapshot } from '../server/model/snapshot.js';
import { plainName, queueName } from '../server/model/words.js';
import { type Tone, toneOf } from './drawn/bars.js';
import { type HoldingRow, HoldingTable } from './holding.js';
import { memoryPath, queueTabPath } from './links.js';
import { MemoryBar } from './memory-bar.js';
import { MEMORY_KIND_WORDS } from './memory-words.js';

/** Queues and types that have a row of their own: on the page of the memory, and in short on the page of the Redis. */
const MAX_ROWS = { whole: { queues: 12, types: 4 }, short: { queues: 5, types: 1 } } as const;

/** Who holds the memory of one Redis: the bar, and the tables that say the same. */
export const Holders: FC<{ readonly snapshot: Snapshot; readonly length: 'whole' | 'short' }> = ({
  snapshot,
  length,
}) => {
  const shares = memorySharesOf(snapshot);
  const { heldBytes } = shares;
  return (
    <section class="panel holders" id="memory-holders" aria-labelledby="memory-holders-title">
      <h2 id="memory-holders-title">Where the memory is</h2>
      {heldBytes >= 1 && shares.byQueue.length > 0 ? (
        <MemoryBar shares={shares} snapshot={snapshot} by="types" />
      ) : null}
      <p class="hint">{sourceInWords(shares, snapshot)}</p>
      <div class="holding-tables">
        <HoldingTable
          id="memory-by-queue"
          title="By queue and job type"
          heading="Queue, job type"
          shareOf="Of what counts against the limit"
          ofBytes={heldBytes}
          rows={queueRows(shares, snapshot, MAX_ROWS[length])}
          empty="No queue holds anything yet."
        />
        {length === 'whole' ? (
          <HoldingTable
            id="memory-by-kind"
            title="By component, all queues"
            heading="Component"
            shareOf="Of what counts against the limit"
            ofBytes={heldBytes}
            rows={shares.byKind.map((kind) => ({ name: MEMORY_KIND_WORDS[kind.kind], held: kind }))}
            empty="Nothing is known yet."
          />
        ) : null}
      </div>
      {length === 'short' ? (
        <p>
          <a class="button" href={memoryPath(snapshot.instance)}>
            Breakdown
          </a>
        </p>
      ) : null}
    </section>
  );
};

function sourceInWords(
  { byQueue, queuesToSample, heldBytes }: MemoryShares,
  { capabilities }: Snapshot,
): string {
  if (capabilities?.canMeasureMemory === false)
    return 'This Redis does not permit MEMORY USAGE to the console, so who holds its memory is not known.';
  if (byQueue.length === 0) return 'No queue has been sampled yet.';
  const left =
    queuesToSample > 0 ? ` Not sampled yet: ${formatThings(queuesToSample, 'queue')} with jobs.` : '';
  return `From samples, ± sampling error; shares of ${formatBytes(heldBytes)} used.${left}`;
}

function queueRows(
  shares: MemoryShares,
  snapshot: Snapshot,
  most: { readonly queues: number; readonly types: number },
): readonly HoldingRow[] {
  const { shown, rest } = foldRest(shares.byQueue, most.queues, shares.heldBytes);
  const rows = shown.flatMap((share, i) => rowsOfQueue(share, i, snapshot, most.types));
  return rest
    ? [...rows, { name: formatThings(rest.entries, 'other queue'), held: rest, tone: 'rest' }]
    : rows;
}

function rowsOfQueue(
  { queue, memory, ...share }: QueueShare,
  index: number,
  { instance }: Snapshot,
  mostTypes: number,
): readonly HoldingRow[] {
  // Of what holds next to nothing the types matter to nobody here; the queue's own page has them.
  const types = (share.shareRatio ?? 0) >= 0.01 ? memory.types.slice(0, mostTypes) : [];
  const others = memory.types.slice(types.length);
  const otherBytes = others.reduce((sum, { bytes }) => sum + bytes, 0);
  return [
    {
      name: queueName(queue),
      held: share,
      tone: toneOf(index),
      href: queueTabPath(instance, queue.id, 'memory'),
      note: memory.source === 'count' ? 'counted' : '',
    },
    ...types.map((type) => ({
      name: plainName(type.type),
      held: type,
      isPart: true,
      note: `${formatBytes(type.bytesPerJob)} each`,
    })),
    ...(others.length > 0 && types.length > 1
      ? [
          {
            name: formatThings(others.length, 'other type'),
            held: { bytes: otherBytes, errorBytes: 0 },
            isPart: true,
          },
        ]
      : []),
  ];
}

/** What each process holds, line by line: the lines up to "Used" add up to it. */
export const NodeMemories: FC<{ readonly nodes: readonly RedisNode[] }> = ({ nodes }) => (
  <section class="panel" id="memory-nodes" aria-labelledby="memory-nodes-title">
    <h2 id="memory-nodes-title">Queues and overhead</h2>
    <div class="holding-tables">
      {nodes.map((node, i) => (
        <HoldingTable
          id={`memory-node-${i}`}
          title={nodes.length > 1 ? `Node ${node.address}` : 'Server'}
          heading="Component"
          shareOf="Of used memory"
          ofBytes={node.memory?.usedBytes ?? 0}
          rows={node.memory ? rowsOfNode(node, node.memory) : []}
          empty={`It uses ${formatBytes(node.usedBytes)}; what for is not read yet, or not permitted (MEMORY STATS).`}
        />
      ))}
    </div>
  </section>
);

function rowsOfNode(node: RedisNode, memory: NodeMemory): readonly HoldingRow[] {
  const line = (name: string, bytes: number, tone: Tone | null, note = ''): HoldingRow => ({
    name,
    held: { bytes, errorBytes: 0 },
    tone,
    note,
  });
  const { queues, queuesToSample, foreign, unattributedBytes } = memory;
  const limit = node.limit
    ? `${formatRatio(node.usedRatio ?? 0)} of ${formatBytes(node.limit.bytes)}`
    : 'no limit';
  // What is left is as unsure as all that it is the rest of.
  const errorBytes = Math.round(Math.hypot(queues.errorBytes, foreign?.errorBytes ?? 0));
  return [
    {
      name: 'Queues',
      held: queues,
      note: queuesToSample > 0 ? `${formatThings(queuesToSample, 'queue')} not sampled yet` : '',
    },
    {
      name: 'Other keys',
      held: foreign,
      tone: 'beside',
      note: foreign ? formatThings(foreign.keys, 'key') : 'not known yet',
    },
    ...(foreign?.largest ?? []).map(({ key, bytes }) => ({
      name: plainName(key),
      held: { bytes, errorBytes: 0 },
      isPart: true,
    })),
    ...(memory.relay
      ? [
          line(
            'BullMQ Relay',
            memory.relay.bytes,
            'beside',
            formatThings(memory.relay.namespaces, 'namespace'),
          ),
        ]
      : []),
    line('Client buffers', memory.clientBytes, 'beside', `${formatBytes(node.clientOutputBytes)} unread`),
    line('Replica buffers', memory.replicaBufferBytes, 'beside'),
    line('Replication backlog', memory.replicationBacklogBytes, 'beside'),
    line('AOF buffers', memory.aofBytes, 'beside'),
    line('Lua and functions', memory.scriptBytes, 'own'),
    line('Keyspace overhead', memory.keyspaceBytes, 'own'),
    line('Startup', memory.startupBytes, 'own'),
    {
      name: 'Not attributed',
      held: { bytes: unattributedBytes, errorBytes },
      tone: 'unknown',
      note: unattributedBytes < 0 ? 'the samples overrate' : 'small keys, allocator',
    },
    line('Used', memory.usedBytes, null, limit),
    line('Fragmentation', memory.fragmentationBytes, null, 'beside used, outside the limit'),
  ];
}
