import type { FC } from 'hono/jsx';
import { Icon } from './icon.js';
import { RemedyButton, type RemedyProps } from './remedy.js';

export interface ChangeProps {
  readonly label: string;
  readonly before: string;
  readonly after: string;
  /** For how many queues; empty for one. */
  readonly count: string;
}

export interface WarningProps {
  readonly text: string;
  readonly count: string;
  readonly instead: readonly RemedyProps[];
}

export interface PreviewProps {
  readonly state: 'ready' | 'nothing' | 'invalid' | 'refused';
  readonly summary: string;
  readonly changes: readonly ChangeProps[];
  readonly effects: readonly string[];
  readonly warnings: readonly WarningProps[];
  /** "1 queue, 2 workers, 1,204 jobs" */
  readonly affected: string;
  readonly freed: string | null;
  readonly isReversible: boolean;
  readonly mechanism: string;
  readonly refusals: readonly string[];
}

/** A dry run in words: before and after, what follows, who is hit. Asked for again whenever a field changes. */
export const ActionPreview: FC<PreviewProps & { readonly hasFields: boolean }> = ({
  hasFields,
  ...preview
}) => (
  <section
    id="action-preview"
    class={`preview preview-${preview.state}`}
    aria-label="What it would do"
    aria-live="polite"
    hx-post="/action/preview"
    hx-trigger={hasFields ? 'input delay:250ms from:#action-fields' : 'never'}
    hx-target="this"
    hx-swap="outerMorph"
    hx-sync="this:replace"
  >
    <p class="preview-summary">{preview.summary}</p>
    {preview.state === 'nothing' ? <p class="hint">It is so already: there is nothing to change.</p> : null}
    {preview.changes.length > 0 ? <Changes changes={preview.changes} /> : null}
    {preview.freed ? (
      <p class="preview-freed">
        Should free about <strong>{preview.freed}</strong>.
      </p>
    ) : null}
    {preview.warnings.map((warning) => (
      <div class="preview-warning">
        <p>
          <span class="state-icon state-warning">
            <Icon name="warning" />
          </span>{' '}
          {warning.text}
          {warning.count === '' ? null : <span class="hint"> ({warning.count})</span>}
        </p>
        {warning.instead.length > 0 ? (
          <>
            <p class="preview-first">Do first:</p>
            <ul class="remedies">
              {warning.instead.map((remedy, i) => (
                <RemedyButton {...remedy} isFirst={i === 0} />
              ))}
            </ul>
          </>
        ) : null}
      </div>
    ))}
    {preview.refusals.map((refusal) => (
      <p class="preview-refusal">
        <span class="state-icon state-critical">
          <Icon name="stuck" />
        </span>{' '}
        {refusal}
      </p>
    ))}
    {preview.effects.length > 0 ? (
      <ul class="preview-effects">
        {preview.effects.map((effect) => (
          <li>{effect}</li>
        ))}
      </ul>
    ) : null}
    {preview.affected === '' ? null : (
      <p class="preview-affected">
        Hits {preview.affected}. {preview.isReversible ? 'Can be undone.' : 'Can’t be undone.'}
      </p>
    )}
    {preview.mechanism === '' ? null : <p class="mechanism">How: {preview.mechanism}</p>}
  </section>
);

export const Changes: FC<{ readonly changes: readonly ChangeProps[] }> = ({ changes }) => (
  <dl class="changes">
    {changes.map((change) => (
      <div class="change">
        <dt>
          {change.label}
          {change.count === '' ? null : <span class="hint"> {change.count}</span>}
        </dt>
        <dd>
          <span class="before">{change.before}</span>{' '}
          <span class="arrow">
            <Icon name="arrow" />
            <span class="visually-hidden">becomes</span>
          </span>{' '}
          <span class="after">{change.after}</span>
        </dd>
      </div>
    ))}
  </dl>
);
