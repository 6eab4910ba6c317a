import type { FC } from 'hono/jsx';
import { type Moment, Time } from './time.js';

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
export const MessageList: FC<{ readonly messages: readonly MessageProps[]; readonly more: string }> = ({
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
