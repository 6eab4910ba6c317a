import type { FC } from 'hono/jsx';
import { formatBytes, formatRatio } from '../server/model/format.js';
import { foldRest, type MemoryShares, type QueueShare } from '../server/model/memory-shares.js';
import type { RedisNode, Snapshot } from '../server/model/snapshot.js';
import { plainName, queueName } from '../server/model/words.js';
import { type Share, ShareBar, toneOf } from './drawn/bars.js';
import { MEMORY_KIND_WORDS } from './memory-words.js';
import { elementId } from './words.js';

/** Queues drawn one by one. */
const MAX_DRAWN = 6;
/** Types of a queue that are drawn. */
const MAX_TYPES_DRAWN = 5;
/** Named below a short bar, where a part may be too narrow for its name. */
const MAX_NAMED = 4;
const NAMED_FROM = 0.1;

interface MemoryBarProps {
  readonly shares: MemoryShares;
  readonly snapshot: Snapshot;
  /** What divides the second row: the job types of each queue beneath it, or kinds of data, of all queues. */
  readonly by: 'types' | 'kinds';
}

/** Where the memory of one Redis is, on a scale that ends at its limit, or at what is held where that is more. */
export const MemoryBar: FC<MemoryBarProps> = ({ shares, snapshot, by }) => {
  const parts = partsOf(shares, snapshot);
  const limit = snapshot.nodes.reduce((sum, node) => sum + (node.limit?.bytes ?? 0), 0);
  return (
    <ShareBar
      title={`${formatBytes(shares.heldBytes)} of ${limit > 0 ? formatBytes(limit) : 'no limit'}`}
      unit="bytes"
      parts={parts}
      within={by === 'types' ? typesOf(shares) : kindsOf(shares)}
      total={Math.max(limit, shares.heldBytes)}
      limit={limit > 0 && limit < shares.heldBytes ? limit : null}
    />
  );
};

/** What is a tenth of it or more by name, as it stands in the bar: by size they would change places. */
export const MemoryLegend: FC<Omit<MemoryBarProps, 'by'>> = ({ shares, snapshot }) => (
  <ul class="share-legend">
    {partsOf(shares, snapshot)
      .filter(({ value }) => value >= 1 && value >= NAMED_FROM * shares.heldBytes)
      .slice(0, MAX_NAMED)
      .map(({ label, value, tone }) => (
        // By its name, so that a live update takes no entry for another.
        <li id={elementId('legend', `${snapshot.instance}/${label}`)}>
          <span class={`holding-key tone-${tone}`} aria-hidden="true"></span>
          {label} {formatBytes(value)}
          {shares.heldBytes >= 1
            ? ` · ${formatRatio(Math.round((value / shares.heldBytes) * 100) / 100)}`
            : ''}
        </li>
      ))}
  </ul>
);

function partsOf(shares: MemoryShares, snapshot: Snapshot): readonly Share[] {
  const { shown, rest } = foldRest(shares.byQueue, MAX_DRAWN, shares.heldBytes);
  return [
    ...shown.map(({ queue, bytes }, i) => ({ label: queueName(queue), value: bytes, tone: toneOf(i) })),
    { label: 'other queues', value: rest?.bytes ?? 0, tone: 'rest' },
    ...partsBeside(snapshot.nodes),
  ];
}

/** Each queue's types beneath it; what they leave of it stays empty. */
function typesOf({ byQueue }: MemoryShares): readonly Share[] {
  return byQueue.slice(0, MAX_DRAWN).flatMap(({ memory, bytes }: QueueShare, i) => {
    const types = memory.types.slice(0, MAX_TYPES_DRAWN);
    const left = bytes - types.reduce((sum, type) => sum + type.bytes, 0);
    return [
      ...types.map((type) => ({ label: plainName(type.type), value: type.bytes, tone: toneOf(i) })),
      { label: '', value: Math.max(0, left), tone: 'none' as const },
    ];
  });
}

function kindsOf({ byKind }: MemoryShares): readonly Share[] {
  return byKind.map(({ kind, bytes }, i) => ({
    label: MEMORY_KIND_WORDS[kind],
    value: bytes,
    tone: toneOf(i),
  }));
}

function partsBeside(nodes: readonly RedisNode[]): readonly Share[] {
  const sum = (read: (memory: NonNullable<RedisNode['memory']>) => number): number =>
    nodes.reduce((total, { memory }) => total + (memory ? read(memory) : 0), 0);
  return [
    { label: 'other keys', value: sum(({ foreign }) => foreign?.bytes ?? 0), tone: 'beside' },
    { label: 'BullMQ Relay', value: sum(({ relay }) => relay?.bytes ?? 0), tone: 'beside' },
    {
      label: 'buffers',
      value: sum(
        (memory) =>
          memory.clientBytes + memory.replicaBufferBytes + memory.replicationBacklogBytes + memory.aofBytes,
      ),
      tone: 'beside',
    },
    {
      label: 'Redis itself',
      value: sum((memory) => memory.startupBytes + memory.keyspaceBytes + memory.scriptBytes),
      tone: 'own',
    },
    { label: 'not attributed', value: sum((memory) => memory.unattributedBytes), tone: 'unknown' },
  ];
}
