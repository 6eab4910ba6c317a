import type { FC } from 'hono/jsx';
import { Band, type BandProps } from './band.js';
import { Chart, type ChartProps } from './chart.js';
import { ChartRange } from './chart-range.js';
import { FindingList, type FindingListProps } from './finding.js';
import { type Chrome, Layout } from './layout.js';
import { Holders, type HoldersProps } from './memory-page.js';
import { type Fact, Facts } from './state.js';

export interface NodeProps {
  readonly id: string;
  readonly title: string;
  readonly facts: readonly Fact[];
}

export interface InstanceProps {
  readonly band: BandProps;
  readonly findings: FindingListProps;
  readonly charts: readonly ChartProps[];
  readonly holders: HoldersProps;
  readonly nodes: readonly NodeProps[];
  /** What the console may do here, and what was refused. */
  readonly permissions: readonly {
    readonly what: string;
    readonly isAllowed: boolean;
    readonly detail: string;
  }[];
  /** How the console reads this Redis, a sentence each. */
  readonly reading: readonly string[];
  readonly actions: readonly { readonly label: string; readonly href: string }[];
}

/** One Redis with all that is known of it. */
export const InstancePage: FC<{ readonly chrome: Chrome; readonly view: InstanceProps }> = ({
  chrome,
  view,
}) => (
  <Layout chrome={chrome}>
    <h1 class="visually-hidden">Redis {view.band.snapshot.instance}</h1>
    <div class="bands">
      <Band {...view.band} />
    </div>
    {view.actions.length > 0 ? (
      <p class="action-row">
        {view.actions.map((action) => (
          <a class="button" href={action.href} data-drawer="">
            {action.label}
          </a>
        ))}
      </p>
    ) : null}
    <section class="findings-section" aria-labelledby="findings-title">
      <h2 id="findings-title">What is wrong here</h2>
      <FindingList {...view.findings} />
    </section>
    <ChartRange />
    <div class="charts">
      {view.charts.map((chart) => (
        <Chart {...chart} />
      ))}
    </div>
    <Holders {...view.holders} />
    {view.nodes.map((node) => (
      <NodePanel {...node} />
    ))}
    <section class="panel" aria-labelledby="permissions-title">
      <h2 id="permissions-title">What the console may do here</h2>
      <ul class="permissions">
        {view.permissions.map((permission) => (
          <li>
            <span class={permission.isAllowed ? 'state-word state-calm' : 'state-word state-warning'}>
              {permission.isAllowed ? 'yes' : 'no'}
            </span>{' '}
            {permission.what}
            {permission.detail ? <span class="muted"> {permission.detail}</span> : null}
          </li>
        ))}
      </ul>
    </section>
    <ReadingPanel reading={view.reading} />
  </Layout>
);

export const NodePanel: FC<NodeProps> = ({ id, title, facts }) => (
  <section class="panel" id={id} aria-label={title}>
    <h2>{title}</h2>
    <Facts facts={facts} />
  </section>
);

export const ReadingPanel: FC<{ readonly reading: readonly string[] }> = ({ reading }) => (
  <section class="panel" id="reading" aria-labelledby="reading-title">
    <h2 id="reading-title">How it is read</h2>
    <ul class="sentences">
      {reading.map((sentence) => (
        <li>{sentence}</li>
      ))}
    </ul>
  </section>
);
