import type { FC } from 'hono/jsx';
import { CanaryForm, type CanaryFormProps } from './canary.js';
import { Chart, type ChartProps } from './chart.js';
import { ChartRange } from './chart-range.js';
import { FindingList, type FindingListProps } from './finding.js';
import { FleetHead, type FleetHeadProps } from './fleet-head.js';
import { Icon, type IconName } from './icon.js';
import { JobTable, type JobTableProps } from './job-table.js';
import type { TypeContext } from './job-type-row.js';
import { JobTypes } from './job-types.js';
import { type Chrome, Layout } from './layout.js';
import { ParkedPart, type ParkedProps, type ParkingOrder } from './parked.js';
import { type QueueMemoryProps, QueueMemorySection } from './queue-memory.js';
import { type Fact, Facts, type State } from './state.js';
import { TenantTable, type TenantTableProps } from './tenant-table.js';
import { WorkerTable, type WorkerTableProps } from './worker-table.js';

export interface QueueHeadProps {
  readonly name: string;
  readonly place: string;
  readonly state: State;
  readonly icon: IconName;
  readonly verdict: string;
  /** Who stopped it and when, or what else stands out; empty mostly. */
  readonly note: string;
  readonly facts: readonly Fact[];
  readonly actions: readonly { readonly label: string; readonly href: string }[];
}

export interface QueueProps {
  readonly head: QueueHeadProps;
  readonly findings: FindingListProps;
  readonly charts: readonly ChartProps[];
  readonly jobTypes: TypeContext;
  readonly fleet: FleetHeadProps;
  readonly workers: WorkerTableProps;
  readonly memory: QueueMemoryProps;
  readonly tenants: TenantTableProps;
  readonly parked: ParkedProps;
  /** What was just done to a parking of it; null: nothing. */
  readonly lastOfParked: { readonly parking: string; readonly order: ParkingOrder } | null;
  /** null: this role may not. */
  readonly canary: CanaryFormProps | null;
  readonly jobs: JobTableProps;
}

/** One queue: its state in words, what can be done, how it went, and its jobs. */
export const QueuePage: FC<{ readonly chrome: Chrome; readonly view: QueueProps }> = ({ chrome, view }) => (
  <Layout chrome={chrome}>
    <QueueHead {...view.head} />
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
    <JobTypes {...view.jobTypes} />
    <section class="queues" aria-labelledby="workers-title">
      <div class="queues-head">
        <h2 id="workers-title">Workers</h2>
        <p class="order-held" data-held="workers" hidden>
          <span data-held-text="">Order held while you are here</span>
          <button type="button" class="small-button" data-release="">
            Sort now
          </button>
        </p>
      </div>
      <FleetHead {...view.fleet} />
      <WorkerTable {...view.workers} />
    </section>
    <QueueMemorySection {...view.memory} />
    <TenantTable {...view.tenants} />
    <ParkedPart {...view.parked} last={view.lastOfParked} />
    {view.canary ? <CanaryForm {...view.canary} /> : null}
    <JobTable {...view.jobs} />
  </Layout>
);

export const QueueHead: FC<QueueHeadProps> = ({
  name,
  place,
  state,
  icon,
  verdict,
  note,
  facts,
  actions,
}) => (
  <section id="queue-head" class={`panel queue-head state-${state}`} aria-label={`Queue ${name}`}>
    <h1 class="queue-title">
      {name} <span class="muted">{place}</span>
    </h1>
    <p class={`queue-verdict state-word state-${state}`}>
      <Icon name={icon} /> {verdict}
    </p>
    {note ? <p>{note}</p> : null}
    <Facts facts={facts} />
    {actions.length > 0 ? (
      <p class="action-row">
        {actions.map((action) => (
          <a class="button" href={action.href} data-drawer="">
            {action.label}
          </a>
        ))}
      </p>
    ) : null}
  </section>
);
