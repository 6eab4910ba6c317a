import type { Child, FC } from 'hono/jsx';
import { type Chrome, Layout } from './layout.js';

/** What the drawer shows, as a page of its own: for a browser without a script, and for a link in a runbook. */
export const ActionPage: FC<{ readonly chrome: Chrome; readonly children?: Child }> = ({
  chrome,
  children,
}) => (
  <Layout chrome={chrome}>
    <h1 class="visually-hidden">Take an action</h1>
    <div id="drawer-page" data-action-view="" class="drawer-page panel">
      {children}
    </div>
  </Layout>
);
