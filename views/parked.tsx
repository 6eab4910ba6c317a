import type { FC } from 'hono/jsx';
import { Icon, type IconName } from './icon.js';
import type { State } from './state.js';

export interface ParkedCardProps {
  /** For elements. */
  readonly id: string;
  readonly title: string;
  /** Its queue's page; null: this is it. */
  readonly queueHref: string | null;
  readonly when: string;
  /** By whom and why. */
  readonly why: string;
  readonly state: State;
  readonly icon: IconName;
  readonly stateWord: string;
  /** Why it goes as it goes, rests or waits; empty: nothing to say. */
  readonly reason: string;
  /** Jobs that are back or were there, of how many; null: none of it is to come back yet. */
  readonly progress: { readonly done: number; readonly total: number; readonly text: string } | null;
  readonly account: readonly { readonly label: string; readonly value: string }[];
  readonly controls: ParkedControlsProps | null;
  /** The drawer that brings it back; null: nothing is left, it is under way, or not for this role. */
  readonly restoreHref: string | null;
  /** The form of a replay that takes from it; null: as above. */
  readonly replayHref: string | null;
  /** The export; null: not for this role. */
  readonly exportHref: string | null;
}

/** What can be done to one that is under way. */
export interface ParkedControlsProps {
  readonly action: string;
  /** Where to be afterwards. */
  readonly back: string;
  readonly orders: readonly ParkedOrder[];
  /** As set; empty: as fast as it goes. null: it parks, which has no rate. */
  readonly ratePerSecond: string | null;
  /** What follows if another rate is set. */
  readonly rateDoes: string;
}

export interface ParkedOrder {
  readonly name: 'state' | 'guard';
  readonly value: string;
  readonly label: string;
  /** What follows if it is pressed. */
  readonly does: string;
}

/** No cards: then only the place of the list is there. */
export interface ParkedProps {
  readonly cards: readonly ParkedCardProps[];
  /** Disk taken, of what may be taken. */
  readonly disk: string;
  /** What the last order on this page did; null: there was none. */
  readonly outcome: string | null;
}

/** The list with what was just done to it, which stays while the list goes on. */
export const ParkedPart: FC<ParkedProps> = (parked) => (
  <>
    {parked.outcome === null ? null : (
      <p id="parked-outcome" class="parked-outcome" role="status">
        <Icon name="calm" /> {parked.outcome}
      </p>
    )}
    <Parked {...parked} />
  </>
);

/** What was taken out of Redis to disk, how much of it is back, at which pace and why, and what can be done about it. */
export const Parked: FC<ParkedProps> = ({ cards, disk }) =>
  cards.length === 0 ? (
    <section id="parked" hidden />
  ) : (
    <section id="parked" class="parked" aria-labelledby="parked-title">
      <h2 id="parked-title">Parked jobs</h2>
      <p class="muted">{disk}</p>
      <ol class="replays">
        {cards.map((card) => (
          <ParkedCard {...card} />
        ))}
      </ol>
    </section>
  );

const ParkedCard: FC<ParkedCardProps> = (card) => (
  <li class="replay" id={card.id}>
    <article aria-labelledby={`${card.id}-title`}>
      <h3 id={`${card.id}-title`}>
        {card.queueHref === null ? card.title : <a href={card.queueHref}>{card.title}</a>}
      </h3>
      <p class="muted">
        {card.why} · {card.when}
      </p>
      <p>
        <span class={`state-word state-${card.state}`}>
          <Icon name={card.icon} /> {card.stateWord}
        </span>{' '}
        {card.reason}
      </p>
      {card.progress === null ? null : (
        <>
          <progress
            class="replay-bar"
            max={Math.max(1, card.progress.total)}
            value={card.progress.done}
            aria-label="Brought back"
          >
            {card.progress.text}
          </progress>
          <p class="replay-progress">{card.progress.text}</p>
        </>
      )}
      <dl class="chips">
        {card.account.map((piece) => (
          <div class="chip">
            <dt>{piece.label}</dt>
            <dd>{piece.value}</dd>
          </div>
        ))}
      </dl>
      <p class="parked-links">
        {card.restoreHref === null ? null : (
          <a class="button" href={card.restoreHref} data-drawer="">
            Bring back
          </a>
        )}{' '}
        {card.replayHref === null ? null : <a href={card.replayHref}>Replay some of them</a>}{' '}
        {card.exportHref === null ? null : <a href={card.exportHref}>Export</a>}
      </p>
      {card.controls === null ? null : <Controls id={card.id} {...card.controls} />}
    </article>
  </li>
);

const Controls: FC<ParkedControlsProps & { readonly id: string }> = ({ id, ...controls }) => (
  <ul class="parked-controls" aria-label="What can be done">
    {controls.orders.map((order) => (
      <li>
        <form method="post" action={controls.action}>
          <input type="hidden" name="back" value={controls.back} />
          <button
            type="submit"
            class="small-button"
            name={order.name}
            value={order.value}
            aria-describedby={`${id}-${order.value}`}
          >
            {order.label}
          </button>
          <span id={`${id}-${order.value}`} class="muted">
            {order.does}
          </span>
        </form>
      </li>
    ))}
    {controls.ratePerSecond === null ? null : (
      <li>
        <form method="post" action={controls.action} class="replay-rate">
          <input type="hidden" name="back" value={controls.back} />
          <label>
            Jobs a second at most{' '}
            <input
              type="number"
              id={`${id}-rate`}
              name="ratePerSecond"
              min="0.1"
              max="100000"
              step="any"
              required
              value={controls.ratePerSecond}
            />
          </label>
          <button type="submit" class="small-button" aria-describedby={`${id}-rate-does`}>
            Set
          </button>
          <span id={`${id}-rate-does`} class="muted">
            {controls.rateDoes}
          </span>
        </form>
      </li>
    )}
  </ul>
);
