import type { FC } from 'hono/jsx';
import { AlertList, type AlertProps, FollowerList } from './alert-list.js';
import { type RuleRowProps, RuleTable } from './alert-rule-table.js';
import { type Chrome, Layout } from './layout.js';
import { SilenceForm, type SilenceFormProps } from './silence-form.js';

export interface SilenceProps {
  readonly what: string;
  readonly why: string;
  readonly left: string;
  /** null: who looks may not. */
  readonly endAction: string | null;
}

/** What changes while somebody looks. */
export interface AlertStateProps {
  readonly summary: string;
  readonly firing: readonly AlertProps[];
  readonly pending: readonly AlertProps[];
  /** Explained by another, firing or pending. */
  readonly following: readonly AlertProps[];
  readonly resolved: readonly AlertProps[];
  readonly silences: readonly SilenceProps[];
}

export interface AlertsPageProps {
  readonly state: AlertStateProps;
  readonly silenceForm: SilenceFormProps | null;
  readonly rules: readonly RuleRowProps[];
  readonly canEdit: boolean;
}

export const AlertState: FC<AlertStateProps> = (state) => (
  <div id="alert-state">
    <p class="alert-summary">{state.summary}</p>
    <section aria-labelledby="firing-title">
      <h2 id="firing-title">Firing now</h2>
      <AlertList alerts={state.firing} none="Nothing fires." />
    </section>
    {state.pending.length > 0 ? (
      <section aria-labelledby="pending-title">
        <h2 id="pending-title">Pending</h2>
        <AlertList alerts={state.pending} none="" />
      </section>
    ) : null}
    {state.following.length > 0 ? (
      <section aria-labelledby="following-title">
        <h2 id="following-title">Told with another</h2>
        <FollowerList alerts={state.following} />
      </section>
    ) : null}
    {state.silences.length > 0 ? (
      <section aria-labelledby="silences-title">
        <h2 id="silences-title">Silences</h2>
        <ul class="silences">
          {state.silences.map((silence) => (
            <li>
              <span>
                <strong>{silence.what}</strong>, {silence.left}: {silence.why}
              </span>
              {silence.endAction ? (
                <form method="post" action={silence.endAction}>
                  <button
                    type="submit"
                    class="small-button"
                    aria-label={`End the silence of ${silence.what}`}
                  >
                    End
                  </button>
                </form>
              ) : null}
            </li>
          ))}
        </ul>
      </section>
    ) : null}
    <section aria-labelledby="resolved-title">
      <h2 id="resolved-title">Recently over</h2>
      <AlertList alerts={state.resolved} none="Nothing has fired in the last day." />
    </section>
  </div>
);

/** What fires, what was, who is told of what, and by which rules. */
export const AlertsPage: FC<{ readonly chrome: Chrome; readonly view: AlertsPageProps }> = ({
  chrome,
  view,
}) => (
  <Layout chrome={chrome}>
    <div class="section-head">
      <h1>Alerts</h1>
      <a class="small-button" href="/channels">
        Who is told
      </a>
    </div>
    {view.silenceForm ? <SilenceForm {...view.silenceForm} /> : null}
    <AlertState {...view.state} />
    <section aria-labelledby="rules-title">
      <div class="section-head">
        <h2 id="rules-title">Rules</h2>
        {view.canEdit ? (
          <a class="small-button" href="/alerts/rules/new">
            New rule
          </a>
        ) : null}
      </div>
      <RuleTable rules={view.rules} />
    </section>
  </Layout>
);
