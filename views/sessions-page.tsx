import type { FC } from 'hono/jsx';
import type { ListedSession } from '../server/model/session.js';
import { Ago } from './ago.js';
import { type Chrome, Layout } from './layout.js';
import { Time } from './time.js';
import { moment } from './words.js';

interface SessionsProps {
  readonly chrome: Chrome;
  readonly sessions: readonly ListedSession[];
}

const WAYS: Readonly<Record<ListedSession['way'], string>> = { token: 'token', openid: 'single sign-on' };

/** Browsers that are signed in, newest first. */
export const SessionsPage: FC<SessionsProps> = ({ chrome, sessions }) => (
  <Layout chrome={chrome}>
    <h1>Sessions</h1>
    <p class="muted">
      Browsers that are signed in. One that is ended sees nothing more within seconds.{' '}
      <a href="/audit?action=access">Sign-ins and refusals</a>
    </p>
    {sessions.length === 0 ? (
      <p>No browser is signed in.</p>
    ) : (
      <table class="job-table">
        <thead>
          <tr>
            {['Who', 'Role', 'By', 'Address', 'Signed in', 'Last seen', 'Until'].map((heading) => (
              <th scope="col">{heading}</th>
            ))}
            <td />
          </tr>
        </thead>
        <tbody>
          {sessions.map((session) => (
            <SessionRow session={session} nowMs={chrome.nowMs} />
          ))}
        </tbody>
      </table>
    )}
  </Layout>
);

const SessionRow: FC<{ readonly session: ListedSession; readonly nowMs: number }> = ({ session, nowMs }) => (
  <tr>
    <th scope="row" data-label="Who">
      {session.name}
      {session.isOwn ? <span class="muted"> (you, here)</span> : null}
    </th>
    <td data-label="Role">{session.role}</td>
    <td data-label="By">{WAYS[session.way]}</td>
    <td data-label="Address">{session.address}</td>
    <td data-label="Signed in">
      <Ago atMs={session.createdAtMs} nowMs={nowMs} />
    </td>
    <td data-label="Last seen">
      <Ago atMs={session.seenAtMs} nowMs={nowMs} />
    </td>
    <td data-label="Until">
      <Time {...moment(session.expiresAtMs, nowMs)} />
    </td>
    <td class="is-whole">
      <form method="post" action={`/sessions/${session.id}/end`}>
        <button type="submit" class="small-button" aria-label={`End the session of ${session.name}`}>
          End
        </button>
      </form>
    </td>
  </tr>
);
