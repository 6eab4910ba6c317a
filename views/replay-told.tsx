import type { FC } from 'hono/jsx';
import type { OutcomeStatus } from '../server/model/action.js';
import { formatCount } from '../server/model/format.js';
import type { OrderOutcome } from '../server/model/replay.js';
import { capitalized, plainName } from '../server/model/words.js';
import { Icon, type IconName } from './icon.js';
import { actionPath } from './links.js';
import type { State } from './state.js';

const STATUSES: Readonly<Record<OutcomeStatus, { word: string; state: State; icon: IconName }>> = {
  failed: { word: 'failed', state: 'critical', icon: 'critical' },
  refused: { word: 'refused', state: 'critical', icon: 'critical' },
  unverified: { word: 'not confirmed by all', state: 'warning', icon: 'warning' },
  unchanged: { word: 'was so already', state: 'info', icon: 'info' },
  applied: { word: 'done', state: 'calm', icon: 'calm' },
};
const WORST_FIRST = Object.keys(STATUSES) as readonly OutcomeStatus[];
const MAX_ROWS = 25;
/** More than a glance takes: then only what went wrong is shown at once. */
const GLANCE = 5;

export interface ReplayTold {
  /** "Pause" */
  readonly label: string;
  readonly outcomes: readonly OrderOutcome[];
}

/** What came of an order, for each replay and each replay queue, worst first. */
export const ReplayReceipt: FC<{ readonly told: ReplayTold | null }> = ({ told }) => {
  if (told === null) return null;
  const rows = told.outcomes
    .toSorted((a, b) => WORST_FIRST.indexOf(a.status) - WORST_FIRST.indexOf(b.status))
    .slice(0, MAX_ROWS);
  const counts = WORST_FIRST.flatMap((status) => {
    const count = told.outcomes.filter((outcome) => outcome.status === status).length;
    return count > 0 ? [`${formatCount(count)} ${STATUSES[status].word}`] : [];
  });
  const isGood = rows.every(({ status }) => status === 'applied' || status === 'unchanged');
  const list = (
    <ul>
      {rows.map((outcome) => (
        <Row outcome={outcome} />
      ))}
    </ul>
  );
  return (
    <section class="replay-told" aria-labelledby="replay-told-title">
      <h2 id="replay-told-title" tabindex={-1} autofocus>
        {told.label}: {counts.length > 0 ? counts.join(', ') : 'there was nothing to change'}
      </h2>
      {isGood && rows.length > GLANCE ? (
        <details>
          <summary>Each of them</summary>
          {list}
        </details>
      ) : (
        list
      )}
      {told.outcomes.length > MAX_ROWS ? (
        <p class="muted">
          and {told.outcomes.length - MAX_ROWS} more: see the <a href="/audit">audit log</a>.
        </p>
      ) : null}
    </section>
  );
};

const Row: FC<{ readonly outcome: OrderOutcome }> = ({ outcome }) => {
  const { status, instance, queues, replay, warnings, undo } = outcome;
  const { word, state, icon } = STATUSES[status];
  const names = queues.slice(0, 3).map(plainName).join(', ');
  const name = replay === null ? names : `Replay of ${names}`;
  return (
    <li>
      <span class={`state-word state-${state}`}>
        <Icon name={icon} /> {word}
      </span>{' '}
      <strong>{name}</strong>: {capitalized(outcome.summary)}{' '}
      {warnings.map((warning) => (
        <span class="muted">{warning} </span>
      ))}
      {undo && status !== 'unchanged' ? (
        <a
          href={actionPath({
            action: undo.action,
            instance,
            queues: undo.queues,
            args: undo.args,
            why: 'undo',
          })}
          data-drawer=""
          aria-label={`Undo: ${name}`}
        >
          Undo
        </a>
      ) : null}
    </li>
  );
};
