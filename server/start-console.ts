import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Logger } from 'pino';
import { elementId } from '../views/words.js';
import { followAudit } from './actions/audited-actions.js';
import { unknownActions } from './actions/index.js';
import { ForbiddenAttempts } from './actions/request.js';
import { type ActionDeps, runAction } from './actions/run.js';
import { AlertCommands } from './alerts/alert-commands.js';
import { Alerting } from './alerts/alerting.js';
import { startMessaging } from './alerts/messaging.js';
import type { PathOf } from './alerts/notification.js';
import { AccessLog } from './auth/access-log.js';
import { Accounts } from './auth/accounts.js';
import type { Openid, OpenidDeps } from './auth/openid.js';
import { ProxyIdentity } from './auth/proxy-identity.js';
import { Sessions } from './auth/sessions.js';
import { type Config, ConfigError } from './config/config.js';
import type { RecordEvent } from './model/timeline-entry.js';
import { openStore, type Store } from './open-store.js';
import type { OwnHealth } from './process/own-health.js';
import { packageVersion } from './process/package-path.js';
import { ReplayQueues } from './replay/replay-queues.js';
import type { AppDeps } from './routes/app-deps.js';
import { LiveHub } from './routes/live/hub.js';
import { onSignalFault } from './signals/signal.js';
import { startMoving } from './start-moving.js';
import { type Common, startWatching } from './start-watching.js';
import { isHolderGone, newHolderId } from './store/holder-id.js';
import { Lease, type LeaseStore } from './store/lease.js';
import { keepPrivate } from './store/store-settings.js';
import { findJob, listJobs, probeQueue, readJob } from './watch/watch.js';

/**
 * Of all that only one of several consoles on a store does: judging rules, sending, the heartbeat, the spillway policy,
 * replays, parkings, and recording on the timeline what was noticed. An older console calls it so too, and alerts were first.
 */
const NAME = 'alerts';

/** Begins to look at it. A console that is alone holds it when this resolves, also where a former one was killed here. */
async function startLease(store: LeaseStore, warn: (message: string) => void): Promise<Lease> {
  const lease = new Lease({
    store,
    name: NAME,
    holder: newHolderId(),
    monotonicMs: () => performance.now(),
    isGone: isHolderGone,
    onProblem: (error) =>
      warn(
        `the lease could not be read or renewed: ${error instanceof Error ? error.message : 'unknown reason'}`,
      ),
  });
  await lease.start();
  return lease;
}

interface StartedConsole {
  readonly deps: AppDeps;
  /** Takes who may come in from the configuration as it is now; nothing else of it. */
  admitBy(config: Config): Promise<void>;
  /** In the order in which nothing is used after it has ended. */
  stop(): Promise<void>;
}

