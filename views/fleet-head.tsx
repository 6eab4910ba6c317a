import type { FC } from 'hono/jsx';
import { Icon, type IconName } from './icon.js';
import type { State } from './state.js';

export interface FleetHeadProps {
  readonly id: string;
  /** "7 healthy, 1 crashed" */
  readonly summary: string;
  /** "Slots: 34 of 120 busy, 60 deployed" */
  readonly slots: string;
  readonly state: State;
  readonly icon: IconName;
  /** Why what is told below may not be so any more; empty while the console hears agents. */
  readonly deaf: string;
  /** Orders that every worker of the queue has, and those that have workers of their own. */
  readonly orders: readonly string[];
  readonly actions: readonly { readonly label: string; readonly href: string }[];
  /** How to attach the agent, where some workers have none. */
  readonly attach: string;
}

/** What the workers come down to, and what can be done with all of them at once. */
export const FleetHead: FC<FleetHeadProps> = (head) => (
  <div id={head.id} class="fleet-head">
    {head.deaf ? (
      <p class="fleet-deaf state-warning" role="status">
        <span class="state-icon">
          <Icon name="blind" />
        </span>{' '}
        {head.deaf}
      </p>
    ) : null}
    <p class={`fleet-summary state-${head.state}`}>
      <span class="state-icon">
        <Icon name={head.icon} />
      </span>{' '}
      <strong>{head.summary}</strong>
      {head.slots === '' ? null : <span class="muted"> · {head.slots}</span>}
    </p>
    {head.orders.length > 0 ? (
      <ul class="fleet-orders">
        {head.orders.map((order) => (
          <li>{order}</li>
        ))}
      </ul>
    ) : null}
    {head.actions.length > 0 ? (
      <p class="action-row">
        {head.actions.map((action) => (
          <a class="button" href={action.href} data-drawer="">
            {action.label}
          </a>
        ))}
      </p>
    ) : null}
    {head.attach ? (
      <p class="hint">
        {head.attach} <code>attach(worker)</code> from <code>spillway/agent</code>.
      </p>
    ) : null}
  </div>
);
