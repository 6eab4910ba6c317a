import type { FC } from 'hono/jsx';
import { Options } from './controls.js';

export interface IncidentFormProps {
  readonly action: string;
  readonly submit: string;
  readonly problem: string;
  readonly title: string;
  /** As `datetime-local` takes it, in UTC. */
  readonly from: string;
  readonly to: string;
  readonly severity: 'critical' | 'warning';
  readonly affects: string;
  /** Ticked: those that it is about; none: all. Empty where there is one Redis only. */
  readonly instances: readonly { readonly name: string; readonly isOn: boolean }[];
  /** Sections that people write; empty where it is marked only now. */
  readonly notes: readonly { readonly name: string; readonly label: string; readonly text: string }[];
}

export const IncidentForm: FC<IncidentFormProps> = (form) => (
  <form class="incident-form panel" method="post" action={form.action}>
    {form.problem ? (
      <p class="field-error is-wide" role="alert">
        {form.problem}
      </p>
    ) : null}
    <label class="is-wide">
      Title
      <input type="text" name="title" value={form.title} required maxlength={200} />
    </label>
    <label class="is-wide">
      What is affected, as customers call it
      <input
        type="text"
        name="affects"
        value={form.affects}
        maxlength={200}
        placeholder="Sending of e-mail"
      />
    </label>
    <label>
      From (UTC)
      <input type="datetime-local" step={1} name="from" value={form.from} required />
    </label>
    <label>
      To (UTC), empty while it lasts
      <input type="datetime-local" step={1} name="to" value={form.to} />
    </label>
    <label>
      Severity
      <select name="severity">
        <Options of={['critical', 'warning']} chosen={form.severity} />
      </select>
    </label>
    {form.instances.length > 0 ? (
      <fieldset class="activity-groups is-wide">
        <legend>Redis (none: all)</legend>
        {form.instances.map(({ name, isOn }) => (
          <label class="check">
            <input type="checkbox" name="instance" value={name} checked={isOn} /> {name}
          </label>
        ))}
      </fieldset>
    ) : null}
    {form.notes.map((note) => (
      <label class="is-wide">
        {note.label}
        <textarea name={note.name} rows={4} maxlength={20_000}>
          {note.text}
        </textarea>
      </label>
    ))}
    <p class="is-wide">
      <button type="submit" class="button is-primary">
        {form.submit}
      </button>
    </p>
  </form>
);
