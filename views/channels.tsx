import type { FC } from 'hono/jsx';
import { type Chrome, Layout } from './layout.js';
import type { State } from './state.js';
import { type Moment, Time } from './time.js';

export interface ChannelCardProps {
  readonly id: string;
  readonly name: string;
  /** Kind, where it leads and what it is notified of. */
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
const ChannelCard: FC<ChannelCardProps> = (card) => (
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

export interface MessageProps {
  readonly id: string;
  readonly title: string;
  readonly channel: string;
  readonly begun: Moment;
  /** How often it was tried, and what comes next. */
  readonly tries: string;
  readonly problem: string;
  /** null: this role may not, or it waits by itself. */
  readonly resendAction: string | null;
  readonly removeAction: string | null;
}

/** Messages that wait or were given up. */
const MessageList: FC<{ readonly messages: readonly MessageProps[]; readonly more: string }> = ({
  messages,
  more,
}) => (
  <>
    <ol class="channels">
      {messages.map((message) => (
        <li class="channel" id={`${message.id}-item`}>
          <article aria-labelledby={message.id}>
            <h3 id={message.id}>{message.title}</h3>
            <p class="muted">
              to {message.channel} · since <Time {...message.begun} /> · {message.tries}
            </p>
            {message.problem ? <p>{message.problem}</p> : null}
            {message.resendAction && message.removeAction ? (
              <div class="channel-buttons">
                <Act action={message.resendAction} label="Send again" about={message.title} />
                <Act action={message.removeAction} label="Delete" about={message.title} />
              </div>
            ) : null}
          </article>
        </li>
      ))}
    </ol>
    {more ? <p class="muted">{more}</p> : null}
  </>
);

const Act: FC<{ readonly action: string; readonly label: string; readonly about: string }> = ({
  action,
  label,
  about,
}) => (
  <form method="post" action={action}>
    <button type="submit" class="small-button" aria-label={`${label}: ${about}`}>
      {label}
    </button>
  </form>
);

export interface HeartbeatProps {
  readonly state: State;
  readonly stateWord: string;
  readonly text: string;
  readonly lastBeat: Moment | null;
}

export interface ChannelsProps {
  /** What came of the test that was just asked for; null: none was. */
  readonly tested: { readonly state: State; readonly text: string } | null;
  /** What is wrong with the console itself. */
  readonly problems: readonly string[];
  readonly channels: readonly ChannelCardProps[];
  readonly heartbeat: HeartbeatProps;
  readonly waiting: { readonly messages: readonly MessageProps[]; readonly more: string };
  readonly dead: { readonly messages: readonly MessageProps[]; readonly more: string };
}

export const ChannelsPage: FC<{ readonly chrome: Chrome; readonly view: ChannelsProps }> = ({
  chrome,
  view,
}) => (
  <Layout chrome={chrome}>
    <h1>Channels</h1>
    <ChannelsSection {...view} />
  </Layout>
);

/** Who is notified of trouble, whether it arrives, and who notices when the console itself is gone. */
const ChannelsSection: FC<ChannelsProps> = (view) => (
  <>
    {view.tested ? (
      <p class={`channel-note state-${view.tested.state}`} role="status">
        {view.tested.text}
      </p>
    ) : null}
    <OwnProblems problems={view.problems} />
    <section class="channels-part" aria-labelledby="notified-title">
      <h2 id="notified-title" class="visually-hidden">
        All channels
      </h2>
      {view.channels.length === 0 ? (
        <p>
          <strong>No channel configured: nobody is notified.</strong> Add some under{' '}
          <code>alerts.channels</code> in the file that <code>--config</code> names.
        </p>
      ) : (
        <ul class="channels">
          {view.channels.map((channel) => (
            <ChannelCard {...channel} />
          ))}
        </ul>
      )}
    </section>
    <section class="channels-part" aria-labelledby="heartbeat-title">
      <h2 id="heartbeat-title">Heartbeat</h2>
      <Heartbeat {...view.heartbeat} />
    </section>
    <section class="channels-part" aria-labelledby="dead-title">
      <h2 id="dead-title">Failed deliveries</h2>
      <Messages id="messages-dead" {...view.dead} />
    </section>
    <section class="channels-part" aria-labelledby="waiting-title">
      <h2 id="waiting-title">Queued deliveries</h2>
      <Messages id="messages-waiting" {...view.waiting} />
    </section>
  </>
);

/** What is wrong with the console itself. */
export const OwnProblems: FC<Pick<ChannelsProps, 'problems'>> = ({ problems }) => (
  <div id="own-problems">
    {problems.map((problem) => (
      <p class="channel-note state-warning">
        <span class="state-word">Console:</span> {problem}
      </p>
    ))}
  </div>
);

export const Heartbeat: FC<HeartbeatProps> = (heartbeat) => (
  <p id="heartbeat" class={`state-${heartbeat.state}`}>
    <span class="state-word">{heartbeat.stateWord}</span> {heartbeat.text}
    {heartbeat.lastBeat ? (
      <>
        {' '}
        Last beat <Time {...heartbeat.lastBeat} />.
      </>
    ) : null}
  </p>
);

const NONE = {
  'messages-dead': 'None failed.',
  'messages-waiting': 'None queued.',
} as const;

export const Messages: FC<ChannelsProps['dead'] & { readonly id: keyof typeof NONE }> = ({ id, ...list }) => (
  <div id={id}>
    {list.messages.length === 0 ? <p class="muted">{NONE[id]}</p> : <MessageList {...list} />}
  </div>
);
