import type { AlertCommands } from '../alerts/alert-commands.js';
import type { Alerting } from '../alerts/alerting.js';
import type { Messaging } from '../alerts/messaging.js';
import type { AccessLog } from '../auth/access-log.js';
import type { Accounts } from '../auth/accounts.js';
import type { Openid } from '../auth/openid.js';
import type { ProxyIdentity } from '../auth/proxy-identity.js';
import type { Sessions } from '../auth/sessions.js';
import type { PredictionLog } from '../forecast/predictions.js';
import type { HistoryLog } from '../history/history-log.js';
import type { ActionRequest, Outcome } from '../model/action.js';
import type { AuditLog } from '../model/audit-record.js';
import type { Thresholds } from '../model/finding.js';
import type { CanaryAsk, CanaryResult, JobDetail, JobPage, JobQuery } from '../model/job-view.js';
import type { Actor, Role } from '../model/role.js';
import type { TimelineLog } from '../model/timeline-entry.js';
import type { OwnHealth } from '../process/own-health.js';
import type { Parkings } from '../replay/parking/parkings.js';
import type { ReplayQueues } from '../replay/replay-queues.js';
import type { Replays } from '../replay/replays.js';
import type { IdempotencyStore } from '../store/idempotency.js';
import type { ActivityLog } from '../timeline/activity-log.js';
import type { EpisodeLog } from '../timeline/episode.js';
import type { IncidentLog } from '../timeline/incident.js';
import type { MarkerCache } from '../watch/marker-cache.js';
import type { JobPlaces, Watch } from '../watch/watch.js';
import type { LiveHub } from './live/hub.js';

/**
 * routes/ is all that HTTP reaches: api/ (JSON), pages/ (HTML) and live/ (server-sent events), behind gate.ts. It imports
 * every module but redis/. What it is given is listed here, built once in start-console.ts; a part names what it takes of it
 * (Pick). Begin with api/index.ts.
 */
export interface AppDeps {
  readonly watch: Watch;
  /** Notes views that throw. */
  readonly health: Pick<OwnHealth, 'note'>;
  /** Streams of live pages; closed before the server, so that it can close. Pages come back by themselves. */
  readonly live: LiveHub;
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
  readonly activity: ActivityLog;
  readonly episodes: EpisodeLog;
  readonly incidents: IncidentLog;
  /** Who may come in, who is signed in, and what is recorded of the door. */
  readonly accounts: Accounts;
  readonly sessions: Sessions;
  /** Sign-in by a provider; null: there is none. */
  readonly openid: Openid | null;
  /** Whom a trusted proxy has signed in; null: no proxy is believed. */
  readonly proxied: ProxyIdentity | null;
  readonly access: AccessLog;
  readonly idempotency: IdempotencyStore;
  readonly parkings: Parkings;
  /** One outcome per target; never throws for what Redis refuses (that is an outcome), throws ActionError for a request that makes no sense. */
  readonly runAction: (actor: Actor, request: ActionRequest) => Promise<readonly Outcome[]>;
  readonly listJobs: (instance: string, queueId: string, query: JobQuery) => Promise<JobPage>;
  readonly readJob: (instance: string, queueId: string, jobId: string) => Promise<JobDetail | null>;
  readonly findJob: (jobId: string) => Promise<JobPlaces>;
  readonly replays: Replays;
  readonly replayQueues: ReplayQueues;
  readonly alerting: Alerting;
  readonly alerts: AlertCommands;
  readonly now: () => number;
  readonly newId: () => string;
  readonly thresholds: Thresholds;
  /** The least role that sees job data, options, logs and stack traces. */
  readonly jobDataRole: Role;
  /** Every change is refused, and no control is drawn. */
  readonly isReadOnly: boolean;
  /** Why nothing is kept on disk; null while it is. */
  readonly storeProblem: string | null;
  /** Named groups of queues, as globs. */
  readonly groups: Readonly<Record<string, readonly string[]>>;
  readonly version: string;
  /** What links begin with in texts that leave the console: `publicUrl`, else its path. */
  readonly linkBase: string;
}
