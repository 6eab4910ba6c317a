import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import { serve } from '@hono/node-server';
import { type Messaging, startMessaging } from './alerts/messaging.js';
import { startAlerting } from './alerts/start-alerting.js';
import { createApp } from './app.js';
import type { AppDeps } from './app-deps.js';
import { sessionSecret } from './auth/session.js';
import type { Config } from './config.js';
import { runLever } from './levers/run.js';
import { createLog } from './log.js';
import type { Prediction } from './model/plan/score.js';
import { MovedJobs } from './replay/moved-jobs.js';
import { runPolicies } from './replay/parking/run-policies.js';
import { startParkings } from './replay/parking/start-parkings.js';
import { ReplayQueues } from './replay/replay-queues.js';
import { Replays } from './replay/replays.js';
import { closeLive } from './routes/live.js';
import { elementId } from './routes/pages/words.js';
import { openHistory } from './store/history/open-history.js';
import { openStore } from './store/open-store.js';
import type { TimelineEntry } from './store/timeline-entry.js';
import { packageVersion } from './version.js';
import { createWatch } from './watch/create-watch.js';
import { listJobs, readJob } from './watch/jobs.js';
import { MarkerBook } from './watch/marker-book.js';
import { PredictionKeeper } from './watch/prediction-keeper.js';
import { probeQueue } from './watch/probe-queue.js';
import { recallMarkers } from './watch/recall-markers.js';
import { SpellKeeper } from './watch/spell-keeper.js';

/** Connections that don't end by themselves are cut after this. */
const CLOSE_WITHIN_MS = 3_000;

/**
 * Serves the console until SIGINT or SIGTERM.
 * @returns 0 after an orderly end, 1 when the port can't be had.
 */
