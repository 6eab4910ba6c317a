import type { FC } from 'hono/jsx';
import { FleetHead, type FleetHeadProps } from './fleet-head.js';
import { type Chrome, Layout } from './layout.js';
import { Timeline, type TimelineProps } from './timeline.js';
import { WorkerTable, type WorkerTableProps } from './worker-table.js';

export interface FleetGroup {
  readonly name: string;
  readonly href: string | null;
  readonly workers: string;
  readonly trouble: string;
  readonly slots: string;
  readonly action: { readonly label: string; readonly href: string } | null;
}

export interface FleetProps {
  readonly head: FleetHeadProps;
  readonly by: string;
  readonly groupings: readonly {
    readonly label: string;
    readonly href: string;
    readonly isCurrent: boolean;
  }[];
  readonly search: string;
  readonly groups: readonly FleetGroup[];
  readonly table: WorkerTableProps;
  readonly timeline: TimelineProps;
}

/** All workers of all Redises: who is in trouble, who does how much, and what happened. */
export const FleetPage: FC<{ readonly chrome: Chrome; readonly view: FleetProps }> = ({ chrome, view }) => (
  <Layout chrome={chrome}>
    <h1 class="page-title">Workers</h1>
    <FleetHead {...view.head} />
    <section class="panel fleet-groups" aria-labelledby="groups-title">
      <div class="fleet-tools">
        <h2 id="groups-title">Together by</h2>
        <nav aria-label="Group workers by">
          {view.groupings.map((grouping) => (
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
            <input type="hidden" name="by" value={view.by} />
            <label class="visually-hidden" for="search">
              Search workers
            </label>
            <input id="search" type="search" name="search" value={view.search} placeholder="Search  ( / )" />
            <button class="small-button" type="submit">
              Show
            </button>
          </form>
        </search>
      </div>
      <FleetGroups groups={view.groups} />
    </section>
    <section class="queues" aria-labelledby="workers-title">
      <div class="queues-head">
        <h2 id="workers-title">Every worker</h2>
        <p class="order-held" data-held="workers" hidden>
          <span data-held-text="">Order held while you are here</span>
          <button type="button" class="small-button" data-release="">
            Sort now
          </button>
        </p>
      </div>
      <WorkerTable {...view.table} />
    </section>
    <Timeline {...view.timeline} />
  </Layout>
);

export const FleetGroups: FC<{ readonly groups: readonly FleetGroup[] }> = ({ groups }) => (
  <ul id="fleet-groups" class="fleet-group-list">
    {groups.map((group) => (
      <li>
        <span class="fleet-group-name">
          {group.href === null ? group.name : <a href={group.href}>{group.name}</a>}
        </span>{' '}
        <span class="number">{group.workers}</span>{' '}
        <span class={group.trouble ? 'state-word state-warning' : 'muted'}>
          {group.trouble || 'all healthy'}
        </span>{' '}
        <span class="muted">{group.slots}</span>{' '}
        {group.action ? (
          <a class="small-button" href={group.action.href} data-drawer="">
            {group.action.label}
          </a>
        ) : null}
      </li>
    ))}
  </ul>
);
