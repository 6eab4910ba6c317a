import type { FC } from 'hono/jsx';
import { type ErrorGroupRow, ErrorGroups } from './error-groups.js';
import { JobTable, type JobTableProps } from './job-table.js';
import { ParkedPart, type ParkedProps, type ParkingOrder } from './parked.js';

export interface JobsTabProps {
  readonly parked: ParkedProps;
  /** What was just done to a parking of it; null: nothing. */
  readonly lastOfParked: { readonly parking: string; readonly order: ParkingOrder } | null;
  readonly jobs: JobTableProps;
  /** With what they failed; null: these have not, or this role may not see it. */
  readonly errors: readonly ErrorGroupRow[] | null;
  readonly nowMs: number;
}

/** The jobs of a queue in one state, with what they failed, and those that were parked. */
export const JobsTab: FC<JobsTabProps> = ({ parked, lastOfParked, jobs, errors, nowMs }) => (
  <>
    <ParkedPart {...parked} last={lastOfParked} />
    {errors === null ? null : <ErrorGroups groups={errors} nowMs={nowMs} />}
    <JobTable {...jobs} />
  </>
);