export async function serveConsole(config: Config): Promise<number> {
  const log = createLog(config.logLevel);
  const store = await openStore(config.dataDirectory);
  if (store.problem) log.warn(store.problem);
  const now = (): number => Date.now();
  const markers = new MarkerBook(
    config.instances.map(({ name }) => name),
    now,
  );
  await recallMarkers(markers, store.timeline, now()).catch((error: unknown) =>
    log.warn({ err: error }, 'the markers of the last day could not be read'),
  );
  const tell = (event: Omit<TimelineEntry, 'id'>): void => {
    store.timeline.append({ ...event, id: randomUUID() }).catch((error: unknown) => {
      log.warn(
        `the timeline could not be kept: ${error instanceof Error ? error.message : 'unknown reason'}`,
      );
    });
  };
  const history = await openHistory({
    directory: config.dataDirectory,
    settings: config.history,
    now,
    warn: (message) => log.warn(message),
  });
  // Both need the other: the watch tells of the console's own troubles, which are those of its messaging too.
  const own: { messaging?: Messaging } = {};
  const watch = createWatch({
    instances: config.instances,
    thresholds: config.thresholds,
    now,
    log: { info: (message) => log.info(message), warn: (message) => log.warn(message) },
    random: Math.random,
    slowThresholdMs: (instance, queueId, type) => store.typeThresholds.of(instance, queueId, type),
    newId: randomUUID,
    tell,
    markers: (instance) => markers.of(instance),
    historyProblem: () => history.log.problem(),
    ownProblems: () => own.messaging?.problems() ?? [],
  });
  history.follow(watch);
  const tellOfConsole = (what: 'started' | 'stopped', text: string): Promise<unknown> =>
    Promise.allSettled(
      config.instances.map(({ name }) =>
        store.timeline.append({
          id: randomUUID(),
          atMs: now(),
          instance: name,
          kind: `console.${what}`,
          queue: null,
          worker: null,
          text,
        }),
      ),
    );
  await tellOfConsole('started', `The console ${packageVersion()} has started.`);
  const keeper = new PredictionKeeper({
    watch,
    log: store.predictions,
    now,
    newId: randomUUID,
    warn: (message) => log.warn(message),
  });
  await keeper
    .start()
    .catch((error: unknown) => log.warn({ err: error }, 'open forecasts could not be read'));
  const moved = new MovedJobs();
  const spells = new SpellKeeper({
    watch,
    spells: store.spells,
    timeline: store.timeline,
    now,
    newId: randomUUID,
    warn: (message) => log.warn(message),
  });
  await spells
    .start()
    .catch((error: unknown) => log.warn({ err: error }, 'findings that were open could not be read'));
  const parkings = await startParkings({
    directory: config.dataDirectory,
    maxBytes: config.parking.maxBytes,
    watch,
    moved,
    now,
    newId: randomUUID,
    tell,
    warn: (message) => log.warn(message),
  });
  if (parkings.port.problem) log.warn(parkings.port.problem);
  const policies = runPolicies({
    rules: config.spillway,
    watch,
    parkings: parkings.port,
    tell,
    now,
    isMine: () => own.messaging?.lease.isHeld() ?? false,
  });
  const leverDeps = {
    watch,
    audit: store.audit,
    typeThresholds: store.typeThresholds,
    parkings: parkings.port,
    now,
    newId: randomUUID,
    warn: (message: string) => log.warn(message),
    foretold: (prediction: Prediction) => keeper.add(prediction),
  };
  const replays = new Replays({
    watch,
    store: store.replays,
    audit: store.audit,
    parked: parkings.source,
    moved,
    tell,
    now,
    newId: randomUUID,
    warn: (message) => log.warn(message),
  });
  await replays.open();
  const messaging = startMessaging({
    settings: config.alerts,
    store,
    watch,
    now,
    random: Math.random,
    newId: randomUUID,
    warn: (message) => log.warn(message),
  });
  own.messaging = messaging;
  const alerting = await startAlerting({
    config: config.alertRules,
    watch,
    store: store.alerting,
    audit: store.audit,
    timeline: store.timeline,
    history: history.log,
    notify: messaging.notify,
    holdsLease: () => messaging.lease.isHeld(),
    anchorOf: ({ key }) => elementId('finding', key),
    now,
    newId: randomUUID,
    warn: (message) => log.warn(message),
  });
  const deps: AppDeps = {
    watch,
    messaging,
    probeQueue: (instance, queueId, ask) => probeQueue(watch, instance, queueId, ask),
    audit: store.audit,
    timeline: store.timeline,
    predictions: store.predictions,
    markers,
    account: store.account,
    spells: store.spells,
    incidents: store.incidents,
    history: history.log,
    idempotency: store.idempotency,
    parkings: parkings.port,
    runLever: (actor, request) => runLever(leverDeps, actor, request),
    listJobs: (instance, queueId, query) => listJobs(watch, instance, queueId, query),
    readJob: (instance, queueId, jobId) => readJob(watch, instance, queueId, jobId),
    replays,
    replayQueues: new ReplayQueues({
      watch,
      globs: config.replayQueues,
      pull: (actor, request) => runLever(leverDeps, actor, request),
    }),
    alerts: alerting.desk,
    now,
    newId: randomUUID,
    thresholds: config.thresholds,
    jobDataRole: config.jobDataRole,
    storeProblem: store.problem,
    groups: config.groups,
    hasSignIn: config.tokens.length > 0,
    version: packageVersion(),
  };
  const app = createApp({
    config,
    deps,
    secret: sessionSecret(config.dataDirectory),
    logError: (message, error) => log.error({ err: error }, message),
  });
  try {
    return await untilStopped(config, app.fetch);
  } finally {
    await alerting.stop();
    keeper.stop();
    await spells.stop();
    policies.stop();
    // Replays take from what is parked: its file is closed after them.
    await replays.stop();
    await parkings.stop();
    await messaging.stop();
    await watch.stop();
    await history.stop();
    await tellOfConsole('stopped', 'The console has stopped in an orderly way.');
    store.close();
  }
}

/** Listens, says where, and waits for the signal to end. */
function untilStopped(config: Config, fetch: Parameters<typeof serve>[0]['fetch']): Promise<number> {
  return new Promise((resolve) => {
    const server = serve({ fetch, hostname: config.host, port: config.port }, ({ port }) => {
      process.stdout.write(`Spillway: http://${shownHost(config.host)}:${port}\n`);
    }) as Server;
    server.once('error', (error: NodeJS.ErrnoException) => {
      process.stderr.write(`spillway: ${whyNotListening(error, config)}\n`);
      resolve(1);
    });
    const end = (): void => {
      closeLive();
      server.close(() => resolve(0));
      server.closeIdleConnections();
      setTimeout(() => server.closeAllConnections(), CLOSE_WITHIN_MS).unref();
    };
    process.once('SIGINT', end);
    process.once('SIGTERM', end);
  });
}

function whyNotListening(error: NodeJS.ErrnoException, config: Config): string {
  if (error.code === 'EADDRINUSE')
    return `port: ${config.port} on ${config.host} is in use; give another with --port`;
  if (error.code === 'EACCES')
    return `port: ${config.port} needs more rights; give one above 1023 with --port`;
  if (error.code === 'EADDRNOTAVAIL') return `host: ${config.host} is not an address of this machine`;
  return `can't listen on ${config.host}:${config.port}: ${error.code ?? error.message}`;
}

function shownHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host === '0.0.0.0' ? '127.0.0.1' : host;
}
