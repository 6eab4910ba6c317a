import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';
import { type AlertingStore, createAlertingStore } from './alerts/alert-store.js';
import type { OutboxStore } from './alerts/outbox-store.js';
import { createOutboxStore } from './alerts/outbox-store.js';
import type { PredictionLog } from './forecast/predictions.js';
import { createPredictionLog } from './forecast/predictions.js';
import type { AuditLog } from './model/audit-record.js';
import type { TimelineLog } from './model/timeline-entry.js';
import { reasonOf } from './process/every.js';
import { type CommandStore, createCommandStore } from './replay/command-relay.js';
import type { ReplayStore } from './replay/replay-store.js';
import { createReplayStore } from './replay/replay-store.js';
import type { Database, Fence } from './store/database.js';
import { isHolderGone, newHolderId } from './store/holder-id.js';
import { createIdempotencyStore, type IdempotencyStore } from './store/idempotency.js';
import type { LeaseStore } from './store/lease.js';
import { createLeaseStore } from './store/lease.js';
import { createSessionStore, type SessionStore } from './store/sessions.js';
import { openSqlite } from './store/sqlite.js';
import { isOnServer, type StoreSettings } from './store/store-settings.js';
import { storeTroubleOf, troubleInWords } from './store/store-trouble.js';
import { type ActivityLog, createActivity } from './timeline/activity-log.js';
import { createAuditLog } from './timeline/audit-log.js';
import { createEpisodeLog, type EpisodeLog } from './timeline/episode.js';
import type { IncidentLog } from './timeline/incident.js';
import { createIncidentLog } from './timeline/incident.js';
import { createTimeline } from './timeline/timeline-log.js';
import { createGivenOrders, type GivenOrders } from './watch/given-orders.js';
import { createLostWorkerStore } from './watch/lost-keeper.js';
import type { LostWorkerStore } from './watch/lost-workers.js';
import type { TypeThresholds } from './watch/type-thresholds.js';
import { openTypeThresholds } from './watch/type-thresholds.js';

export interface Store {
  readonly audit: AuditLog;
  readonly idempotency: IdempotencyStore;
  readonly timeline: TimelineLog;
  readonly predictions: PredictionLog;
  readonly typeThresholds: TypeThresholds;
  readonly lostWorkers: LostWorkerStore;
  readonly replays: ReplayStore;
  /** The same, for who writes only while it holds the lease. */
  readonly fencedReplays: (fence: Fence) => ReplayStore;
  readonly outbox: OutboxStore;
  readonly leases: LeaseStore;
  readonly commands: CommandStore;
  readonly givenOrders: GivenOrders;
  /** Writes a little. @throws what keeps the store from being written. */
  readonly probe: (nowMs: number) => Promise<void>;
  readonly alerting: AlertingStore;
  readonly activity: ActivityLog;
  readonly episodes: EpisodeLog;
  readonly incidents: IncidentLog;
  readonly sessions: SessionStore;
  /** Why nothing is kept on disk; null while it is. The console works on with a store in memory. */
  readonly problem: string | null;
  close(): void;
}

/**
 * Opens (and where needed creates and migrates) the store in a directory. A directory that can't be written, a file that is
 * damaged or a server that does not answer does not stop the console: it then keeps its records in memory and says so, sees
 * and acts, but never holds a lease: others that reach the store may, and two would send and move jobs.
 * @param directory of the file `spillway.db`.
 * @param shared opened instead.
 */
export async function openStore(directory: string, shared: StoreSettings | null = null): Promise<Store> {
  try {
    return await storeOn(await openDatabase(directory, shared), null);
  } catch (error) {
    const where = shared ? `the store at ${shared.name}` : `the store in ${directory}`;
    const trouble = shared && isOnServer(shared) ? storeTroubleOf(error) : null;
    const why = trouble === null ? reasonOf(error) : `${reasonOf(error)}; ${troubleInWords(trouble)}`;
    const problem = `${where} can't be opened (${why}): records are lost when the console stops, and until it is started again with the store in reach it neither judges alerts, sends messages nor moves jobs`;
    return { ...(await storeOn(await openSqlite(':memory:'), problem)), leases: noLeases(problem) };
  }
}

async function openDatabase(directory: string, shared: StoreSettings | null): Promise<Database> {
  if (shared && isOnServer(shared)) return (await import('./store/postgres.js')).openPostgres(shared);
  if (shared) return openSqlite(shared.url);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return openSqlite(pathToFileURL(join(directory, 'spillway.db')).href);
}

function noLeases(problem: string): LeaseStore {
  const refuse = () => Promise.reject(new Error(problem));
  return { read: refuse, take: refuse, renew: refuse, release: refuse };
}

async function storeOn(database: Database, problem: string | null): Promise<Store> {
  const { activity, noticing } = createActivity(database);
  const probes = database.withTables<{ writeProbe: { readonly id: number; readonly atMs: number } }>();
  return {
    audit: noticing(createAuditLog(database)),
    idempotency: createIdempotencyStore(database, {
      holder: newHolderId(),
      isGone: isHolderGone,
      monotonicMs: () => performance.now(),
    }),
    timeline: noticing(createTimeline(database)),
    predictions: createPredictionLog(database),
    typeThresholds: await openTypeThresholds(database),
    lostWorkers: createLostWorkerStore(database),
    replays: createReplayStore(database),
    fencedReplays: (fence) => createReplayStore(database, fence),
    outbox: createOutboxStore(database),
    leases: createLeaseStore(database),
    commands: createCommandStore(database),
    givenOrders: createGivenOrders(database),
    probe: async (atMs) => {
      await probes
        .insertInto('writeProbe')
        .values({ id: 1, atMs })
        .onConflict((known) => known.column('id').doUpdateSet({ atMs }))
        .execute();
    },
    alerting: createAlertingStore(database),
    activity,
    episodes: createEpisodeLog(database),
    incidents: createIncidentLog(database),
    sessions: createSessionStore(database),
    problem,
    close: () => database.close(),
  };
}
