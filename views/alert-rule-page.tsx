import type { FC } from 'hono/jsx';
import { Options } from './controls.js';
import { type Chrome, Layout } from './layout.js';

export interface RuleFieldProps {
  readonly name: string;
  readonly label: string;
  readonly value: string;
  readonly hint?: string;
  readonly isRequired?: boolean;
  /** What may be chosen; absent: it is typed. */
  readonly choices?: readonly string[];
  /** What is offered while typing. */
  readonly suggestions?: readonly string[];
}

export interface RuleTestProps {
  readonly summary: string;
  readonly firings: readonly string[];
  readonly problems: readonly string[];
}

interface RulePageProps {
  readonly title: string;
  readonly action: string;
  readonly isReadOnly: boolean;
  readonly kind: string;
  readonly kinds: readonly { readonly label: string; readonly href: string; readonly isCurrent: boolean }[];
  readonly fields: readonly RuleFieldProps[];
  readonly isEnabled: boolean;
  readonly test: RuleTestProps;
  /** null: it is not there yet, or may not be deleted. */
  readonly deleteAction: string | null;
}

/** What the rule would have done: shown again with every change of the form, before anything is saved. */
export const RuleTestResult: FC<RuleTestProps> = ({ summary, firings, problems }) => (
  <div id="rule-test" class="rule-test" role="status">
    {problems.map((problem) => (
      <p class="state-word state-critical">{problem}</p>
    ))}
    {summary === '' ? null : (
      <p>
        <strong>{summary}</strong>
      </p>
    )}
    {firings.length > 0 ? (
      <ul>
        {firings.map((firing) => (
          <li>{firing}</li>
        ))}
      </ul>
    ) : null}
  </div>
);

export const RulePage: FC<{ readonly chrome: Chrome; readonly view: RulePageProps }> = ({ chrome, view }) => (
  <Layout chrome={chrome}>
    <h1>{view.title}</h1>
    {view.kinds.length > 0 ? (
      <nav class="rule-kinds" aria-label="Kind of condition">
        {view.kinds.map(({ label, href, isCurrent }) => (
          <a class="small-button" href={href} aria-current={isCurrent ? 'page' : undefined}>
            {label}
          </a>
        ))}
      </nav>
    ) : null}
    <section class="alert-form" aria-label="Rule">
      <form
        method="post"
        action={view.action}
        hx-post="/alerts/rules/try"
        hx-trigger="change delay:300ms"
        hx-target="#rule-test"
        hx-swap="outerHTML"
      >
        <input type="hidden" name="condition.kind" value={view.kind} />
        {view.fields.map((field) => (
          <Field {...field} isReadOnly={view.isReadOnly} />
        ))}
        <label class="check">
          <input
            type="checkbox"
            name="enabled"
            value="on"
            checked={view.isEnabled}
            disabled={view.isReadOnly}
          />{' '}
          On
        </label>
        {view.isReadOnly ? (
          <p class="muted">This rule is given by the configuration: change it there.</p>
        ) : (
          <p class="alert-buttons">
            <button type="submit" class="small-button" formaction="/alerts/rules/try">
              Backtest
            </button>
            <button type="submit" class="button is-primary">
              Save
            </button>
          </p>
        )}
      </form>
      <RuleTestResult {...view.test} />
      {view.deleteAction ? (
        <form method="post" action={view.deleteAction}>
          <button type="submit" class="small-button">
            Delete this rule
          </button>
        </form>
      ) : null}
    </section>
  </Layout>
);

const Field: FC<RuleFieldProps & { readonly isReadOnly: boolean }> = (field) => {
  const id = `rule-${field.name.replaceAll('.', '-')}`;
  return (
    <p class="alert-field">
      <label for={id}>{field.label}</label>
      {field.choices ? (
        <select id={id} name={field.name} disabled={field.isReadOnly}>
          <Options of={field.choices} chosen={field.value} />
        </select>
      ) : (
        <input
          id={id}
          name={field.name}
          type="text"
          value={field.value}
          required={field.isRequired === true}
          disabled={field.isReadOnly}
          list={field.suggestions ? `${id}-list` : undefined}
        />
      )}
      {field.suggestions ? (
        <datalist id={`${id}-list`}>
          {field.suggestions.map((suggestion) => (
            <option value={suggestion}></option>
          ))}
        </datalist>
      ) : null}
      {field.hint ? <span class="muted">{field.hint}</span> : null}
    </p>
  );
};
