import type { FC } from 'hono/jsx';
import { Icon, type IconName } from './icon.js';
import type { State } from './state.js';

export interface ReplayQueuesProps {
  readonly rows: readonly ReplayQueueRow[];
  readonly more: number;
}

export interface ReplayQueueRow {
  readonly name: string;
  readonly place: string;
  readonly href: string;
  readonly state: State;
  readonly icon: IconName;
  readonly stateWord: string;
  /** "12/s leave, 1,200 wait, at most 50 per second" */
  readonly text: string;
  /** Empty: this role may not. */
  readonly actions: readonly { readonly label: string; readonly about: string; readonly href: string }[];
}

/** Queues of a replay service of the users' own, with the actions of each. */
export const ReplayQueues: FC<ReplayQueuesProps> = ({ rows, more }) => (
  <section id="replay-queue-list" class={rows.length === 0 ? 'replay-queues is-empty' : 'replay-queues'}>
    {rows.length === 0 ? null : (
      <>
        <h2>Replay queues</h2>
        <ul>
          {rows.map((row) => (
            <li>
              <p>
                <a href={row.href}>{row.name}</a> <span class="muted">{row.place}</span>{' '}
                <span class={`state-word state-${row.state}`}>
                  <Icon name={row.icon} /> {row.stateWord}
                </span>
              </p>
              <p>{row.text}</p>
              {row.actions.length === 0 ? null : (
                <p class="replay-buttons">
                  {row.actions.map((action) => (
                    <a class="button" href={action.href} data-drawer="" aria-label={action.about}>
                      {action.label}
                    </a>
                  ))}
                </p>
              )}
            </li>
          ))}
        </ul>
        {more > 0 ? <p class="muted">and {more} more.</p> : null}
      </>
    )}
  </section>
);
