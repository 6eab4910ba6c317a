import type { Actor } from './auth/role.js';
import type { LeverRequest } from './levers/request.js';
import type { Outcome } from './levers/lever.js';
import type { JobPage, JobDetail, JobQuery } from './watch/job-view.js';
import type { AuditLog } from './store/audit-record.js';
import type { Watch } from './watch/watch.js';

/** What the HTTP layer is given. Built once in app.ts. */
export interface AppDeps {
  readonly watch: Watch;
  readonly audit: AuditLog;
  /** One outcome per target; never throws for what Redis refuses (that is an outcome), throws LeverError for a request that makes no sense. */
  readonly runLever: (actor: Actor, request: LeverRequest) => Promise<readonly Outcome[]>;
  readonly listJobs: (instance: string, queueId: string, query: JobQuery) => Promise<JobPage>;
  readonly readJob: (instance: string, queueId: string, jobId: string) => Promise<JobDetail | null>;
  readonly now: () => number;
  readonly newId: () => string;
}
