import type { FC } from 'hono/jsx';
import type { OutcomeStatus } from '../server/model/action.js';
import { formatCount } from '../server/model/format.js';
import type { OrderOutcome } from '../server/model/replay.js';
import { capitalized, plainName } from '../server/model/words.js';
import { STATUS_WORDS } from './action-outcome.js';
import { Icon } from './icon.js';
import { undoPath } from './links.js';

const WORST_FIRST: readonly OutcomeStatus[] = ['failed', 'refused', 'unverified', 'unchanged', 'applied'];
const MAX_ROWS = 25;
/** More than a glance takes: then only what went wrong is shown at once. */
const GLANCE = 5;

export interface ReplayChange {
  /** "Pause" */
  readonly label: string;
  readonly outcomes: readonly OrderOutcome[];
}

/** What came of an order, for each replay and each replay queue, worst first. */
export const ReplayReceipt: FC<{ readonly receipt: ReplayChange | null }> = ({ receipt }) => {
  if (receipt === null) return null;
  const rows = receipt.outcomes
    .toSorted((a, b) => WORST_FIRST.indexOf(a.status) - WORST_FIRST.indexOf(b.status))
    .slice(0, MAX_ROWS);
  const counts = WORST_FIRST.flatMap((status) => {
    const count = receipt.outcomes.filter((outcome) => outcome.status === status).length;
    return count > 0 ? [`${formatCount(count)} ${wordOf(status)}`] : [];
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
    <section class="replay-receipt" aria-labelledby="replay-receipt-title">
      <h2 id="replay-receipt-title" tabindex={-1} autofocus>
        {receipt.label}: {counts.length > 0 ? counts.join(', ') : 'there was nothing to change'}
      </h2>
      {isGood && rows.length > GLANCE ? (
        <details>
          <summary>Each of them</summary>
          {list}
        </details>
      ) : (
        list
      )}
      {receipt.outcomes.length > MAX_ROWS ? (
        <p class="muted">
          and {receipt.outcomes.length - MAX_ROWS} more: see the <a href="/audit">audit log</a>.
        </p>
      ) : null}
    </section>
  );
};

const Row: FC<{ readonly outcome: OrderOutcome }> = ({ outcome }) => {
  const { status, queues, replay, warnings, undo } = outcome;
  const { state, icon } = STATUS_WORDS[status];
  const names = queues.slice(0, 3).map(plainName).join(', ');
  const name = replay === null ? names : `Replay of ${names}`;
  return (
    <li>
      <span class={`state-word state-${state}`}>
        <Icon name={icon} /> {wordOf(status)}
      </span>{' '}
      <strong>{name}</strong>: {capitalized(outcome.summary)}{' '}
      {warnings.map((warning) => (
        <span class="muted">{warning} </span>
      ))}
      {undo && status !== 'unchanged' ? (
        <a href={undoPath(undo)} data-drawer="" aria-label={`Undo: ${name}`}>
          Undo
        </a>
      ) : null}
    </li>
  );
};

function wordOf(status: OutcomeStatus): string {
  return status === 'applied' ? 'done' : STATUS_WORDS[status].word;
}
