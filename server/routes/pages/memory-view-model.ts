import { toneOf } from '../../../views/drawn/bars.js';
import type { HoldingRow, HoldingTableProps } from '../../../views/holding.js';
import { memoryPath, queuePath } from '../../../views/links.js';
import type { HoldersProps } from '../../../views/memory-page.js';
import { KIND_WORDS } from '../../../views/memory-words.js';
import { formatBytes, formatThings } from '../../model/format.js';
import { foldRest, type MemoryShares, memorySharesOf, type QueueShare } from '../../model/memory-shares.js';
import type { Snapshot } from '../../model/snapshot.js';
import { plainName, queueName } from '../../model/words.js';

/** Queues and types that are told one by one: the page of all of it, and the short form on another page. */
const FULL = { queues: 12, types: 4 };
const SHORT = { queues: 5, types: 1 };

/** Who holds the memory of one Redis. */
export function holdersOf(snapshot: Snapshot, length: 'full' | 'short'): HoldersProps {
  const shares = memorySharesOf(snapshot);
  const most = length === 'full' ? FULL : SHORT;
  const tables = [queueTable(shares, snapshot, most), kindTable(shares)];
  return {
    bar: shares.heldBytes >= 1 && shares.byQueue.length > 0 ? { shares, snapshot, by: 'types' } : null,
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

function queueTable(
  shares: MemoryShares,
  snapshot: Snapshot,
  most: { readonly queues: number; readonly types: number },
): HoldingTableProps {
  const { told, rest } = foldRest(shares.byQueue, most.queues, shares.heldBytes);
  const rows = told.flatMap((share, i) => queueRows(share, i, snapshot, most.types));
  if (rest) rows.push({ name: formatThings(rest.entries, 'other queue'), held: rest, tone: 'rest' });
  return {
    id: 'memory-by-queue',
    title: 'By queue and job type',
    heading: 'Queue, job type',
    shareOf: 'Of what counts against the limit',
    ofBytes: shares.heldBytes,
    rows,
    empty: 'No queue holds anything yet.',
  };
}

function queueRows(
  { queue, memory, ...share }: QueueShare,
  index: number,
  snapshot: Snapshot,
  mostTypes: number,
): readonly HoldingRow[] {
  // Of what holds next to nothing the types matter to nobody here; the queue's own page has them.
  const types = (share.shareRatio ?? 0) >= 0.01 ? memory.types.slice(0, mostTypes) : [];
  return [
    {
      name: queueName(queue),
      held: share,
      tone: toneOf(index),
      href: queuePath(snapshot.instance, queue.id),
      note: memory.source === 'count' ? 'counted' : '',
    },
    ...types.map((type) => ({
      name: plainName(type.type),
      held: type,
      isPart: true,
      note: `${formatBytes(type.bytesPerJob)} each`,
    })),
    ...(memory.types.length > types.length && types.length > 1
      ? [
          {
            name: formatThings(memory.types.length - types.length, 'other type'),
            held: {
              bytes: memory.types.slice(mostTypes).reduce((sum, { bytes }) => sum + bytes, 0),
              errorBytes: 0,
            },
            isPart: true,
          },
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
    ofBytes: shares.heldBytes,
    rows: shares.byKind.map((kind) => ({ name: KIND_WORDS[kind.kind], held: kind })),
    empty: 'Nothing is known yet.',
  };
}
