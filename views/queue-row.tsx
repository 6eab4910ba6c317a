import type { FC } from 'hono/jsx';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatRateLimit,
  formatRatio,
} from '../server/model/format.js';
import { compareTypes, typesOfQueue, typeTroubles } from '../server/model/job-type-order.js';
import { heldBytesOf } from '../server/model/memory-shares.js';
import { KIND_WORDS, whyReadOnly } from '../server/model/queue-kind.js';
import { slotsOf, troubledWorkers, waitedSeconds } from '../server/model/queue-verdict.js';
import type { QueueState, Snapshot, UnreadQueue } from '../server/model/snapshot.js';
import { NumberCell, SettingLink } from './controls.js';
import { FlowBars, GaugeBar } from './drawn/bars.js';
import type { Point, Span } from './drawn/geometry.js';
import { Sparkline } from './drawn/sparkline.js';
import { Icon } from './icon.js';
import { actionPath, encodePart, queuePath, queuePlaceInWords, queueTabPath } from './links.js';
import {
  drainInWords,
  type FoundAbout,
  flowAction,
  NOT_KNOWN,
  troublesInWords,
  verdictWordsOf,
} from './queue-words.js';
import { elementId, rateNumber, UNKNOWN } from './words.js';

/** What a row of the table knows beside the queue itself. */
export interface QueueRowContext {
  readonly snapshot: Snapshot;
  /** The worst that is found about it; null: nothing. */
  readonly problem: FoundAbout | null;
  readonly canAct: boolean;
  readonly hasManyInstances: boolean;
  /** Jobs of it on the console's disk. */
  readonly parked: number;
}

export interface QueueRowProps extends QueueRowContext {
  readonly queue: QueueState | UnreadQueue;
  /** How many waited lately; of one that can't be read none. */
  readonly depths: readonly Point[];
  readonly span: Span;
}

export function queueRowId(instance: string, queueId: string): string {
  return elementId('queue', `${instance}/${queueId}`);
}

/** One queue: what it is, what waits, how it flows, and where a hand may change it. */
export const QueueRow: FC<QueueRowProps> = ({ queue, ...row }) =>
  'counts' in queue ? <KnownRow queue={queue} {...row} /> : <UnreadRow queue={queue} {...row} />;

const KnownRow: FC<QueueRowProps & { readonly queue: QueueState }> = (row) => {
  const { queue, snapshot, depths, span } = row;
  const canAct = row.canAct && whyReadOnly(queue) === null;
  const { instance } = snapshot;
  const words = verdictWordsOf(queue, row.problem);
  const oldest = waitedSeconds(queue, snapshot);
  const flow = flowAction(queue, instance);
  return (
    <tr id={queueRowId(instance, queue.id)} class={`queue state-${words.state}`}>
      <NameCells queue={queue} row={row} failed={queue.counts.failed} />
      <td class="cell-state" data-label="State">
        <span class={`state-word state-${words.state}`} title={words.problem || undefined}>
          <Icon name={words.icon} /> {words.word}
        </span>
        <TypeBadge queue={queue} instance={instance} />
      </td>
      <td class="cell-depth" data-label="Waiting">
        <Sparkline title="Waiting, last 15 min" unit="jobs" points={depths} span={span} />
        <span class="number">{formatCount(queue.backlog)}</span>
      </td>
      <NumberCell label="Oldest">{oldest === null ? UNKNOWN : formatDuration(oldest)}</NumberCell>
      <FlowCell queue={queue} />
      <NumberCell label="Drains in">{drainInWords(queue)}</NumberCell>
      <MemoryCell queue={queue} snapshot={snapshot} />
      <SlotsCell queue={queue} snapshot={snapshot} canAct={canAct} />
      {row.canAct ? (
        <td class="cell-flow">
          {canAct ? (
            <a
              class="small-button"
              href={flow.href}
              data-drawer=""
              aria-label={`${flow.label} ${queue.name}`}
            >
              {flow.label}
            </a>
          ) : (
            <span class="place" title={`This is ${whyReadOnly(queue)}.`}>
              counted only
            </span>
          )}
        </td>
      ) : null}
    </tr>
  );
};

/** A queue of which nothing is known now: what waited when it was last read, and no number that would pass for one of now. */
const UnreadRow: FC<QueueRowContext & { readonly queue: UnreadQueue }> = ({ queue, ...row }) => {
  const { instance } = row.snapshot;
  const state = row.problem?.severity ?? NOT_KNOWN.state;
  return (
    <tr id={queueRowId(instance, queue.id)} class={`queue state-${state}`}>
      <NameCells queue={queue} row={row} failed={0} />
      <td class="cell-state" data-label="State">
        <span class={`state-word state-${state}`} title={queue.problem}>
          <Icon name={NOT_KNOWN.icon} /> {NOT_KNOWN.word}
        </span>
      </td>
      <td class="cell-depth" data-label="Waiting">
        <span class="number">{queue.last ? `was ${formatCount(queue.last.backlog)}` : UNKNOWN}</span>
      </td>
      {['Oldest', 'In / out', 'Drains in', 'Memory', 'Slots'].map((label) => (
        <td class="number" data-label={label}>
          {UNKNOWN}
        </td>
      ))}
      {row.canAct ? <td class="cell-flow"></td> : null}
    </tr>
  );
};

