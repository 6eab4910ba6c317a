import type { FC } from 'hono/jsx';
import { type Moment, Time } from './time.js';

export interface TimelineProps {
  readonly entries: readonly {
    readonly id: string;
    readonly at: Moment;
    readonly place: string;
    /** What kind of thing people entered; empty: the console noticed it. */
    readonly label: string;
    readonly text: string;
    /** By whom, about what. */
    readonly by: string;
    /** The form of a replay of what failed since; null: none is offered. */
    readonly replayHref: string | null;
  }[];
}

/** What happened lately, newest first. */
export const Timeline: FC<TimelineProps> = ({ entries }) => (
  <section class="panel timeline" aria-labelledby="timeline-title">
    <div class="queues-head">
      <h2 id="timeline-title">What happened lately</h2>
      <a href="/timeline">Timeline</a>
    </div>
    {entries.length === 0 ? (
      <p class="empty">Nothing since this console first ran.</p>
    ) : (
      <ol class="timeline-list">
        {entries.map((entry) => (
          <li>
            <Time {...entry.at} /> {entry.place ? <span class="muted">{entry.place}</span> : null}{' '}
            {entry.label ? <strong class="timeline-label">{entry.label}</strong> : null} {entry.text}{' '}
            {entry.by ? <span class="muted">{entry.by}</span> : null}{' '}
            {entry.replayHref ? <a href={entry.replayHref}>Replay what failed since</a> : null}
          </li>
        ))}
      </ol>
    )}
  </section>
);
