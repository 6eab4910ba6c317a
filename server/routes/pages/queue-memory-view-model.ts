import { toneOf } from '../../../views/drawn/bars.js';
import type { HoldingTableProps } from '../../../views/holding.js';
import { countPath } from '../../../views/links.js';
import { HELD_STATE_WORDS, MEMORY_KIND_WORDS } from '../../../views/memory-words.js';
import type { CountProps, QueueMemoryProps } from '../../../views/queue-memory.js';
import { coarseAge, moment } from '../../../views/words.js';
import { formatBytes, formatCount, formatDuration, formatEstimate, formatJobs } from '../../model/format.js';
import type { QueueMemory } from '../../model/memory.js';
import { includesRole, type Role } from '../../model/role.js';
import type { QueueState, Snapshot } from '../../model/snapshot.js';
import { plainName, queueName } from '../../model/words.js';

const MAX_TYPES = 12;

/** What a queue holds. `notice` stands where an action was refused just now. */
export function queueMemoryProps(
  queue: QueueState,
  snapshot: Snapshot,
  role: Role,
  nowMs: number,
  notice: string | null = null,
): QueueMemoryProps {
  const { memory } = queue;
  return {
    bar: memory && memory.totalBytes >= 1 ? barOf(memory) : null,
    headline: memory ? headlineOf(queue, memory, nowMs) : 'Not sampled yet.',
    tables: memory ? tablesOf(memory) : [],
    count: countOf(queue, snapshot, role, notice),
  };
}

function headlineOf(queue: QueueState, memory: QueueMemory, nowMs: number): string {
  const held = formatEstimate({ bytes: memory.totalBytes, errorBytes: memory.errorBytes });
  if (memory.source === 'count') {
    const ended = queue.count?.endedAtMs ?? null;
    const changed = memory.errorBytes > 0 ? '; jobs have come or gone since' : '';
    return `${held}, counted${ended === null ? '' : ` ${coarseAge((nowMs - ended) / 1000, 10)} ago`}${changed}`;
  }
  return `${held}, by ${formatCount(memory.sampledJobs)} sampled jobs`;
}

function barOf(memory: QueueMemory): QueueMemoryProps['bar'] {
  const beside = memory.totalBytes - memory.states.reduce((sum, { bytes }) => sum + bytes, 0);
  const states = [...memory.states].sort((a, b) => b.bytes - a.bytes);
  return {
    title: 'By state',
    unit: 'bytes',
    parts: [
      ...states.map(({ state, bytes }, i) => ({
        label: HELD_STATE_WORDS[state] ?? state,
        value: bytes,
        tone: toneOf(i),
      })),
      { label: 'Beside jobs', value: beside, tone: 'rest' },
    ],
    total: memory.totalBytes,
  };
}

function tablesOf(memory: QueueMemory): readonly HoldingTableProps[] {
  const shares = { shareOf: 'Of what the queue holds', ofBytes: memory.totalBytes };
  const states = [...memory.states].sort((a, b) => b.bytes - a.bytes);
  const types = memory.types.slice(0, MAX_TYPES);
  const others = memory.types.slice(MAX_TYPES);
  return [
    {
      id: 'queue-memory-states',
      title: 'By state',
      heading: 'State',
      ...shares,
      rows: states.map((state, i) => ({
        name: HELD_STATE_WORDS[state.state] ?? state.state,
        held: state,
        tone: toneOf(i),
        note: formatJobs(state.jobs),
      })),
      empty: 'It holds no jobs.',
    },
    {
      id: 'queue-memory-types',
      title: 'By job type',
      heading: 'Type',
      ...shares,
      rows: [
        ...types.map((type) => ({
          name: plainName(type.type),
          held: type,
          note: `${formatBytes(type.bytesPerJob)} each`,
        })),
        ...(others.length > 0
          ? [
              {
                name: `${formatCount(others.length)} other types`,
                held: { bytes: others.reduce((sum, { bytes }) => sum + bytes, 0), errorBytes: 0 },
              },
            ]
          : []),
      ],
      empty: 'It holds no jobs.',
    },
    {
      id: 'queue-memory-kinds',
      title: 'By kind of data',
      heading: 'Kind',
      ...shares,
      rows: memory.kinds.map((kind) => ({ name: MEMORY_KIND_WORDS[kind.kind], held: kind })),
      empty: 'It holds nothing.',
    },
  ];
}

function countOf(queue: QueueState, snapshot: Snapshot, role: Role, notice: string | null): CountProps {
  const { count } = queue;
  const isRunning = count?.state === 'running';
  const other = snapshot.queues.find(({ id, count: its }) => id !== queue.id && its?.state === 'running');
  const isAllowed =
    includesRole(role, 'operator') && !other && snapshot.capabilities?.canMeasureMemory !== false;
  return {
    isRunning,
    countedJobs: count?.countedJobs ?? 0,
    totalJobs: count?.totalJobs ?? 0,
    text: countInWords(queue, other ?? null),
    problem: notice ?? count?.problem ?? '',
    action: isAllowed ? countPath(snapshot.instance, queue.id) : null,
  };
}

function countInWords({ count }: QueueState, other: QueueState | null): string {
  if (other) return `${queueName(other)} is being counted; one queue at a time.`;
  if (!count) return 'Looks at every job once, within the budget of reads; nothing is changed.';
  const counted = `${formatCount(count.countedJobs)} of ${formatJobs(count.totalJobs)}`;
  const ended = count.endedAtMs === null ? '' : ` at ${moment(count.endedAtMs, count.endedAtMs).text}`;
  switch (count.state) {
    case 'running':
      return count.remainingSeconds === null || count.countedJobs === 0
        ? `${counted} counted`
        : `${counted} counted, about ${formatDuration(roughly(count.remainingSeconds))} left`;
    case 'done':
      return `${formatJobs(count.countedJobs)} counted, ended${ended}.`;
    case 'stopped':
      return `Stopped${ended} after ${counted}.`;
    case 'failed':
      return `Failed${ended} after ${counted}.`;
  }
}

/** In steps of 5 s from half a minute on: a guess that changes every second is not read. */
function roughly(seconds: number): number {
  return seconds < 30 ? Math.ceil(seconds) : Math.ceil(seconds / 5) * 5;
}