const NameCells: FC<{
  readonly queue: Pick<QueueState, 'id' | 'name' | 'prefix'> & Partial<Pick<QueueState, 'kind'>>;
  readonly row: QueueRowContext;
  readonly failed: number;
}> = ({ queue, row, failed }) => {
  const { instance } = row.snapshot;
  const place = queuePlaceInWords(queue, instance, row.hasManyInstances);
  const notes = [
    place,
    queue.kind === undefined || queue.kind === 'bullmq' ? null : KIND_WORDS[queue.kind],
    failed > 0 ? `${formatCount(failed)} failed` : null,
    row.parked > 0 ? `${formatCount(row.parked)} parked` : null,
  ].filter((note) => note !== null);
  return (
    <>
      {row.canAct ? (
        <td class="cell-check">
          <label class="check">
            <input
              type="checkbox"
              name="on"
              value={`${instance}/${encodePart(queue.id)}`}
              aria-label={`Select ${queue.name}`}
            />
          </label>
        </td>
      ) : null}
      <th scope="row" class="cell-name">
        <a href={queuePath(instance, queue.id)} title={queue.id}>
          {queue.name}
        </a>
        {notes.length > 0 ? (
          <span class="place" title={notes.join(' · ')}>
            {notes.join(' · ')}
          </span>
        ) : null}
      </th>
    </>
  );
};

/** How many of its job types are in trouble. */
const TypeBadge: FC<{ readonly queue: QueueState; readonly instance: string }> = ({ queue, instance }) => {
  const troubled = typesOfQueue(queue)
    .toSorted(compareTypes('slow'))
    .flatMap(({ type }) => {
      const [worst] = typeTroubles(type);
      return worst === undefined ? [] : { name: type.name, worst };
    });
  if (troubled.length === 0) return null;
  const text = troublesInWords(troubled);
  return (
    <a class="type-badge" href={queueTabPath(instance, queue.id, 'types')} title={text} aria-label={text}>
      <Icon name="rate-limited" /> {formatCount(troubled.length)}
      <span class="type-badge-words"> in trouble</span>
    </a>
  );
};

/** What comes in above what goes out, each with its bar. */
const FlowCell: FC<{ readonly queue: QueueState }> = ({ queue: { rates } }) => (
  <td class="number cell-rates" data-label="In / out">
    <FlowBars
      inPerSecond={rates?.arrivalsPerSecond ?? null}
      outPerSecond={rates?.departuresPerSecond ?? null}
    />
    <span class="rates">
      <span class="in">{rateNumber(rates?.arrivalsPerSecond)}</span>
      <span class="out">{rateNumber(rates?.departuresPerSecond)}</span>
    </span>
  </td>
);

const MemoryCell: FC<{ readonly queue: QueueState; readonly snapshot: Snapshot }> = ({
  queue: { memory },
  snapshot,
}) => {
  const used = heldBytesOf(snapshot.nodes);
  const share = memory && used > 0 ? Math.round((memory.totalBytes / used) * 100) / 100 : null;
  return (
    <td class="number cell-memory" data-label="Memory">
      <span class="bytes">{memory ? formatBytes(memory.totalBytes) : UNKNOWN}</span>{' '}
      <span class="share">{share === null ? '' : formatRatio(share)}</span>
    </td>
  );
};

/** Busy of all slots, which of its workers are in trouble, and its limits over all of them. */
const SlotsCell: FC<{
  readonly queue: QueueState;
  readonly snapshot: Snapshot;
  readonly canAct: boolean;
}> = ({ queue, snapshot, canAct }) => {
  const { busy, all } = slotsOf(queue, snapshot);
  const { troubled, known } = troubledWorkers(queue, snapshot);
  const workers =
    known === null ? UNKNOWN : troubled > 0 ? `${known - troubled} of ${known}` : formatCount(known);
  return (
    <td class="number cell-slots" data-label="Slots">
      <GaugeBar title="slots busy" used={busy} of={all} />
      <span class="slots">
        <span>
          {all === null ? `${formatCount(busy)} busy` : `${formatCount(busy)} of ${formatCount(all)}`}
        </span>
        <span class={troubled > 0 ? 'workers is-troubled' : 'workers'} title="Workers that are well, of all">
          {workers} {known === 1 ? 'worker' : 'workers'}
        </span>
      </span>
      <Limits queue={queue} instance={snapshot.instance} canAct={canAct} />
    </td>
  );
};

/** What may run at once over all workers, and how many a second may start where that is limited. */
const Limits: FC<{ readonly queue: QueueState; readonly instance: string; readonly canAct: boolean }> = ({
  queue,
  instance,
  canAct,
}) => {
  const { rateLimit } = queue;
  const link = (action: string): string | null =>
    canAct ? actionPath({ action, instance, queues: [queue.id] }) : null;
  // While paused the setting that comes back is what a person wants to see.
  const most =
    queue.flow === 'paused-by-spillway' ? (queue.pause?.formerConcurrency ?? null) : queue.concurrency;
  const rate = rateLimit === null ? '' : formatRateLimit(rateLimit.max, rateLimit.durationMs);
  return (
    <span class="limits">
      <SettingLink
        value={most === null ? 'any' : `≤ ${formatCount(most)}`}
        label={`Change how many jobs of ${queue.name} run at once, now ${most ?? 'any number'}`}
        href={link('queue.concurrency')}
      />
      {rateLimit === null ? null : (
        <SettingLink
          value={`≤ ${rate.replace(' per second', '/s').replace(' per ', '/')}`}
          label={`Change the rate limit of ${queue.name}, now ${rate}`}
          href={link('queue.rate-limit')}
        />
      )}
    </span>
  );
};
