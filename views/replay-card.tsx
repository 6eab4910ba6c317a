import type { FC } from 'hono/jsx';
import type { State } from './state.js';
import { type Moment, Time } from './time.js';

export interface ReplayCardProps {
  /** For elements. */
  readonly id: string;
  readonly title: string;
  readonly about: string;
  readonly begun: Moment;
  readonly status: ReplayStatusProps;
  readonly buttons: ReplayButtonsProps;
  readonly reportHref: string;
}

export interface ReplayStatusProps {
  readonly id: string;
  readonly state: State;
  readonly stateWord: string;
  readonly reason: string;
  /** Jobs that have had their turn, and of how many. */
  readonly done: number;
  readonly total: number;
  readonly progress: string;
  readonly account: readonly { readonly label: string; readonly value: string }[];
  readonly skipped: readonly string[];
}

export interface ReplayButtonsProps {
  readonly id: string;
  readonly action: string;
  /** Where to be afterwards. */
  readonly back: string;
  /** null: this role may not, or it has ended. */
  readonly orders: readonly { readonly state: string; readonly label: string }[] | null;
  readonly abortHref: string;
  readonly ratePerSecond: string;
}

/** One replay: how far, how fast, why so, and what to do. The parts that change live are elements of their own. */
export const ReplayCard: FC<ReplayCardProps> = (card) => (
  <li class="replay" id={card.id}>
    <article aria-labelledby={`${card.id}-title`}>
      <h2 id={`${card.id}-title`}>{card.title}</h2>
      <p class="muted">
        {card.about} · begun <Time {...card.begun} /> · <a href={card.reportHref}>Report</a>
      </p>
      <ReplayStatus {...card.status} />
      <ReplayButtons {...card.buttons} />
      {card.buttons.orders ? (
        <form method="post" action={card.buttons.action} class="replay-rate">
          <input type="hidden" name="back" value={card.buttons.back} />
          <label>
            Jobs a second at most{' '}
            <input
              type="number"
              name="ratePerSecond"
              min="0.1"
              max="20000"
              step="any"
              required
              value={card.buttons.ratePerSecond}
            />
          </label>
          <button type="submit" class="small-button">
            Set
          </button>
        </form>
      ) : null}
    </article>
  </li>
);

export const ReplayStatus: FC<ReplayStatusProps> = (status) => (
  <div id={status.id}>
    <p>
      <span class={`state-word state-${status.state}`}>{status.stateWord}</span> {status.reason}
    </p>
    <progress class="replay-bar" max={Math.max(1, status.total)} value={status.done} aria-label="Progress">
      {status.progress}
    </progress>
    <p class="replay-progress">{status.progress}</p>
    <dl class="chips">
      {status.account.map((piece) => (
        <div class="chip">
          <dt>{piece.label}</dt>
          <dd>{piece.value}</dd>
        </div>
      ))}
    </dl>
    {status.skipped.map((reason) => (
      <p class="muted">{reason}</p>
    ))}
  </div>
);

export const ReplayButtons: FC<ReplayButtonsProps> = ({ id, action, back, orders, abortHref }) => (
  <div id={id} class={orders === null ? 'replay-buttons is-over' : 'replay-buttons'}>
    {(orders ?? []).map((order) => (
      <form method="post" action={action}>
        <input type="hidden" name="back" value={back} />
        <button type="submit" class="small-button" name="state" value={order.state}>
          {order.label}
        </button>
      </form>
    ))}
    {orders === null ? null : (
      <a class="small-button" href={abortHref}>
        Abort…
      </a>
    )}
  </div>
);
