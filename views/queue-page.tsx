import type { Child, FC } from 'hono/jsx';
import { Chart, type ChartProps } from './chart.js';
import { ChartRange, type ChartTime, chartTimeQuery } from './chart-range.js';
import { FindingList, type FindingListProps } from './finding.js';
import { type Chrome, Layout } from './layout.js';
import { QUEUE_TABS, type QueueTab, queueTabPath } from './links.js';
import { QueueHead, type QueueHeadProps } from './queue-head.js';

interface QueuePageProps {
  readonly chrome: Chrome;
  readonly head: QueueHeadProps;
  readonly findings: FindingListProps;
  readonly charts: readonly ChartProps[];
  readonly time: ChartTime;
  readonly nowMs: number;
  readonly tab: QueueTab;
  /** What is behind the tab. */
  readonly children?: Child;
}

const TAB_WORDS: Readonly<Record<QueueTab, string>> = {
  jobs: 'Jobs',
  types: 'Job types',
  workers: 'Workers',
  memory: 'Memory',
  settings: 'Settings',
};

/** One queue: what it is, how it went, what is wrong with it; and behind tabs what it holds, who works on it, what is set. */
export const QueuePage: FC<QueuePageProps> = ({
  chrome,
  head,
  findings,
  charts,
  time,
  nowMs,
  tab,
  children,
}) => (
  <Layout chrome={chrome}>
    <QueueHead {...head} />
    <section class="queue-charts" aria-label="Charts">
      <ChartRange chosen={time} nowMs={nowMs} />
      <div class="charts">
        {charts.map((chart) => (
          <Chart {...chart} />
        ))}
      </div>
    </section>
    <section class="findings-section is-folded" aria-labelledby="findings-title">
      <h2 id="findings-title">Problems here</h2>
      <FindingList {...findings} />
    </section>
    <nav class="tabs queue-tabs" aria-label="Of this queue" id="tab">
      {QUEUE_TABS.map((one) => (
        <a
          href={`${queueTabPath(head.snapshot.instance, head.queue.id, one, chartTimeQuery(time))}#tab`}
          data-keeps-time=""
          aria-current={one === tab ? 'page' : undefined}
        >
          {TAB_WORDS[one]}
        </a>
      ))}
    </nav>
    {children}
  </Layout>
);
