import type { FC } from 'hono/jsx';
import { type Chrome, Layout } from './layout.js';
import type { State } from './state.js';
import { type Moment, Time } from './time.js';

export interface ActionProps {
  readonly id: string;
  readonly when: Moment;
  readonly actor: string;
  readonly action: string;
  readonly subject: { readonly text: string; readonly href: string } | null;
  /** null: nobody is asked for one. */
  readonly reason: string | null;
  readonly summary: string;
  readonly changes: readonly { readonly label: string; readonly before: string; readonly after: string }[];
  readonly status: string;
  readonly state: State;
  /** What was measured afterwards. */
  readonly measurement: { readonly text: string; readonly isWarning: boolean } | null;
  readonly undoHref: string | null;
}

interface AuditProps {
  readonly actions: readonly ActionProps[];
  readonly older: string | null;
  /** Sign-ins and refusals rather than changes, and whether the viewer may see these. */
  readonly isAccess: boolean;
  readonly seesAccess: boolean;
}

/** Who did what, why, and what came of it, newest first. */
export const AuditPage: FC<{ readonly chrome: Chrome; readonly view: AuditProps }> = ({ chrome, view }) => (
  <Layout chrome={chrome}>
    <h1>{view.isAccess ? 'Sign-ins and refusals' : 'Audit log'}</h1>
    {view.seesAccess ? (
      <p>
        {view.isAccess ? (
          <a href="/audit">Audit log</a>
        ) : (
          <a href="/audit?action=access">Sign-ins and refusals</a>
        )}
      </p>
    ) : null}
    {view.isAccess && view.actions.length === 0 ? (
      <p class="muted">Nobody has signed in or been refused yet.</p>
    ) : view.actions.length === 0 ? (
      <p class="muted">
        Nobody has changed anything from here yet. Each action, replay, note and rule that is changed shows
        here: who did it, why, what it was before, and the way back.
      </p>
    ) : (
      <AuditList actions={view.actions} />
    )}
    {view.older ? (
      <p>
        <a href={view.older}>Older</a>
      </p>
    ) : null}
  </Layout>
);

/** What was done, newest first. */
export const AuditList: FC<Pick<AuditProps, 'actions'>> = ({ actions }) => (
  <ol class="audit">
    {actions.map((action) => (
      <Action {...action} />
    ))}
  </ol>
);

const Action: FC<ActionProps> = (action) => (
  <li class={`audit-record state-${action.state}`}>
    <p>
      <Time {...action.when} /> <strong>{action.actor}</strong> {action.action}{' '}
      {action.subject ? <a href={action.subject.href}>{action.subject.text}</a> : null}{' '}
      <span class={`state-word state-${action.state}`}>{action.status}</span>
    </p>
    <p>{action.summary}</p>
    {action.changes.length > 0 ? (
      <ul class="changes">
        {action.changes.map((change) => (
          <li>
            {change.label}:{' '}
            {change.before === '' ? null : (
              <>
                <span class="before">{change.before}</span> →{' '}
              </>
            )}
            <strong>{change.after}</strong>
          </li>
        ))}
      </ul>
    ) : null}
    {action.measurement ? (
      <p class={action.measurement.isWarning ? 'measured state-word state-warning' : 'measured muted'}>
        Measured after: {action.measurement.text}
      </p>
    ) : null}
    {action.reason === null ? null : (
      <p class="muted">
        Reason: {action.reason || 'none given'}
        {action.undoHref ? (
          <>
            {' '}
            ·{' '}
            <a href={action.undoHref} data-drawer="">
              Undo
            </a>
          </>
        ) : null}
      </p>
    )}
  </li>
);
