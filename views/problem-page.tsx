import type { FC } from 'hono/jsx';
import { Icon } from './icon.js';
import { type Chrome, Layout } from './layout.js';

interface ProblemProps {
  readonly title: string;
  readonly detail: string;
}

/** What went wrong, to what, and a way on. */
export const ProblemPage: FC<{ readonly chrome: Chrome; readonly problem: ProblemProps }> = ({
  chrome,
  problem,
}) => (
  <Layout chrome={chrome}>
    <div class="verdict state-warning">
      <h1>
        <span class="state-icon state-warning">
          <Icon name="warning" />
        </span>{' '}
        {problem.title}
      </h1>
      <p class="verdict-detail">{problem.detail}</p>
    </div>
    <p>
      <a href="/">Back to the overview</a>
    </p>
  </Layout>
);

/** The same inside the drawer. */
export const DrawerProblem: FC<ProblemProps> = ({ title, detail }) => (
  <div class="drawer-problem">
    <h2 id="drawer-title" tabindex={-1} autofocus>
      {title}
    </h2>
    <p>{detail}</p>
    <button type="button" class="button" data-drawer-close="">
      Close
    </button>
  </div>
);
