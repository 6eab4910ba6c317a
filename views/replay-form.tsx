import type { Child, FC } from 'hono/jsx';
import { Options } from './controls.js';

/** As typed, by the name of the field. */
export type ReplayValues = Readonly<Record<string, string>>;

export interface ReplayFormProps {
  readonly instances: readonly string[];
  readonly values: ReplayValues;
  /** What is wrong; empty: nothing. */
  readonly problems: readonly string[];
  /** Does whoever asks see job data and errors? Else they can't be looked for. */
  readonly showsData: boolean;
}

/** Which jobs to replay, how, and why. It leads to a look at what that takes, where the replay is started. */
export const ReplayForm: FC<ReplayFormProps> = ({ instances, values, problems, showsData }) => (
  <section aria-labelledby="replay-form-title" class="replay-form">
    <h2 id="replay-form-title">Replay jobs</h2>
    {problems.length > 0 ? (
      <div role="alert" class="replay-problems">
        {problems.map((problem) => (
          <p>{problem}</p>
        ))}
      </div>
    ) : null}
    <form method="get" action="/replays/look">
      <fieldset class="is-wide">
        <legend>What</legend>
        <Choice name="instance" label="Redis" values={values} choices={instances} />
        <Text name="queues" label="Queues" values={values} hint="Ids or a glob: bull:mail*" isRequired />
        <Choice name="from" label="State" values={values} choices={['failed', 'completed', 'parked']} />
        <Labelled name="jobTypes" label="Job types" hint="One a line; empty: all">
          <textarea id="replay-jobTypes" name="jobTypes" rows={1}>
            {values.jobTypes ?? ''}
          </textarea>
        </Labelled>
        {showsData ? <Text name="errorText" label="Error contains" values={values} /> : null}
        <Moment name="from_time" label="Finished after (UTC)" values={values} />
        <Moment name="to_time" label="Finished before (UTC)" values={values} />
        <details open={hasAny(values, ['attemptsMin', 'attemptsMax', 'dataPath'])}>
          <summary>Attempts{showsData ? ' and job data' : ''}</summary>
          <div class="replay-fields">
            <Text name="attemptsMin" label="Attempts made, at least" values={values} />
            <Text name="attemptsMax" label="Attempts made, at most" values={values} />
            {showsData ? (
              <>
                <Text name="dataPath" label="Field of job data" hint="Like customer.id" values={values} />
                <Text name="dataEquals" label="is" hint="Like 42, true or a text" values={values} />
              </>
            ) : null}
          </div>
        </details>
      </fieldset>
      <fieldset>
        <legend>How</legend>
        <Text name="ratePerSecond" label="Max rate, jobs/s" values={values} isRequired />
        <Choice name="order" label="Order" values={values} choices={['oldest', 'newest']} />
        <Check
          name="guard"
          label="Auto-throttle"
          hint="slows or stops when live jobs suffer"
          values={values}
        />
        <details open={hasAny(values, ['mostInFlight']) || values.resetAttempts === 'off'}>
          <summary>Max active, attempts</summary>
          <div class="replay-fields">
            <Text name="mostInFlight" label="Max active" hint="Empty: no bound" values={values} />
            <Check
              name="resetAttempts"
              label="Reset attempts"
              hint="each job gets all anew"
              values={values}
            />
          </div>
        </details>
      </fieldset>
      <fieldset>
        <legend>Why</legend>
        <Text name="reason" label="Reason (optional)" values={values} />
      </fieldset>
      <p class="replay-buttons">
        <button type="submit" class="button is-primary">
          Preview
        </button>
      </p>
    </form>
  </section>
);

function hasAny(values: ReplayValues, names: readonly string[]): boolean {
  return names.some((name) => (values[name] ?? '') !== '');
}

interface FieldProps {
  readonly name: string;
  readonly label: string;
  readonly values: ReplayValues;
  readonly hint?: string;
  readonly isRequired?: boolean;
}

const Text: FC<FieldProps> = ({ name, label, hint, values, isRequired = false }) => (
  <Labelled name={name} label={label} hint={hint}>
    <input id={`replay-${name}`} name={name} type="text" value={values[name] ?? ''} required={isRequired} />
  </Labelled>
);

/** The picker takes whole seconds of UTC without saying so. */
const Moment: FC<FieldProps> = ({ name, label, values }) => (
  <Labelled name={name} label={label}>
    <input
      id={`replay-${name}`}
      name={name}
      type="datetime-local"
      step={1}
      value={(values[name] ?? '').slice(0, 'yyyy-mm-ddThh:mm:ss'.length)}
    />
  </Labelled>
);

/** On unless it was taken off. Nothing is sent of a box that is not ticked, so an off stands behind it: the first counts. */
const Check: FC<FieldProps> = ({ name, label, hint, values }) => (
  <>
    <label class="check">
      <input type="checkbox" name={name} value="on" checked={values[name] !== 'off'} />
      <span>
        {label}
        <span class="muted">: {hint}</span>
      </span>
    </label>
    <input type="hidden" name={name} value="off" />
  </>
);

/** With one choice there is nothing to ask. */
const Choice: FC<FieldProps & { readonly choices: readonly string[] }> = (field) => {
  const { name, label, values, choices } = field;
  if (choices.length === 1) return <input type="hidden" name={name} value={choices[0]} />;
  return (
    <Labelled name={name} label={label}>
      <select id={`replay-${name}`} name={name}>
        <Options of={choices} chosen={values[name]} />
      </select>
    </Labelled>
  );
};

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
