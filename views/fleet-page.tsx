import type { FC } from 'hono/jsx';
import { OrderHeld } from './controls.js';
import { FleetHead, type FleetHeadProps } from './fleet-head.js';
import { type Chrome, Layout } from './layout.js';
import { Timeline, type TimelineProps } from './timeline.js';
import { WorkerTable, type WorkerTableProps } from './worker-table.js';

interface FleetPageProps {
  readonly chrome: Chrome;
  readonly head: FleetHeadProps;
  readonly by: string;
  readonly groupings: readonly {
    readonly label: string;
    readonly href: string;
    readonly isCurrent: boolean;
  }[];
  readonly search: string;
  readonly table: WorkerTableProps;
  readonly timeline: TimelineProps;
}

/** All workers of all Redises: who is in trouble, what each slot does, and what happened. */
export const FleetPage: FC<FleetPageProps> = ({ chrome, head, by, groupings, search, table, timeline }) => (
  <Layout chrome={chrome}>
    <h1 class="page-title">Workers</h1>
    <FleetHead {...head} />
    <section class="queues" aria-labelledby="workers-title">
      <div class="queues-head fleet-tools">
        <h2 id="workers-title" class="visually-hidden">
          All workers
        </h2>
        <nav aria-label="Group workers by">
          <span class="muted">Group by</span>
          {groupings.map((grouping) => (
            <a
              class={grouping.isCurrent ? 'page-link is-current' : 'page-link'}
              href={grouping.href}
              aria-current={grouping.isCurrent ? 'page' : undefined}
            >
              {grouping.label}
            </a>
          ))}
        </nav>
        <search>
          <form method="get" action="/workers">
            <input type="hidden" name="by" value={by} />
            <label class="visually-hidden" for="search">
              Search workers
            </label>
            <input id="search" type="search" name="search" value={search} placeholder="Search  ( / )" />
            <button class="small-button" type="submit">
              Show
            </button>
          </form>
        </search>
        <OrderHeld of="workers" release="Sort now" />
      </div>
      <WorkerTable {...table} />
    </section>
    <Timeline {...timeline} />
  </Layout>
);
