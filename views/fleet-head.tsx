import type { FC } from 'hono/jsx';
import { formatThings } from '../server/model/format.js';
import type { Snapshot } from '../server/model/snapshot.js';
import { plainName } from '../server/model/words.js';
import { byTrouble, type Override, type WorkerState } from '../server/model/worker.js';
import { Icon } from './icon.js';
import { moment } from './words.js';
import { orderInWords, slotsInWords, verdictsInWords, workerWordsOf } from './worker-words.js';

export interface FleetHeadProps {
  readonly id: string;
  readonly workers: readonly WorkerState[];
  /** Where they are: whether their agents are heard is said of these. */
  readonly snapshots: readonly Snapshot[];
  readonly nowMs: number;
  /** Kept for a queue, or for workers of it that have settings of their own. */
  readonly orders?: readonly Override[];
  /** What can be done with all of them at once. */
  readonly actions?: readonly { readonly label: string; readonly href: string }[];
}

const MAX_ORDERS = 20;
/** Nothing is said in their favour where nobody is there. */
const NOBODY = { state: 'info', icon: 'info' } as const;

/** What the workers come down to, and what can be done with all of them at once. */
export const FleetHead: FC<FleetHeadProps> = ({
  id,
  workers,
  snapshots,
  nowMs,
  orders = [],
  actions = [],
}) => {
  const [worst] = [...workers].sort(byTrouble);
  const { state, icon } = worst ? workerWordsOf(worst) : NOBODY;
  const slots = slotsInWords(workers);
  const deaf = snapshots.filter(
    ({ hearing, link }) => hearing.status !== 'hearing' && link.status === 'live',
  );
  const outside = workers.filter(({ agent }) => agent === null).length;
  return (
    <div id={id} class="fleet-head">
      {deaf.map(({ instance, hearing }) => (
        <p class="fleet-deaf state-warning" role="status">
          <span class="state-icon">
            <Icon name="blind" />
          </span>{' '}
          Agents on Redis {instance} can’t be heard since{' '}
          {moment(hearing.lastHeardAtMs ?? hearing.sinceMs, nowMs).text}
          {hearing.problem ? ` (${hearing.problem})` : ''}: what workers say below is from then.
        </p>
      ))}
      <p class={`fleet-summary state-${state}`}>
        <span class="state-icon">
          <Icon name={icon} />
        </span>{' '}
        <strong>{verdictsInWords(workers)}</strong>
        {slots === '' ? null : <span class="muted fleet-slots">{slots}</span>}
      </p>
      {orders.length > 0 ? (
        <ul class="fleet-orders">
          {orders.slice(0, MAX_ORDERS).map((order) => (
            <li>
              {order.scope === '*' ? 'All workers' : plainName(order.scope)}: {orderInWords(order, nowMs)}
            </li>
          ))}
        </ul>
      ) : null}
      {actions.length > 0 ? (
        <p class="action-row">
          {actions.map((action) => (
            <a class="button" href={action.href} data-drawer="">
              {action.label}
            </a>
          ))}
        </p>
      ) : null}
      {outside > 0 ? (
        <p class="hint">
          {formatThings(outside, 'worker')} {outside === 1 ? 'has' : 'have'} no agent: no slots, run times or
          errors. Add to the worker: <code>attach(worker)</code> from <code>spillway-agent</code>.
        </p>
      ) : null}
    </div>
  );
};
