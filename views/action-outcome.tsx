import type { FC } from 'hono/jsx';
import { type ChangeProps, Changes } from './action-preview.js';
import { Icon, type IconName } from './icon.js';
import type { State } from './state.js';

export interface TargetOutcome {
  readonly name: string;
  readonly state: State;
  readonly icon: IconName;
  readonly status: string;
  readonly summary: string;
  readonly changes: readonly ChangeProps[];
  readonly warnings: readonly string[];
  /** What each worker made of it, worst first; no rows where none was asked. */
  readonly workers: {
    readonly rows: readonly {
      readonly label: string;
      readonly word: string;
      readonly state: State;
      readonly icon: IconName;
      readonly slots: string;
      readonly note: string;
    }[];
    readonly more: number;
  };
}

export interface OutcomeProps {
  readonly state: State;
  readonly icon: IconName;
  readonly title: string;
  readonly summary: string;
  readonly freed: string | null;
  readonly outcomes: readonly TargetOutcome[];
  readonly more: number;
  readonly undo: {
    readonly label: string;
    readonly hidden: readonly { readonly name: string; readonly value: string }[];
  } | null;
  readonly goOn: { readonly label: string; readonly href: string } | null;
  /** What was typed is kept at this place. */
  readonly auditHref: string;
}

/** What came of it, target by target, as read back from Redis. */
export const ActionOutcome: FC<OutcomeProps> = (outcome) => (
  <div class="action" data-outcome="">
    <header class="drawer-head">
      <h2 id="drawer-title" tabindex={-1} class={`state-${outcome.state}`}>
        <span class="state-icon">
          <Icon name={outcome.icon} />
        </span>{' '}
        {outcome.title}
      </h2>
      <button type="button" class="small-button close-button" data-drawer-close="" aria-label="Close">
        <Icon name="close" />
      </button>
    </header>
    <p class="preview-summary" role="status">
      {outcome.summary}
    </p>
    {outcome.freed ? (
      <p class="preview-freed">
        Freed <strong>{outcome.freed}</strong>, measured.
      </p>
    ) : null}
    <ul class="outcomes">
      {outcome.outcomes.map((target) => (
        <li class={`outcome state-${target.state}`}>
          <p class="outcome-head">
            <span class="state-icon">
              <Icon name={target.icon} />
            </span>{' '}
            <strong>{target.name}</strong> <span class="outcome-status">{target.status}</span>
          </p>
          <p>{target.summary}</p>
          {target.changes.length > 0 ? <Changes changes={target.changes} /> : null}
          {target.workers.rows.length > 0 ? (
            <ul class="worker-results">
              {target.workers.rows.map((row) => (
                <li class={`state-${row.state}`}>
                  <span class="state-icon">
                    <Icon name={row.icon} />
                  </span>{' '}
                  <strong>{row.label}</strong> {row.word}
                  {row.slots ? `, ${row.slots}` : ''}
                  {row.note ? <span class="hint"> {row.note}</span> : null}
                </li>
              ))}
              {target.workers.more > 0 ? <li class="hint">and {target.workers.more} more</li> : null}
            </ul>
          ) : null}
          {target.warnings.map((warning) => (
            <p class="outcome-warning">
              <span class="state-icon state-warning">
                <Icon name="warning" />
              </span>{' '}
              {warning}
            </p>
          ))}
        </li>
      ))}
    </ul>
    {outcome.more > 0 ? <p class="hint">and {outcome.more} more: see Actions.</p> : null}
    <div class="drawer-actions">
      {outcome.goOn ? (
        <a class="button is-primary" href={outcome.goOn.href} data-drawer="">
          {outcome.goOn.label}
        </a>
      ) : null}
      <button type="button" class={outcome.goOn ? 'button' : 'button is-primary'} data-drawer-close="">
        Done
      </button>
      {outcome.undo ? (
        <form
          method="post"
          action="/action/open"
          hx-post="/action/open"
          hx-target="closest [data-action-view]"
          hx-swap="innerHTML"
        >
          {outcome.undo.hidden.map(({ name, value }) => (
            <input type="hidden" name={name} value={value} />
          ))}
          <button type="submit" class="button">
            <Icon name="undo" /> {outcome.undo.label}
          </button>
        </form>
      ) : null}
      <a class="drawer-audit" href={outcome.auditHref}>
        Actions
      </a>
    </div>
  </div>
);
