import type { ChartTime } from '../../../views/chart-range.js';
import { JOB_TABS, JOBS_A_PAGE } from '../../../views/job-table.js';
import type { JobsTabProps } from '../../../views/jobs-tab.js';
import { queuePath } from '../../../views/links.js';
import { includesRole, type Role } from '../../model/role.js';
import type { QueueState, Snapshot } from '../../model/snapshot.js';
import { JobsUnavailable } from '../../watch/watch.js';
import type { AppDeps } from '../app-deps.js';
import { failedWith } from './job-type.js';
import { lastOfParked, type ParkedPlace, parkedOf } from './parked.js';

/** What a queue's page is asked for. */
export interface QueuePageQuery {
  readonly instance: string;
  readonly queue: string;
  readonly tab: string | undefined;
  readonly state: string | undefined;
  readonly cursor: string | undefined;
  /** A job's id that was looked for here, and not found. */
  readonly job: string | undefined;
  readonly time: ChartTime;
  /** What was just done on it: see parked.tsx. */
  readonly last?: Readonly<Record<string, string>>;
}

export interface TabContext {
  readonly queue: QueueState;
  readonly snapshot: Snapshot;
  readonly query: QueuePageQuery;
  readonly nowMs: number;
}

/** What the tab of a queue's jobs shows: those of one state, with what they failed, and the parked ones. */
export async function jobsTabOf(
  deps: AppDeps,
  role: Role,
  { queue, snapshot, query, nowMs }: TabContext,
): Promise<JobsTabProps> {
  const { instance } = snapshot;
  // Where a person looks first: what failed or, while nothing has, what waits.
  const usual = queue.backlog === 0 && queue.counts.failed > 0 ? 'failed' : 'waiting';
  const state = JOB_TABS.find((known) => known === query.state) ?? usual;
  const cursor = Math.max(0, Math.floor(Number(query.cursor) || 0));
  return {
    parked: await parkedOf(deps, parkedPlace(instance, queue.id, role)),
    lastOfParked: lastOfParked(query.last ?? {}),
    errors: state === 'failed' ? await failedWith(deps, role, instance, queue) : null,
    jobs: {
      ...(await jobsOrProblem(deps, instance, queue.id, { state, cursor, limit: JOBS_A_PAGE })),
      ...{ queue, instance, state, cursor, nowMs },
      missing: query.job ?? null,
      showsData: includesRole(role, deps.jobDataRole),
      mayReplay: includesRole(role, 'operator'),
    },
    nowMs,
  };
}

export function parkedPlace(instance: string, queue: string, role: Role): ParkedPlace {
  return { role, back: queuePath(instance, queue), of: { instance, queue } };
}

/** A Redis that can't be asked for jobs must not take the rest of the page with it. */
async function jobsOrProblem(
  deps: AppDeps,
  instance: string,
  queueId: string,
  query: Parameters<AppDeps['listJobs']>[2],
) {
  try {
    return { page: await deps.listJobs(instance, queueId, query), problem: null };
  } catch (error) {
    if (error instanceof JobsUnavailable) return { page: null, problem: `${error.message}.` };
    throw error;
  }
}
