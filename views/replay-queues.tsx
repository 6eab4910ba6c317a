import type { FC } from 'hono/jsx';
import { formatCount, formatRate, formatRateLimit } from '../server/model/format.js';
import type { ReplayQueueView } from '../server/model/replay.js';
import { includesRole, type Role } from '../server/model/role.js';
import { plainName } from '../server/model/words.js';
import { Icon } from './icon.js';
import { actionPath, queuePath } from './links.js';

const MAX_ROWS = 50;

const FLOWS = {
  running: { state: 'calm', icon: 'flowing', word: 'running' },
  'paused-by-spillway': { state: 'warning', icon: 'paused-by-spillway', word: 'paused by Spillway' },
  paused: { state: 'info', icon: 'paused', word: 'paused by the application' },
} as const;

/** Queues of a replay service of the users' own, with the actions of each. A live part. */
export const ReplayQueueList: FC<{ readonly queues: readonly ReplayQueueView[]; readonly role: Role }> = ({
  queues,
  role,
}) => (
  <section id="replay-queue-list" class={queues.length === 0 ? 'replay-queues is-empty' : 'replay-queues'}>
    {queues.length === 0 ? null : (
      <>
        <h2>Replay queues</h2>
        <ul>
          {queues.slice(0, MAX_ROWS).map((queue) => (
            <Row queue={queue} mayAct={includesRole(role, 'operator')} />
          ))}
        </ul>
        {queues.length > MAX_ROWS ? <p class="muted">and {queues.length - MAX_ROWS} more.</p> : null}
      </>
    )}
  </section>
);

const Row: FC<{ readonly queue: ReplayQueueView; readonly mayAct: boolean }> = ({ queue, mayAct }) => {
  const { state, icon, word } = FLOWS[queue.state];
  return (
    <li>
      <p>
        <a href={queuePath(queue.instance, queue.queue)}>{plainName(queue.name)}</a>{' '}
        <span class="muted">{plainName(queue.instance)}</span>{' '}
        <span class={`state-word state-${state}`}>
          <Icon name={icon} /> {word}
        </span>
      </p>
      <p>{flowInWords(queue)}</p>
      {mayAct ? (
        <p class="replay-buttons">
          {queue.state === 'running' ? (
            <ActionLink queue={queue} action="queue.pause" label="Pause" />
          ) : (
            <ActionLink queue={queue} action="queue.resume" label="Resume" />
          )}
          <ActionLink queue={queue} action="queue.rate-limit" label="Rate limit" />
        </p>
      ) : null}
    </li>
  );
};

/** "12/s leave, 1,200 wait, 3 running, at most 50 per second" */
function flowInWords({ perSecond, backlog, active, rateLimit }: ReplayQueueView): string {
  return [
    perSecond === null ? 'rate not known yet' : `${formatRate(perSecond)} leave`,
    `${formatCount(backlog)} wait`,
    `${formatCount(active)} running`,
    rateLimit === null
      ? 'no global rate limit'
      : `at most ${formatRateLimit(rateLimit.max, rateLimit.durationMs)}`,
  ].join(', ');
}

const ActionLink: FC<{
  readonly queue: ReplayQueueView;
  readonly action: string;
  readonly label: string;
}> = ({ queue: { instance, queue, name }, action, label }) => (
  <a
    class="button"
    href={actionPath({ action, instance, queues: [queue] })}
    data-drawer=""
    aria-label={`${label}: ${plainName(name)}`}
  >
    {label}
  </a>
);
