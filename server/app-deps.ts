import type { Outcome } from './actions/action.js';
import type { ActionRequest } from './actions/request.js';
import type { AlertCommands } from './alerts/alert-commands.js';
import type { Messaging } from './alerts/messaging.js';
import type { AccessLog } from './auth/access-log.js';
import type { Actor, Role } from './auth/role.js';
import type { Sessions } from './auth/sessions.js';
import type { Thresholds } from './findings/finding.js';
import type { OwnHealth } from './health/own-health.js';
import type { CanaryAsk, CanaryResult } from './redis/canary.js';
import type { ParkingPort } from './replay/parking/parking-port.js';
import type { ReplayPort } from './replay/replay-port.js';
import type { ReplayQueues } from './replay/replay-queues.js';

import type { ActivityLog } from './store/activity/account-log.js';
import type { AuditLog } from './store/audit-record.js';
import type { EpisodeLog } from './store/episode-log.js';
import type { HistoryLog } from './store/history/history-log.js';
import type { IdempotencyStore } from './store/idempotency.js';
import type { IncidentLog } from './store/incidents/incident.js';
import type { PredictionLog } from './store/prediction-log.js';
import type { TimelineLog } from './store/timeline-entry.js';
import type { JobDetail, JobPage, JobQuery } from './watch/job-view.js';
import type { MarkerCache } from './watch/marker-cache.js';
import type { Watch } from './watch/watch.js';

/** What the HTTP layer is given. Built once in app.ts. */
export interface AppDeps {
  readonly watch: Watch;
  /** Told of views that throw. */
  readonly health: Pick<OwnHealth, 'note'>;
  readonly messaging: Messaging;
  /** Sends a canary job through a queue, the way users' jobs go. @throws CanaryRefused, JobsUnavailable */
  readonly probeQueue: (instance: string, queueId: string, ask: CanaryAsk) => Promise<CanaryResult>;
  readonly audit: AuditLog;
  readonly timeline: TimelineLog;
  /** How good forecasts have been. */
  readonly predictions: Pick<PredictionLog, 'score'>;
  readonly markers: MarkerCache;
  /** What signals were. */
  readonly history: HistoryLog;
  /** Timeline and audit as one account. */
  readonly account: ActivityLog;
  readonly episodes: EpisodeLog;
  readonly incidents: IncidentLog;
  /** Who is signed in, and what is told of the door. */
  readonly sessions: Sessions;
  readonly access: AccessLog;
  readonly idempotency: IdempotencyStore;
  readonly parkings: ParkingPort;
  /** One outcome per target; never throws for what Redis refuses (that is an outcome), throws ActionError for a request that makes no sense. */
  readonly runAction: (actor: Actor, request: ActionRequest) => Promise<readonly Outcome[]>;
  readonly listJobs: (instance: string, queueId: string, query: JobQuery) => Promise<JobPage>;
  readonly readJob: (instance: string, queueId: string, jobId: string) => Promise<JobDetail | null>;
  readonly replays: ReplayPort;
  readonly replayQueues: ReplayQueues;
  readonly alerts: AlertCommands;
  readonly now: () => number;
  readonly newId: () => string;
  readonly thresholds: Thresholds;
  /** The least role that sees job data, options, logs and stack traces. */
  readonly jobDataRole: Role;
  /** Why nothing is kept on disk; null while it is. */
  readonly storeProblem: string | null;
  /** Named groups of queues, as globs. */
  readonly groups: Readonly<Record<string, readonly string[]>>;
  /** Tokens are configured, so people sign in and out. */
  readonly hasSignIn: boolean;
  readonly version: string;
}
