import type { FC } from 'hono/jsx';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatEstimate,
  formatJobs,
} from '../server/model/format.js';
import type { QueueMemory } from '../server/model/memory.js';
import { includesRole, type Role } from '../server/model/role.js';
import type { QueueState, Snapshot } from '../server/model/snapshot.js';
import { plainName, queueName } from '../server/model/words.js';
import { ShareBar, toneOf } from './drawn/bars.js';
import { HoldingTable } from './holding.js';
import { countPath } from './links.js';
import { HELD_STATE_WORDS, MEMORY_KIND_WORDS } from './memory-words.js';
import { coarseAge, moment } from './words.js';

export interface QueueMemoryProps {
  readonly queue: QueueState;
  readonly snapshot: Snapshot;
  readonly role: Role;
  readonly nowMs: number;
  /** Why it was refused to count it just now. */
  readonly notice?: string | null;
}

/** What one queue holds, and how to know it exactly. */
export const QueueMemorySection: FC<QueueMemoryProps> = (props) => {
  const { queue, nowMs } = props;
  const { memory } = queue;
  return (
    <section class="panel holders" id="queue-memory" aria-labelledby="queue-memory-title">
      <div class="queue-memory-head">
        <h2 id="queue-memory-title">Memory</h2>
        <p>{memory ? headlineOf(queue, memory, nowMs) : 'Not sampled yet.'}</p>
      </div>
      {memory && memory.totalBytes >= 1 ? <StateBar {...memory} /> : null}
      <ExactCount {...props} />
      {memory ? <Tables {...memory} /> : null}
    </section>
  );
};

/** "21 MB ± 0.4 MB, by 900 sampled jobs" */
function headlineOf(queue: QueueState, memory: QueueMemory, nowMs: number): string {
  const held = formatEstimate({ bytes: memory.totalBytes, errorBytes: memory.errorBytes });
  if (memory.source !== 'count') return `${held}, by ${formatCount(memory.sampledJobs)} sampled jobs`;
  const ended = queue.count?.endedAtMs ?? null;
  const changed = memory.errorBytes > 0 ? '; jobs have come or gone since' : '';
  return `${held}, counted${ended === null ? '' : ` ${coarseAge((nowMs - ended) / 1000, 10)} ago`}${changed}`;
}

function largestFirst({ states }: QueueMemory) {
  return states.toSorted((a, b) => b.bytes - a.bytes);
}

const StateBar: FC<QueueMemory> = (memory) => {
  const beside = memory.totalBytes - memory.states.reduce((sum, { bytes }) => sum + bytes, 0);
  const states = largestFirst(memory).map(({ state, bytes }, i) => ({
    label: HELD_STATE_WORDS[state] ?? state,
    value: bytes,
    tone: toneOf(i),
  }));
  return (
    <ShareBar
      title="By state"
      unit="bytes"
      parts={[...states, { label: 'Beside jobs', value: beside, tone: 'rest' }]}
      total={memory.totalBytes}
    />
  );
};

const MAX_TYPES = 12;

const Tables: FC<QueueMemory> = (memory) => {
  const shares = { shareOf: 'Of what the queue holds', ofBytes: memory.totalBytes };
  const types = memory.types.slice(0, MAX_TYPES).map((type) => ({
    name: plainName(type.type),
    held: type,
    note: `${formatBytes(type.bytesPerJob)} each`,
  }));
  const others = memory.types.slice(MAX_TYPES);
  const othersBytes = others.reduce((sum, { bytes }) => sum + bytes, 0);
  const rest = {
    name: `${formatCount(others.length)} other types`,
    held: { bytes: othersBytes, errorBytes: 0 },
  };
  return (
    <div class="holding-tables">
      <HoldingTable
        id="queue-memory-states"
        title="By state"
        heading="State"
        {...shares}
        rows={largestFirst(memory).map((state, i) => ({
          name: HELD_STATE_WORDS[state.state] ?? state.state,
          held: state,
          tone: toneOf(i),
          note: formatJobs(state.jobs),
        }))}
        empty="It holds no jobs."
      />
      <HoldingTable
        id="queue-memory-types"
        title="By job type"
        heading="Type"
        {...shares}
        rows={others.length > 0 ? [...types, rest] : types}
        empty="It holds no jobs."
      />
      <HoldingTable
        id="queue-memory-kinds"
        title="By kind of data"
        heading="Kind"
        {...shares}
        rows={memory.kinds.map((kind) => ({ name: MEMORY_KIND_WORDS[kind.kind], held: kind }))}
        empty="It holds nothing."
      />
    </div>
  );
};

/** Started and stopped from here, but for one queue at a time, and by those who may. */
const ExactCount: FC<QueueMemoryProps> = ({ queue, snapshot, role, notice = null }) => {
  const { count } = queue;
  const isRunning = count?.state === 'running';
  const other = snapshot.queues.find(({ id, count: its }) => id !== queue.id && its?.state === 'running');
  const mayCount =
    includesRole(role, 'operator') && !other && snapshot.capabilities?.canMeasureMemory !== false;
  const path = `${countPath(snapshot.instance, queue.id)}${isRunning ? '/stop' : ''}`;
  const problem = notice ?? count?.problem ?? '';
  return (
    <div class="queue-count">
      {mayCount ? (
        <form method="post" action={path} hx-post={path} hx-target="#queue-memory" hx-swap="outerMorph">
          <button type="submit" class="button">
            {isRunning ? 'Stop counting' : 'Count exactly'}
          </button>
        </form>
      ) : null}
      {isRunning ? (
        <progress
          max={String(Math.max(1, count.totalJobs))}
          value={String(count.countedJobs)}
          aria-label="Jobs that are counted"
        ></progress>
      ) : null}
      <p class="queue-count-text">{countInWords(queue, other ?? null)}</p>
      {problem === '' ? null : <p class="queue-count-problem">{problem}</p>}
    </div>
  );
};

/** "1,204 of 8,000 jobs counted, about 40 s left" */
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
