import type { FC } from 'hono/jsx';
import type { AlertGroup, AlertView } from '../server/model/alert.js';
import { formatThings } from '../server/model/format.js';
import { includesRole } from '../server/model/role.js';
import { matcherText, type Silence } from '../server/model/silence.js';
import { plainName } from '../server/model/words.js';
import { NoChannel } from './alert-count.js';
import { AlertGroups, AlertLines, type AlertReader } from './alert-list.js';
import { NumberHeading } from './controls.js';
import { type Chrome, Layout } from './layout.js';
import { coarseAge } from './words.js';

export interface RuleRowProps {
  readonly name: string;
  readonly href: string;
  readonly isEnabled: boolean;
  readonly severity: string;
  /** When it fires, in plain words: "queue backlog > 1,000 jobs for 60 s". */
  readonly when: string;
  readonly scope: string;
  readonly source: string;
  readonly firing: number;
}

const RuleTable: FC<{ readonly rules: readonly RuleRowProps[] }> = ({ rules }) => (
  <section class="table-scroll" aria-label="Table of rules" tabindex={0}>
    <table class="job-table rules">
      <thead>
        <tr>
          <th scope="col">Rule</th>
          <th scope="col">Fires when</th>
          <th scope="col">Severity</th>
          <th scope="col">Scope</th>
          <NumberHeading label="Firing" />
          <th scope="col">Source</th>
        </tr>
      </thead>
      <tbody>
        {rules.map((rule) => (
          <tr class={rule.isEnabled ? '' : 'is-off'}>
            <th scope="row" data-label="Rule">
              <a href={rule.href}>{rule.name}</a>
              {rule.isEnabled ? '' : ' (off)'}
            </th>
            <td class="is-whole" data-label="Fires when">
              {rule.when}
            </td>
            <td data-label="Severity">{rule.severity}</td>
            <td data-label="Scope">{rule.scope}</td>
            <td class={rule.firing === 0 ? 'number is-none' : 'number is-firing'} data-label="Firing">
              {rule.firing}
            </td>
            <td data-label="Source">{rule.source}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </section>
);

export interface SilenceFormProps {
  /** In words: whom it is about. */
  readonly what: string;
  /** Matchers, by name. */
  readonly matchers: readonly { readonly name: string; readonly value: string }[];
  readonly durations: readonly { readonly seconds: number; readonly label: string }[];
}

/** Silences one alert: what it is about is fixed, how long and why are asked. */
const SilenceForm: FC<SilenceFormProps> = (form) => (
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

/** What changes while somebody looks. */
export interface AlertStateProps {
  readonly reader: AlertReader;
  /** Groups of which something fires, those that somebody has to see first. */
  readonly firing: readonly AlertGroup[];
  readonly pending: readonly AlertGroup[];
  readonly resolved: readonly AlertView[];
  readonly silences: readonly Silence[];
  /** Is there a channel, so that somebody is notified? */
  readonly hasChannel: boolean;
  /** Why alerts are not kept at present; null: they are. */
  readonly problem: string | null;
}

export const AlertState: FC<AlertStateProps> = (state) => (
  <div id="alert-state">
    {state.hasChannel ? null : <NoChannel />}
    {state.problem === null ? null : (
      <p class="state-word state-warning">Alerts are not kept on disk at present: {state.problem}</p>
    )}
    {state.firing.length === 0 ? (
      <p class="alert-summary">None firing.</p>
    ) : (
      <AlertGroups groups={state.firing} reader={state.reader} />
    )}
    {state.pending.length > 0 ? (
      <details class="alert-others">
        <summary>{formatThings(state.pending.length, 'pending alert')}</summary>
        <AlertLines alerts={state.pending.map(({ head }) => head)} reader={state.reader} />
      </details>
    ) : null}
    {state.silences.length > 0 ? <Silences {...state} /> : null}
    <section aria-labelledby="resolved-title">
      <h2 id="resolved-title">Resolved in the last day</h2>
      {state.resolved.length === 0 ? (
        <p class="muted">None.</p>
      ) : (
        <AlertLines alerts={state.resolved} reader={state.reader} />
      )}
    </section>
  </div>
);

const Silences: FC<AlertStateProps> = ({ silences, reader }) => (
  <section aria-labelledby="silences-title">
    <h2 id="silences-title">Silences</h2>
    <ul class="silences">
      {silences.map(({ id, matchers, reason, author, endsAtMs }) => {
        const what = plainName(matcherText(matchers));
        return (
          <li>
            <span>
              <strong>{what}</strong>, {coarseAge((endsAtMs - reader.nowMs) / 1000, 10)} left:{' '}
              {plainName(reason)} ({plainName(author)})
            </span>
            {includesRole(reader.role, 'operator') ? (
              <form method="post" action={`/alerts/silences/${encodeURIComponent(id)}/end`}>
                <button type="submit" class="small-button" aria-label={`End the silence of ${what}`}>
                  End
                </button>
              </form>
            ) : null}
          </li>
        );
      })}
    </ul>
  </section>
);

/** What fires by its cause, what is silenced, and what was. */
export const AlertsPage: FC<{
  readonly chrome: Chrome;
  readonly state: AlertStateProps;
  readonly silenceForm: SilenceFormProps | null;
}> = ({ chrome, state, silenceForm }) => (
  <Layout chrome={chrome}>
    <h1>Alerts</h1>
    {silenceForm ? <SilenceForm {...silenceForm} /> : null}
    <AlertState {...state} />
  </Layout>
);

/** What is worth waking somebody for. */
export const RulesPage: FC<{
  readonly chrome: Chrome;
  readonly rules: readonly RuleRowProps[];
  readonly canEdit: boolean;
}> = ({ chrome, rules, canEdit }) => (
  <Layout chrome={chrome}>
    <div class="section-head">
      <h1>Alert rules</h1>
      {canEdit ? (
        <a class="small-button" href="/alerts/rules/new">
          New rule
        </a>
      ) : null}
    </div>
    <RuleTable rules={rules} />
  </Layout>
);
