import type { FC } from 'hono/jsx';
import { ActionForecast, type ForecastProps } from './action-forecast.js';
import { ActionPreview, type PreviewProps, previewState } from './action-preview.js';
import { ActionProgress } from './action-watch.js';
import { CloseButton } from './controls.js';
import { DocsMark } from './docs-mark.js';

export interface FieldProps {
  readonly id: string;
  readonly name: string;
  readonly label: string;
  readonly hint: string;
  readonly error: string | null;
  readonly kind: 'number' | 'choice' | 'chips' | 'flag' | 'text';
  readonly text: string;
  /** What the number is in; one entry: it can't be chosen; none: it has no unit. */
  readonly units: readonly { readonly value: string; readonly label: string; readonly isSelected: boolean }[];
  readonly choices: readonly {
    readonly value: string;
    readonly label: string;
    readonly isSelected: boolean;
  }[];
  /** "No limit": a box that stands for no number at all. */
  readonly none: { readonly label: string; readonly isChecked: boolean } | null;
  /** A slider beside the number. */
  readonly slider?: SliderProps | null;
}

export interface SliderProps {
  readonly min: number;
  readonly max: number;
  readonly value: number;
}

export interface ActionFormProps {
  /** Of the action, as the API calls it. */
  readonly name: string;
  readonly title: string;
  /** On what: a queue's name, "12 queues", a Redis; null: the title says it. */
  readonly subject: string | null;
  readonly place: string;
  readonly about: string;
  readonly targets: { readonly names: readonly string[]; readonly more: number } | null;
  readonly hidden: readonly { readonly name: string; readonly value: string }[];
  readonly fields: readonly FieldProps[];
  readonly reason: string;
  /** What has to be typed before something is destroyed. */
  readonly confirm: { readonly word: string; readonly text: string; readonly error: string | null } | null;
  /** null: this action does not change how a queue drains, or it is about many. */
  readonly forecast: ForecastProps | null;
  readonly shown: PreviewProps;
  /** What the button does. */
  readonly verb: string;
  /** Where the steps of several that are done so far are shown; null: it is one. */
  readonly progressUrl: string | null;
  readonly trouble: string | null;
}

/** An action about to be applied: what to set, what that would do, why, and the button. */
export const ActionForm: FC<ActionFormProps> = (form) => (
  <div class="action">
    <header class="drawer-head">
      <div>
        <h2 id="drawer-title" tabindex={-1}>
          {form.title}
          {form.subject === null ? null : (
            <>
              : <span class="action-subject">{form.subject}</span>
            </>
          )}
        </h2>
        {form.place === '' ? null : <p class="hint">{form.place}</p>}
      </div>
      <DocsMark kind="actions" name={form.name} />
      <CloseButton />
    </header>
    {form.targets ? <Targets {...form.targets} /> : null}
    <form
      id="action-form"
      method="post"
      action="/action"
      novalidate
      hx-post="/action"
      hx-target="closest [data-action-view]"
      hx-swap="innerHTML"
      hx-sync="this:drop"
      hx-config="timeout:120000"
    >
      {form.hidden.map(({ name, value }) => (
        <input type="hidden" name={name} value={value} />
      ))}
      {form.fields.length > 0 ? (
        <div id="action-fields" class="action-fields">
          {form.fields.map((field) => (
            <ActionField {...field} />
          ))}
        </div>
      ) : null}
      {form.forecast ? <ActionForecast {...form.forecast} /> : null}
      <ActionPreview {...form.shown} hasFields={form.fields.length > 0} />
      <div class="field">
        <label for="action-reason">
          Reason <span class="hint">(optional)</span>
        </label>
        <input id="action-reason" name="reason" value={form.reason} maxlength={500} autocomplete="off" />
      </div>
      <ActionConfirm confirm={form.confirm} />
      <p class="field-error" role="alert" data-drawer-trouble="" hidden={form.trouble === null}>
        {form.trouble}
      </p>
      {form.progressUrl === null ? null : <ActionProgress url={form.progressUrl} done={[]} />}
      <div class="drawer-actions">
        <ActionSubmit {...form} />
        <button type="button" class="button" data-drawer-close="">
          Cancel
        </button>
        <span class="working" aria-hidden="true">
          Working…
        </span>
      </div>
    </form>
    <details class="how">
      <summary>What this does</summary>
      <p>{form.about}</p>
    </details>
  </div>
);

/** Says what happens; sent again with each preview, as what is typed changes it. */
export const ActionSubmit: FC<Pick<ActionFormProps, 'verb' | 'confirm' | 'shown'>> = ({
  verb,
  confirm,
  shown,
}) => (
  <button
    id="action-submit"
    type="submit"
    class={confirm ? 'button is-destructive' : 'button is-primary'}
    disabled={previewState(shown) === 'nothing'}
    data-action-submit=""
  >
    {verb}
  </button>
);

