import type { FC } from 'hono/jsx';
import { IncidentForm, type IncidentFormProps } from './incident-form.js';
import { type Chrome, Layout } from './layout.js';
import { type State, StateIcon } from './state.js';
import { type Moment, Time } from './time.js';

export interface IncidentCardProps {
  readonly href: string;
  readonly title: string;
  readonly state: State;
  readonly stateWord: string;
  readonly from: Moment;
  /** null: it lasts. */
  readonly to: Moment | null;
  readonly lasted: string;
  readonly by: string;
}

/** What was called an incident, newest first. */
export const IncidentsPage: FC<{
  readonly chrome: Chrome;
  readonly view: { readonly incidents: readonly IncidentCardProps[]; readonly canWrite: boolean };
}> = ({ chrome, view }) => (
  <Layout chrome={chrome}>
    <h1>Incidents</h1>
    {view.canWrite ? (
      <p>
        <a class="button" href="/incidents/new">
          Declare incident
        </a>
      </p>
    ) : null}
    {view.incidents.length === 0 ? (
      <p class="empty">No incident has been declared.</p>
    ) : (
      <ol class="incidents">
        {view.incidents.map((incident) => (
          <li class={`panel incident-head state-${incident.state}`}>
            <h2>
              <a href={incident.href}>{incident.title}</a>
            </h2>
            <p>
              <span class="state-word">
                <StateIcon state={incident.state} /> {incident.stateWord}
              </span>{' '}
              <Time {...incident.from} /> {incident.to ? <>to {<Time {...incident.to} />}</> : 'until now'} (
              {incident.lasted}) <span class="muted">declared by {incident.by}</span>
            </p>
          </li>
        ))}
      </ol>
    )}
  </Layout>
);

/** The form that marks one, filled in as far as it is known. */
export const NewIncidentPage: FC<{
  readonly chrome: Chrome;
  readonly form: IncidentFormProps;
  /** Others that last: perhaps it is one of them. */
  readonly open: readonly IncidentCardProps[];
}> = ({ chrome, form, open }) => (
  <Layout chrome={chrome}>
    <h1>Declare incident</h1>
    {open.length > 0 ? (
      <p>
        Still open:{' '}
        {open.map((incident, i) => (
          <>
            {i > 0 ? ', ' : ''}
            <a href={incident.href}>{incident.title}</a>
          </>
        ))}
      </p>
    ) : null}
    <IncidentForm {...form} />
  </Layout>
);
