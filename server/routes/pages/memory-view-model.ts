import type { HoldingBarProps, HoldingRow, HoldingTableProps } from '../../../views/holding.js';
import { memoryPath, queuePath } from '../../../views/links.js';
import type { HoldersProps } from '../../../views/memory-page.js';
import { formatBytes, formatThings } from '../../model/format.js';
import { foldRest, type MemoryShares, memorySharesOf, type QueueShare } from '../../model/memory-shares.js';
import type { RedisNode, Snapshot } from '../../model/snapshot.js';
import { plainName, queueName } from '../../model/words.js';
import { KIND_WORDS, type Piece, partsOf, percent, rowOf, toneOf } from './holding-view-model.js';

/** Queues and types that are told one by one: the page of all of it, and the short form on another page. */
const FULL = { queues: 12, types: 4 };
const SHORT = { queues: 5, types: 1 };
/** Queues drawn one by one. */
const MAX_DRAWN = 6;
/** Types of a queue that are drawn. */
const MAX_TYPES_DRAWN = 5;

/** Who holds the memory of one Redis. */
export function holdersOf(snapshot: Snapshot, length: 'full' | 'short'): HoldersProps {
  const shares = memorySharesOf(snapshot);
  const most = length === 'full' ? FULL : SHORT;
  const tables = [queueTable(shares, snapshot, most), kindTable(shares)];
  return {
    bar: shares.heldBytes >= 1 && shares.byQueue.length > 0 ? barOf(shares, snapshot) : null,
    about: aboutOf(shares, snapshot),
    tables: length === 'full' ? tables : tables.slice(0, 1),
    more:
      length === 'full'
        ? null
        : {
            href: memoryPath(snapshot.instance),
            label: 'All of its memory',
          },
  };
}

function aboutOf(shares: MemoryShares, snapshot: Snapshot): string {
  if (snapshot.capabilities?.canMeasureMemory === false)
    return 'This Redis does not permit MEMORY USAGE to the console, so it can’t tell who holds its memory.';
  if (shares.byQueue.length === 0) return 'No queue has been sampled yet.';
  const left =
    shares.queuesToSample > 0
      ? ` ${formatThings(shares.queuesToSample, 'queue')} with jobs ${shares.queuesToSample === 1 ? 'is' : 'are'} still to be sampled.`
      : '';
  return `By samples of jobs, with the error to reckon with; shares are of the ${formatBytes(shares.heldBytes)} that count against the limit.${left}`;
}

function barOf(shares: MemoryShares, snapshot: Snapshot): HoldingBarProps {
  const { told, rest } = foldRest(shares.byQueue, MAX_DRAWN, shares.heldBytes);
  const queues: Piece[] = told.map(({ queue, bytes }, i) => ({
    label: queueName(queue),
    bytes,
    tone: toneOf(i),
  }));
  const pieces: readonly Piece[] = [
    ...queues,
    { label: 'other queues', bytes: rest?.bytes ?? 0, tone: 'rest' },
    ...besidePieces(snapshot.nodes),
  ];
  const limitBytes = snapshot.nodes.reduce((sum, node) => sum + (node.limit?.bytes ?? 0), 0);
  const drawnBytes = pieces.reduce((sum, { bytes }) => sum + Math.max(0, bytes), 0);
  const totalBytes = Math.max(limitBytes, shares.heldBytes, drawnBytes);
  return {
    text: `${pieces
      .filter(({ bytes }) => bytes >= shares.heldBytes / 100)
      .map(({ label, bytes }) => `${label} ${formatBytes(bytes)}`)
      .join(
        ', ',
      )}; ${formatBytes(shares.heldBytes)} of ${limitBytes > 0 ? formatBytes(limitBytes) : 'no limit'}`,
    parts: partsOf(pieces, totalBytes),
    within: typesWithin(told, totalBytes),
    limitPercent: limitBytes > 0 && limitBytes < totalBytes ? percent(limitBytes, totalBytes) : null,
  };
}