/** What has to be typed before jobs are lost for good; sent again with each preview, as what is set may make it needed. */
export const ActionConfirm: FC<Pick<ActionFormProps, 'confirm'>> = ({ confirm }) => (
  <div id="action-confirm-part">
    {confirm ? (
      <div class="field">
        <label for="action-confirm">
          Type <strong class="confirm-word">{confirm.word}</strong> to confirm
        </label>
        <input
          id="action-confirm"
          name="confirm"
          value={confirm.text}
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          required
          aria-invalid={confirm.error ? 'true' : 'false'}
          aria-describedby="action-confirm-note"
        />
        <Note id="action-confirm-note" error={confirm.error} hint="What this removes does not come back." />
      </div>
    ) : null}
  </div>
);

const Targets: FC<{ readonly names: readonly string[]; readonly more: number }> = ({ names, more }) => (
  <details class="targets">
    <summary>Which queues</summary>
    <ul>
      {names.map((name) => (
        <li>{name}</li>
      ))}
      {more > 0 ? <li>and {more} more</li> : null}
    </ul>
  </details>
);

/** One argument. It is sent again with each preview, so its id stays and what was typed stays with it. */
export const ActionField: FC<FieldProps> = (field) =>
  field.kind === 'flag' ? (
    <div id={field.id} class="field">
      <label class="field-flag">
        <input type="checkbox" name={field.name} value="on" checked={field.text === 'true'} /> {field.label}
      </label>
      <Note id={`${field.id}-note`} error={field.error} hint={field.hint} />
    </div>
  ) : field.kind === 'chips' ? (
    <fieldset id={field.id} class="field field-chips">
      <legend>{field.label}</legend>
      {/* What the number is in. */}
      <input type="hidden" name={`${field.name}.unit`} value="ms" />
      <div class="field-row">
        {field.choices.map((choice) => (
          <label class="chip-choice">
            <input type="radio" name={field.name} value={choice.value} checked={choice.isSelected} />{' '}
            {choice.label}
          </label>
        ))}
      </div>
      <Note id={`${field.id}-note`} error={field.error} hint={field.hint} />
    </fieldset>
  ) : (
    <div id={field.id} class="field">
      <label for={`${field.id}-input`}>{field.label}</label>
      <div class="field-row">
        {field.kind === 'choice' ? (
          <select id={`${field.id}-input`} name={field.name} aria-describedby={`${field.id}-note`}>
            {field.choices.map((choice) => (
              <option value={choice.value} selected={choice.isSelected}>
                {choice.label}
              </option>
            ))}
          </select>
        ) : (
          <input
            id={`${field.id}-input`}
            name={field.name}
            value={field.text}
            inputmode={field.kind === 'number' ? 'decimal' : 'text'}
            autocomplete="off"
            class={field.kind === 'number' ? 'input-number' : 'input-text'}
            aria-invalid={field.error ? 'true' : 'false'}
            aria-describedby={`${field.id}-note`}
          />
        )}
        {field.slider ? <Slider {...field.slider} field={field} /> : null}
        <Unit {...field} />
        {field.none ? (
          <label class="field-none">
            <input type="checkbox" name={`${field.name}.none`} value="on" checked={field.none.isChecked} />{' '}
            {field.none.label}
          </label>
        ) : null}
      </div>
      <Note id={`${field.id}-note`} error={field.error} hint={field.hint} />
    </div>
  );

/** Sets the number beside it; the script keeps the two the same, and moves it only by hand while it is drawn anew. */
const Slider: FC<SliderProps & { readonly field: FieldProps }> = ({ min, max, value, field }) => (
  <input
    id={`${field.id}-slider`}
    type="range"
    class="field-slider"
    aria-label={`${field.label}, slider`}
    aria-describedby={`${field.id}-note`}
    min={String(min)}
    max={String(max)}
    value={String(value)}
    data-follows={`${field.id}-input`}
    hx-morph-skip=""
  />
);

const Unit: FC<FieldProps> = ({ name, label, units }) => {
  if (units.length === 0) return null;
  if (units.length === 1) return <span class="unit">{units[0]?.label}</span>;
  return (
    <select name={`${name}.unit`} aria-label={`Unit of ${label}`}>
      {units.map((unit) => (
        <option value={unit.value} selected={unit.isSelected}>
          {unit.label}
        </option>
      ))}
    </select>
  );
};

const Note: FC<{ readonly id: string; readonly error: string | null; readonly hint: string }> = ({
  id,
  error,
  hint,
}) => (
  <p id={id} class={error ? 'field-error' : 'hint'} role={error ? 'alert' : undefined}>
    {error ?? hint}
  </p>
);
