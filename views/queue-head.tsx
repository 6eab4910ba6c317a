import type { FC } from 'hono/jsx';
import { formatCount, formatDuration } from '../server/model/format.js';
import { whyReadOnly } from '../server/model/queue-kind.js';
import { slotsOf, waitedSeconds } from '../server/model/queue-verdict.js';
import type { QueueState, Snapshot, UnreadQueue } from '../server/model/snapshot.js';
import { plainName } from '../server/model/words.js';
import { FlowDrawing, type FlowProps } from './drawn/flow.js';
import { Icon } from './icon.js';
import { actionPath, queueTabPath } from './links.js';
import { drainInWords, type FoundAbout, flowAction, NOT_KNOWN, verdictWordsOf } from './queue-words.js';
import { type Fact, Facts } from './state.js';
import { moment, UNKNOWN } from './words.js';

export interface QueueHeadProps {
  readonly queue: QueueState;
  readonly snapshot: Snapshot;
  /** The worst that is found about it; null: nothing. */
  readonly problem: FoundAbout | null;
  /** It can't be read now, and all is as it was then; null: it is read. */
  readonly unread: UnreadQueue | null;
  readonly canAct: boolean;
}

/** The top of a queue's page: what it is, five numbers, how jobs go through it, and what can be done. */
export const QueueHead: FC<QueueHeadProps> = ({ queue, snapshot, problem, unread, canAct }) => {
  const words = unread ? { ...NOT_KNOWN } : verdictWordsOf(queue, problem);
  const note = noteOf(queue, unread, snapshot.atMs);
  return (
    <section
      id="queue-head"
      class={`panel queue-head state-${words.state}`}
      aria-label={`Queue ${queue.name}`}
    >
      <h1 class="queue-title">
        <bdi>{queue.name}</bdi>{' '}
        <span class="muted">
          {plainName(queue.prefix)} · {snapshot.instance}
        </span>
      </h1>
      <p class={`queue-verdict state-word state-${words.state}`}>
        <Icon name={words.icon} /> {words.word}
      </p>
      {note === '' ? null : <p>{note}</p>}
      <Facts facts={factsOf(queue, snapshot)} />
      <FlowDrawing {...flowOf(queue, words.state)} />
      {canAct ? <Actions queue={queue} instance={snapshot.instance} /> : null}
    </section>
  );
};

/** Why it is not known, who stopped it and when; or that the application set a concurrency over the console's pause. */
function noteOf(queue: QueueState, unread: UnreadQueue | null, nowMs: number): string {
  if (unread)
    return `It can not be read: ${unread.problem}. All numbers here are of ${moment(unread.sinceMs, nowMs).text}.`;
  const other = whyReadOnly(queue);
  if (other !== null)
    return `This is ${other}.${queue.groups === null ? '' : ` Groups with jobs: ${formatCount(queue.groups)}.`}`;
  if (queue.flow === 'paused')
    return 'Its application paused it: BullMQ’s own pause, not this console’s pause.';
  if (!queue.pause) return '';
  const when = moment(queue.pause.atMs, nowMs).text;
  if (queue.flow === 'paused-by-spillway')
    return `${queue.pause.actor} paused it from the console at ${when}.`;
  return `${queue.pause.actor} paused it at ${when}, but a concurrency was set over that since: jobs start again.`;
}

function factsOf(queue: QueueState, snapshot: Snapshot): readonly Fact[] {
  const oldest = waitedSeconds(queue, snapshot);
  const { busy, all } = slotsOf(queue, snapshot);
  return [
    { label: 'Waiting', signal: 'queue_backlog_jobs', value: formatCount(queue.backlog) },
    {
      label: 'Oldest waiting',
      signal: 'queue_oldest_waiting_seconds',
      value: oldest === null ? UNKNOWN : formatDuration(oldest),
    },
    { label: 'Drains in', signal: 'queue_drain_seconds', value: drainInWords(queue) },
    {
      label: 'Slots busy',
      signal: 'queue_worker_slots_busy',
      value: all === null ? formatCount(busy) : `${formatCount(busy)} of ${formatCount(all)}`,
    },
    {
      label: 'Workers',
      signal: 'queue_workers',
      value: queue.workers === null ? UNKNOWN : formatCount(queue.workers),
    },
  ];
}

/** More that fails than this is where it piles up. */
const FAILING_RATIO = 0.3;

function flowOf(queue: QueueState, state: string): FlowProps {
  const { counts, rates, types } = queue;
  // Of types whose runs are seen; what leaves is counted for the whole queue.
  const known = types.flatMap(({ failedPerSecond }) => failedPerSecond ?? []);
  const out = rates?.departuresPerSecond ?? null;
  const failed =
    known.length === 0 || out === null
      ? null
      : Math.min(
          out,
          known.reduce((sum, perSecond) => sum + perSecond, 0),
        );
  const bad = state === 'critical' || state === 'warning' ? state : null;
  const isFailing = failed !== null && out !== null && out > 0 && failed / out > FAILING_RATIO;
  return {
    title: `Flow of ${queue.name}`,
    counts: {
      waiting: queue.backlog,
      active: counts.active,
      completed: counts.completed,
      failed: counts.failed,
      delayed: counts.delayed,
    },
    rates: {
      added: rates?.arrivalsPerSecond ?? null,
      completed: out === null || failed === null ? out : out - failed,
      failed,
    },
    pile:
      bad === null
        ? null
        : isFailing
          ? { at: 'failed', state: bad }
          : queue.backlog > 0
            ? { at: 'waiting', state: bad }
            : null,
  };
}

/** What is done most; the rest behind a menu. */
const Actions: FC<{ readonly queue: QueueState; readonly instance: string }> = ({ queue, instance }) => {
  const link = (action: string, args: Readonly<Record<string, unknown>> = {}): string =>
    actionPath({ action, instance, queues: [queue.id], args });
  const first = [
    flowAction(queue, instance),
    { label: 'Concurrency', href: link('queue.concurrency') },
    { label: 'Rate limit', href: link('queue.rate-limit') },
  ];
  const rest = [
    { label: 'Trim events', href: link('queue.trim-events') },
    { label: 'Clean completed', href: link('queue.clean-finished', { state: 'completed' }) },
    { label: 'Clean failed', href: link('queue.clean-finished', { state: 'failed' }) },
  ];
  return (
    <div class="action-row">
      {first.map(({ label, href }) => (
        <a class="button" href={href} data-drawer="">
          {label}
        </a>
      ))}
      <details class="more-actions">
        <summary class="button">More</summary>
        <div class="action-row">
          {rest.map(({ label, href }) => (
            <a class="button" href={href} data-drawer="">
              {label}
            </a>
          ))}
          <a class="button" href={`${queueTabPath(instance, queue.id, 'settings')}#canary`}>
            Send canary job
          </a>
        </div>
      </details>
    </div>
  );
};
