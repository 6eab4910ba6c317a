import type { FC } from 'hono/jsx';
import { Icon, type IconName } from './icon.js';
import type { State } from './state.js';

export interface ToldRow {
  readonly name: string;
  readonly state: State;
  readonly icon: IconName;
  readonly status: string;
  readonly summary: string;
  readonly warnings: readonly string[];
  readonly undoHref: string | null;
}

export interface ToldProps {
  readonly title: string;
  /** Worst first. */
  readonly rows: readonly ToldRow[];
  readonly more: number;
}

/** What came of an order, for each replay and each replay queue. */
export const ReplayTold: FC<ToldProps> = ({ title, rows, more }) => (
  <section class="replay-told" aria-labelledby="replay-told-title">
    <h2 id="replay-told-title" tabindex={-1} autofocus>
      {title}
    </h2>
    <ul>
      {rows.map((row) => (
        <li>
          <span class={`state-word state-${row.state}`}>
            <Icon name={row.icon} /> {row.status}
          </span>{' '}
          <strong>{row.name}</strong>: {row.summary}{' '}
          {row.warnings.map((warning) => (
            <span class="muted">{warning} </span>
          ))}
          {row.undoHref ? (
            <a href={row.undoHref} data-drawer="" aria-label={`Undo: ${row.name}`}>
              Undo
            </a>
          ) : null}
        </li>
      ))}
    </ul>
    {more > 0 ? <p class="muted">and {more} more: see Actions.</p> : null}
  </section>
);
