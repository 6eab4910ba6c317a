import type { FC } from 'hono/jsx';
import type { ChannelHealth } from '../server/model/console-health.js';
import { formatCount } from '../server/model/format.js';
import { includesRole } from '../server/model/role.js';
import type { AlertReader } from './alert-list.js';
import { type Chrome, Layout } from './layout.js';
import type { State } from './state.js';
import { type Moment, Time } from './time.js';
import { elementId, moment } from './words.js';

export interface ChannelCardProps {
  readonly name: string;
  /** Kind, where it leads and what it is notified of. */
  readonly about: string;
  /** Absent: it was never used. */
  readonly health: ChannelHealth | undefined;
}

/** Where what changes of a channel's card stands. */
export const channelStateId = (name: string): string => `${elementId('channel', name)}-state`;

/** How it has been doing: what of a card changes by itself. */
export const ChannelHealthLines: FC<ChannelCardProps & Pick<AlertReader, 'nowMs'>> = ({
  name,
  health,
  nowMs,
}) => {
  const { lastSuccessAtMs = null, lastFailureAtMs = null, lastError = null } = health ?? {};
  const [state, word] = stateOf(health);
  return (
    <div id={channelStateId(name)} class="channel-doing">
      <p class={`channel-state state-${state}`}>
        <span class="state-word">{word}</span>
      </p>
      {lastSuccessAtMs === null ? null : (
        <p>
          Last arrived <Time {...moment(lastSuccessAtMs, nowMs)} />
        </p>
      )}
      {lastFailureAtMs === null ? null : (
        <p>
          Last failed <Time {...moment(lastFailureAtMs, nowMs)} />: {lastError ?? 'no reason is known'}
        </p>
      )}
    </div>
  );
};

function stateOf(health: ChannelHealth | undefined): readonly [State, string] {
  if (!health) return ['info', 'Never used: send a test'];
  const { failuresInRow } = health;
  if (failuresInRow === 0) return ['calm', 'Works'];
  const times = failuresInRow === 1 ? 'once' : `${formatCount(failuresInRow)} times in a row`;
  return [failuresInRow >= 3 ? 'critical' : 'warning', `Failed ${times}`];
}

/** One channel: where it leads, whether it works, and a button that tries it. */
const ChannelCard: FC<ChannelCardProps & AlertReader> = (card) => {
  const id = elementId('channel', card.name);
  return (
    <li class="channel">
      <article aria-labelledby={id}>
        <h3 id={id}>{card.name}</h3>
        <ChannelHealthLines {...card} />
        <p class="muted channel-about">{card.about}</p>
        {includesRole(card.role, 'admin') ? (
          <Act
            action={`/channels/${encodeURIComponent(card.name)}/test`}
            label="Send a test"
            spoken={`Send a test to ${card.name}`}
          />
        ) : null}
      </article>
    </li>
  );
};

export interface MessageProps {
  /** Number of the message. */
  readonly seq: number;
  readonly title: string;
  readonly channel: string;
  readonly createdAtMs: number;
  /** How often it was tried, and what comes next. */
  readonly tries: string;
  /** null: none is known. */
  readonly lastError: string | null;
}

export interface MessagesProps {
  readonly messages: readonly MessageProps[];
  /** How many there are, of which the newest are listed. */
  readonly total: number;
}

const EMPTY = { dead: 'None failed.', waiting: 'None queued.' } as const;

/** Messages that wait or were given up. */
export const Messages: FC<MessagesProps & AlertReader & { readonly of: keyof typeof EMPTY }> = (list) => (
  <div id={`messages-${list.of}`}>
    {list.messages.length === 0 ? (
      <p class="muted">{EMPTY[list.of]}</p>
    ) : (
      <ol class="channels">
        {list.messages.map(({ seq, title, channel, createdAtMs, tries, lastError }) => (
          <li class="channel" id={`message-${seq}-item`}>
            <article aria-labelledby={`message-${seq}`}>
              <h3 id={`message-${seq}`}>{title}</h3>
              <p class="muted">
                to {channel} · since <Time {...moment(createdAtMs, list.nowMs)} /> · {tries}
              </p>
              {lastError ? <p>{lastError}</p> : null}
              {list.of === 'dead' && includesRole(list.role, 'operator') ? (
                <div class="channel-buttons">
                  <Act action={`/outbox/${seq}/resend`} label="Send again" spoken={`Send again: ${title}`} />
                  <Act action={`/outbox/${seq}/remove`} label="Delete" spoken={`Delete: ${title}`} />
                </div>
              ) : null}
            </article>
          </li>
        ))}
      </ol>
    )}
    {list.total > list.messages.length ? (
      <p class="muted">and {formatCount(list.total - list.messages.length)} more</p>
    ) : null}
  </div>
);

const Act: FC<{ readonly action: string; readonly label: string; readonly spoken: string }> = (act) => (
  <form method="post" action={act.action}>
    <button type="submit" class="small-button" aria-label={act.spoken}>
      {act.label}
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
  readonly waiting: MessagesProps;
  readonly dead: MessagesProps;
}

interface ChannelsPageProps {
  readonly chrome: Chrome;
  readonly view: ChannelsProps;
  readonly reader: AlertReader;
}

/** Who is notified of trouble, whether it arrives, and who notices when the console itself is gone. */
export const ChannelsPage: FC<ChannelsPageProps> = ({ chrome, view, reader }) => (
  <Layout chrome={chrome}>
    <h1>Channels</h1>
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
            <ChannelCard {...channel} {...reader} />
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
      <Messages of="dead" {...view.dead} {...reader} />
    </section>
    <section class="channels-part" aria-labelledby="waiting-title">
      <h2 id="waiting-title">Queued deliveries</h2>
      <Messages of="waiting" {...view.waiting} {...reader} />
    </section>
  </Layout>
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
