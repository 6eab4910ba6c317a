import type { FC } from 'hono/jsx';
import { ChannelCard, type ChannelCardProps } from './channel-card.js';
import { type Chrome, Layout } from './layout.js';
import { MessageList, type MessageProps } from './message-list.js';
import type { State } from './state.js';
import { type Moment, Time } from './time.js';

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

/** Who is told of trouble, whether it arrives, and who notices when the console itself is gone. */
export const ChannelsSection: FC<ChannelsProps> = (view) => (
  <>
    {view.tested ? (
      <p class={`channel-note state-${view.tested.state}`} role="status">
        {view.tested.text}
      </p>
    ) : null}
    <OwnProblems problems={view.problems} />
    <section class="channels-part" aria-labelledby="told-title">
      <h2 id="told-title" class="visually-hidden">
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
