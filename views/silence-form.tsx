import type { FC } from 'hono/jsx';

export interface SilenceFormProps {
  /** In words: whom it is about. */
  readonly what: string;
  /** Matchers, by name. */
  readonly matchers: readonly { readonly name: string; readonly value: string }[];
  readonly durations: readonly { readonly seconds: number; readonly label: string }[];
}

/** Silences one alert: what it is about is fixed, how long and why are asked. */
export const SilenceForm: FC<SilenceFormProps> = (form) => (
  <section id="silence" class="alert-form" aria-labelledby="silence-title">
    <h2 id="silence-title">Silence {form.what}</h2>
    <form method="post" action="/alerts/silences">
      {form.matchers.map(({ name, value }) => (
        <input type="hidden" name={name} value={value} />
      ))}
      <p class="alert-field">
        <label for="silence-duration">For</label>
        <select id="silence-duration" name="durationSeconds">
          {form.durations.map(({ seconds, label }) => (
            <option value={String(seconds)}>{label}</option>
          ))}
        </select>
      </p>
      <p class="alert-field">
        <label for="silence-comment">
          Reason <span class="hint">(required)</span>
        </label>
        <input id="silence-comment" name="comment" type="text" required maxlength={300} />
      </p>
      <p class="alert-buttons">
        <button type="submit" class="button is-primary">
          Silence
        </button>
        <a href="/alerts">Cancel</a>
      </p>
    </form>
  </section>
);
