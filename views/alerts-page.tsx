import type { FC } from 'hono/jsx';
import type { AlertGroup, AlertView } from '../server/model/alert.js';
import { formatThings } from '../server/model/format.js';
import { includesRole } from '../server/model/role.js';
import { matcherText, type Silence } from '../server/model/silence.js';
import { plainName } from '../server/model/words.js';
import { NoChannel } from './alert-count.js';
import { AlertGroups, AlertLines, type AlertReader } from './alert-list.js';
import { type RuleRowProps, RuleTable } from './alert-rule-table.js';
import { type Chrome, Layout } from './layout.js';
import { SilenceForm, type SilenceFormProps } from './silence-form.js';
import { coarseAge } from './words.js';

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