function typesWithin(told: readonly QueueShare[], totalBytes: number): HoldingBarProps['within'] {
  let startBytes = 0;
  return told.flatMap(({ memory, bytes }, i) => {
    const types = memory.types.slice(0, MAX_TYPES_DRAWN).map((type) => ({
      label: plainName(type.type),
      bytes: type.bytes,
      tone: toneOf(i),
    }));
    const parts = partsOf(types, totalBytes, startBytes);
    startBytes += bytes;
    return parts;
  });
}

function besidePieces(nodes: readonly RedisNode[]): readonly Piece[] {
  const sum = (read: (memory: NonNullable<RedisNode['memory']>) => number): number =>
    nodes.reduce((total, { memory }) => total + (memory ? read(memory) : 0), 0);
  return [
    { label: 'keys of no queue', bytes: sum(({ foreign }) => foreign?.bytes ?? 0), tone: 'beside' },
    {
      label: 'buffers',
      bytes: sum(
        (memory) =>
          memory.clientBytes + memory.replicaBufferBytes + memory.replicationBacklogBytes + memory.aofBytes,
      ),
      tone: 'beside',
    },
    {
      label: 'Redis itself',
      bytes: sum((memory) => memory.startupBytes + memory.keyspaceBytes + memory.scriptBytes),
      tone: 'own',
    },
    { label: 'not attributed', bytes: sum((memory) => memory.unattributedBytes), tone: 'unknown' },
  ];
}

function queueTable(
  shares: MemoryShares,
  snapshot: Snapshot,
  most: { readonly queues: number; readonly types: number },
): HoldingTableProps {
  const { told, rest } = foldRest(shares.byQueue, most.queues, shares.heldBytes);
  const rows = told.flatMap((share, i) => queueRows(share, i, shares.heldBytes, snapshot, most.types));
  if (rest)
    rows.push(
      rowOf(`${formatThings(rest.entries, 'other queue')}`, rest, shares.heldBytes, { tone: 'rest' }),
    );
  return {
    id: 'memory-by-queue',
    title: 'By queue and job type',
    heading: 'Queue, job type',
    shareOf: 'Of what counts against the limit',
    rows,
    empty: 'No queue holds anything yet.',
  };
}

function queueRows(
  { queue, memory, ...share }: QueueShare,
  index: number,
  heldBytes: number,
  snapshot: Snapshot,
  mostTypes: number,
): readonly HoldingRow[] {
  // Of what holds next to nothing the types matter to nobody here; the queue's own page has them.
  const types = (share.shareRatio ?? 0) >= 0.01 ? memory.types.slice(0, mostTypes) : [];
  return [
    rowOf(queueName(queue), share, heldBytes, {
      tone: toneOf(index),
      href: queuePath(snapshot.instance, queue.id),
      note: memory.source === 'count' ? 'counted' : '',
    }),
    ...types.map((type) =>
      rowOf(plainName(type.type), type, heldBytes, {
        isPart: true,
        note: `${formatBytes(type.bytesPerJob)} each`,
      }),
    ),
    ...(memory.types.length > types.length && types.length > 1
      ? [
          rowOf(
            formatThings(memory.types.length - types.length, 'other type'),
            {
              bytes: memory.types.slice(mostTypes).reduce((sum, { bytes }) => sum + bytes, 0),
              errorBytes: 0,
            },
            heldBytes,
            { isPart: true },
          ),
        ]
      : []),
  ];
}

function kindTable(shares: MemoryShares): HoldingTableProps {
  return {
    id: 'memory-by-kind',
    title: 'By kind of data, all queues',
    heading: 'Kind',
    shareOf: 'Of what counts against the limit',
    rows: shares.byKind.map((kind) => rowOf(KIND_WORDS[kind.kind], kind, shares.heldBytes)),
    empty: 'Nothing is known yet.',
  };
}
