import type { FC } from 'hono/jsx';
import type { State } from './state.js';
import { type Moment, Time } from './time.js';

export interface ChannelCardProps {
  readonly id: string;
  readonly name: string;
  /** Kind, where it leads and what it is told of. */
  readonly about: string;
  readonly state: State;
  readonly stateWord: string;
  readonly lastSuccess: Moment | null;
  readonly lastFailure: { readonly at: Moment; readonly reason: string } | null;
  /** null: this role may not. */
  readonly testAction: string | null;
}

/** How it has been doing: what of a card changes by itself. */
export const ChannelHealthLines: FC<ChannelCardProps> = (card) => (
  <div id={`${card.id}-state`} class="channel-doing">
    <p class={`channel-state state-${card.state}`}>
      <span class="state-word">{card.stateWord}</span>
    </p>
    {card.lastSuccess ? (
      <p>
        Last arrived <Time {...card.lastSuccess} />
      </p>
    ) : null}
    {card.lastFailure ? (
      <p>
        Last failed <Time {...card.lastFailure.at} />: {card.lastFailure.reason}
      </p>
    ) : null}
  </div>
);

/** One channel: where it leads, whether it works, and a button that tries it. */
export const ChannelCard: FC<ChannelCardProps> = (card) => (
  <li class="channel">
    <article aria-labelledby={card.id}>
      <h3 id={card.id}>{card.name}</h3>
      <ChannelHealthLines {...card} />
      <p class="muted channel-about">{card.about}</p>
      {card.testAction ? (
        <form method="post" action={card.testAction}>
          <button type="submit" class="small-button" aria-label={`Send a test to ${card.name}`}>
            Send a test
          </button>
        </form>
      ) : null}
    </article>
  </li>
);