/** Starts everything but HTTP: the store, what watches, what notifies people, what moves jobs. */
export async function startConsole(config: Config, log: Logger, health: OwnHealth): Promise<StartedConsole> {
  const unknown = unknownActions(config.permits.off);
  if (unknown.length > 0) throw new ConfigError(unknown);
  const stopHearing = onSignalFault((name, error) => health.note(`signal ${name}`, error));
  warnOfOthers(config.dataDirectory, log);
  const store = await openStore(config.dataDirectory, config.store);
  if (store.problem) log.warn(store.problem);
  const now = (): number => Date.now();
  const warn = (message: string): void => log.warn(message);
  const common: Common = { now, newId: randomUUID, recordEvent: recordEventsIn(store, log), log, health };
  const accounts = new Accounts(config);
  const sessions = new Sessions(accounts, store.sessions, now, warn);
  await sessions.open();
  const openid = await openidOf(config, { sessions, now, warn });
  const proxied =
    config.headerAuth || config.assertionAuth ? new ProxyIdentity(config, accounts, now, warn) : null;
  const access = new AccessLog({ audit: store.audit, log, now, newId: randomUUID });
  const lease = await startLease(store.leases, warn);
  const watching = await startWatching(config, store, common, lease);
  const { watch, markers, history, keeper } = watching;
  await recordLife(config, store, 'started', `The console ${packageVersion()} has started.`);
  const messaging = startMessaging({
    settings: config.alerts,
    publicUrl: config.publicUrl,
    store,
    lease,
    watch,
    now,
    random: Math.random,
    newId: randomUUID,
    warn,
    onFault: (part, error) => health.note(part, error),
  });
  health.addSource(() => messaging.problems());
  health.watchOver({
    code: 'outbox',
    name: 'Sending messages',
    harm: 'Nobody is notified of alerts. Look at the store; it tries again every second.',
    health: () => [messaging.outboxHealth()],
  });
  const pathOf: PathOf = (finding) =>
    finding === null ? '/alerts' : `/#${elementId('finding', finding.key)}`;
  const alertDeps = {
    watch,
    store: store.alerting,
    timeline: store.timeline,
    pathOf,
    now,
    newId: randomUUID,
  };
  const alerting = new Alerting({
    ...alertDeps,
    notify: messaging.notify,
    notifyAcknowledged: messaging.notifyAcknowledged,
    holdsLease: () => lease.isHeld(),
    fileRules: config.alertRules.rules,
    timing: config.alertRules.timing,
    warn,
  });
  await alerting.start();
  const moving = await startMoving(config, store, watch, common, lease);
  const { parkings, replays } = moving;
  const following = followAudit({ watch, audit: store.audit, now }, (error) => health.note('audit', error));
  following.start(0);
  const actionDeps: ActionDeps = {
    watch,
    audit: store.audit,
    typeThresholds: store.typeThresholds,
    parkings,
    forbidden: new ForbiddenAttempts(),
    now,
    newId: randomUUID,
    warn,
    forecast: (prediction) => keeper.add(prediction),
  };
  const pull: AppDeps['runAction'] = (actor, request) => runAction(actionDeps, actor, request);
  const deps: AppDeps = {
    watch,
    live: new LiveHub(watch, (error) => health.note('a live page', error)),
    messaging,
    probeQueue: (instance, queueId, ask) => probeQueue(watch, instance, queueId, ask),
    audit: store.audit,
    timeline: store.timeline,
    predictions: store.predictions,
    markers,
    activity: store.activity,
    episodes: store.episodes,
    incidents: store.incidents,
    history,
    accounts,
    sessions,
    openid,
    proxied,
    access,
    idempotency: store.idempotency,
    parkings,
    runAction: pull,
    listJobs: (instance, queueId, query) => listJobs(watch, instance, queueId, query),
    readJob: (instance, queueId, jobId) => readJob(watch, instance, queueId, jobId),
    findJob: (jobId) => findJob(watch, jobId),
    replays,
    replayQueues: new ReplayQueues({ watch, globs: config.replayQueues, pull }),
    alerting,
    alerts: new AlertCommands({ ...alertDeps, alerting, audit: store.audit, history }),
    now,
    newId: randomUUID,
    thresholds: config.thresholds,
    jobDataRole: config.jobDataRole,
    isReadOnly: config.permits.isReadOnly,
    storeProblem: store.problem,
    groups: config.groups,
    health,
    version: packageVersion(),
    linkBase: config.publicUrl ?? config.basePath,
  };
  return {
    deps,
    async admitBy(renewed) {
      accounts.replace(renewed);
      await sessions.open();
    },
    async stop() {
      access.flush();
      await following.stop();
      await alerting.stop();
      await moving.stop();
      await messaging.stop();
      await watching.stop();
      await lease.stop();
      await recordLife(config, store, 'stopped', 'The console has stopped in an orderly way.');
      store.close();
      stopHearing();
    },
  };
}

/** Loaded where it is used alone: most consoles are without. */
async function openidOf(
  { openid: settings, publicUrl }: Config,
  deps: Pick<OpenidDeps, 'sessions' | 'now' | 'warn'>,
): Promise<Openid | null> {
  if (settings === null || publicUrl === null) return null;
  const { Openid } = await import('./auth/openid.js');
  return new Openid({ ...deps, settings, publicUrl });
}

/** A directory that can't be made or read is reported by what is opened in it. */
function warnOfOthers(directory: string, log: Logger): void {
  try {
    const problem = keepPrivate(directory);
    if (problem !== null) log.warn(problem);
  } catch (error) {
    log.debug({ err: error }, 'the rights of the data directory could not be looked at');
  }
}

function recordEventsIn({ timeline }: Store, log: Logger): RecordEvent {
  return (event) => {
    timeline.append({ ...event, id: randomUUID() }).catch((error: unknown) => {
      log.warn(
        `the timeline could not be kept: ${error instanceof Error ? error.message : 'unknown reason'}`,
      );
    });
  };
}

/** Waits until it is kept: what comes after a start must stand after it, and nothing is kept after a stop. */
async function recordLife(
  { instances }: Config,
  { timeline }: Store,
  what: 'started' | 'stopped',
  text: string,
): Promise<void> {
  const about = { atMs: Date.now(), kind: `console.${what}`, queue: null, worker: null, text } as const;
  await Promise.allSettled(
    instances.map(({ name }) => timeline.append({ ...about, id: randomUUID(), instance: name })),
  );
}
