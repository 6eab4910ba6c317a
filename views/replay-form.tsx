import type { Child, FC } from 'hono/jsx';

export interface ReplayFormProps {
  readonly instances: readonly string[];
  /** As typed, by the name of the field. */
  readonly values: Readonly<Record<string, string>>;
  /** What is wrong; empty: nothing. */
  readonly problems: readonly string[];
  /** What it would take; null: not asked for yet. */
  readonly found: ReplayFoundProps | null;
  readonly canFilterData: boolean;
}

export interface ReplayFoundProps {
  readonly summary: string;
  readonly warnings: readonly string[];
  readonly types: readonly { readonly name: string; readonly jobs: string }[];
  readonly errors: readonly { readonly name: string; readonly jobs: string }[];
  readonly sample: readonly string[];
}

/** Begins a replay; "Look first" shows what it would take and changes nothing. */
export const ReplayForm: FC<ReplayFormProps> = (form) => {
  const { values } = form;
  return (
    <section aria-labelledby="replay-form-title" class="replay-form">
      <h2 id="replay-form-title">Replay jobs</h2>
      {form.problems.length > 0 ? (
        <div role="alert" class="replay-problems">
          {form.problems.map((problem) => (
            <p>{problem}</p>
          ))}
        </div>
      ) : null}
      {form.found ? <Found {...form.found} /> : null}
      <form method="post" action="/replays">
        <fieldset>
          <legend>Which jobs</legend>
          <Choice name="instance" label="Redis" values={values} choices={form.instances} />
          <Text
            name="queues"
            label="Queues"
            hint="Ids with a space between, or a glob: bull:mail*"
            values={values}
            isRequired
          />
          <Choice
            name="from"
            label="Jobs that have"
            values={values}
            choices={['failed', 'completed', 'parked']}
          />
          <Text name="jobTypes" label="Job types" hint="One a line; empty: all." values={values} isLong />
          <div class="replay-pair">
            <Text
              name="from_time"
              label="Ended from (UTC)"
              hint="Like 2026-01-31T03:00; for parked jobs, when parking began."
              values={values}
            />
            <Text name="to_time" label="Ended until (UTC)" hint="Empty: until now." values={values} />
          </div>
          <div class="replay-pair">
            <Text name="attemptsMin" label="Attempts made, at least" values={values} />
            <Text name="attemptsMax" label="Attempts made, at most" values={values} />
          </div>
          <div class="replay-wide">
            <Text
              name="errorText"
              label="Error holds"
              hint="Any part of its first 500 characters."
              values={values}
            />
          </div>
          {form.canFilterData ? (
            <div class="replay-pair">
              <Text name="dataPath" label="Field of job data" hint="Like customer.id" values={values} />
              <Text name="dataEquals" label="is" hint="Like 42, true or a text" values={values} />
            </div>
          ) : null}
        </fieldset>
        <fieldset>
          <legend>How, and why</legend>
          <Choice name="order" label="Begin with the" values={values} choices={['oldest', 'newest']} />
          <Text name="ratePerSecond" label="Jobs a second at most" values={values} isRequired />
          <Text name="mostInFlight" label="In flight at most" hint="Empty: no bound." values={values} />
          <Text name="reason" label="Why" values={values} isRequired />
          <label class="check replay-wide">
            <input type="checkbox" name="guard" value="on" checked={values.guard !== 'off'} /> Guard: slow
            down by itself when live jobs suffer
          </label>
          <label class="check replay-wide">
            <input type="checkbox" name="resetAttempts" value="on" checked={values.resetAttempts !== 'off'} />{' '}
            Each job gets all its attempts anew
          </label>
        </fieldset>
        <p class="replay-buttons">
          <button type="submit" class="button is-primary" formaction="/replays/look" formmethod="get">
            Look first
          </button>
          <button type="submit" class="button">
            Begin the replay
          </button>
        </p>
      </form>
    </section>
  );
};

const Found: FC<ReplayFoundProps> = (found) => (
  <div class="replay-found" role="status">
    <p>
      <strong>{found.summary}</strong>
    </p>
    {found.warnings.map((warning) => (
      <p class="state-word state-warning">{warning}</p>
    ))}
    <Groups title="By type" groups={found.types} />
    <Groups title="By error" groups={found.errors} />
    {found.sample.length > 0 ? <p class="muted">For example {found.sample.join(', ')}</p> : null}
  </div>
);

const Groups: FC<{
  readonly title: string;
  readonly groups: readonly { readonly name: string; readonly jobs: string }[];
}> = ({ title, groups }) =>
  groups.length === 0 ? null : (
    <>
      <h3>{title}</h3>
      <ul>
        {groups.map((group) => (
          <li>
            {group.jobs}: {group.name}
          </li>
        ))}
      </ul>
    </>
  );

interface FieldProps {
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
  readonly values: Readonly<Record<string, string>>;
  readonly isRequired?: boolean;
  readonly isLong?: boolean;
}

const Text: FC<FieldProps> = ({ name, label, hint, values, isRequired = false, isLong = false }) => (
  <Labelled name={name} label={isRequired ? `${label} (required)` : label} hint={hint}>
    {isLong ? (
      <textarea id={`replay-${name}`} name={name} rows={2}>
        {values[name] ?? ''}
      </textarea>
    ) : (
      <input id={`replay-${name}`} name={name} type="text" value={values[name] ?? ''} required={isRequired} />
    )}
  </Labelled>
);

const Choice: FC<FieldProps & { readonly choices: readonly string[] }> = ({
  name,
  label,
  values,
  choices,
}) => (
  <Labelled name={name} label={label}>
    <select id={`replay-${name}`} name={name}>
      {choices.map((choice) => (
        <option value={choice} selected={values[name] === choice}>
          {choice}
        </option>
      ))}
    </select>
  </Labelled>
);

const Labelled: FC<{
  readonly name: string;
  readonly label: string;
  readonly hint?: string | undefined;
  readonly children?: Child;
}> = ({ name, label, hint, children }) => (
  <p class="replay-field">
    <label for={`replay-${name}`}>{label}</label>
    {children}
    {hint ? <span class="muted">{hint}</span> : null}
  </p>
);
