import type { FC } from 'hono/jsx';
import { Icon } from './icon.js';
import { type Chrome, Layout, PlainPage } from './layout.js';

export interface ProblemProps {
  readonly title: string;
  readonly detail: string;
  /** What to do next; null: nothing can be done here. */
  readonly way: { readonly href: string; readonly label: string } | null;
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
    <WayOn way={problem.way} />
  </Layout>
);

/** The same for whoever has not been let in. */
export const PlainProblemPage: FC<{
  readonly styles: readonly string[];
  readonly problem: ProblemProps;
}> = ({ styles, problem }) => (
  <PlainPage title={problem.title} styles={styles}>
    <h1>{problem.title}</h1>
    <p>{problem.detail}</p>
    <WayOn way={problem.way} />
  </PlainPage>
);

const WayOn: FC<Pick<ProblemProps, 'way'>> = ({ way }) =>
  way && (
    <p>
      <a href={way.href}>{way.label}</a>
    </p>
  );

/** The same inside the drawer. */
export const DrawerProblem: FC<ProblemProps> = ({ title, detail, way }) => (
  <div class="drawer-problem">
    <h2 id="drawer-title" tabindex={-1} autofocus>
      {title}
    </h2>
    <p>{detail}</p>
    {way?.label === 'Sign in' ? <WayOn way={way} /> : null}
    <button type="button" class="button" data-drawer-close="">
      Close
    </button>
  </div>
);
