import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';
import type { Client } from '@libsql/client';
import { migrate } from 'drizzle-orm/libsql/migrator';
import { drizzle } from 'drizzle-orm/libsql/sqlite3';
import { type AlertingStore, createAlertingStore } from './alerts/alert-store.js';
import type { OutboxStore } from './alerts/outbox-store.js';
import { createOutboxStore } from './alerts/outbox-store.js';
import type { PredictionLog } from './forecast/predictions.js';
import { createPredictionLog } from './forecast/predictions.js';
import type { AuditLog } from './model/audit-record.js';
import type { TimelineLog } from './model/timeline-entry.js';
import { packagePath } from './process/package-path.js';
import { type CommandStore, createCommandStore } from './replay/command-relay.js';
import type { ReplayStore } from './replay/replay-store.js';
import { createReplayStore } from './replay/replay-store.js';
import { isHolderGone, newHolderId } from './store/holder-id.js';
import { createIdempotencyStore, type IdempotencyStore } from './store/idempotency.js';
import type { LeaseStore } from './store/lease.js';
import { createLeaseStore } from './store/lease.js';
import { createSessionStore, type SessionStore } from './store/sessions.js';
import { isLocal, storeClient } from './store/store-client.js';
import type { StoreSettings } from './store/store-settings.js';
import type { Database, Fence } from './store/tables.js';
import { writeProbe } from './store/tables.js';
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

/** Several consoles that open a new store at once get in each other's way while they prepare it. */
const OPEN_TRIES = 3;

/**
 * Opens (and where needed creates and migrates) the store in a directory. A directory that can't be written or a
 * file that is damaged does not stop the console: it then keeps its records in memory and says so, sees and acts, but never
 * holds a lease: others that reach the store may, and two would send and move jobs.
 * @param directory of the file `spillway.db`.
 * @param shared opened instead.
 */
export async function openStore(directory: string, shared: StoreSettings | null = null): Promise<Store> {
  try {
    if (shared) return await openInTurn(shared);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    return await openInTurn({
      url: pathToFileURL(join(directory, 'spillway.db')).href,
      authToken: null,
    });
  } catch (error) {
    const reason = reasonOf(error);
    const where = shared ? `the store at ${shared.url}` : `the store in ${directory}`;
    const problem = `${where} can't be opened (${reason}): records are lost when the console stops, and until it is started again with the store in reach it neither judges alerts, sends messages nor moves jobs`;
    return { ...(await openAt({ url: ':memory:', authToken: null }, problem)), leases: noLeases(problem) };
  }
}

async function openInTurn(settings: StoreSettings): Promise<Store> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await openAt(settings, null);
    } catch (error) {
      if (tries === OPEN_TRIES) throw error;
    }
  }
}

/** drizzle puts the statement first; what went wrong is behind it. */
function reasonOf(error: unknown): string {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return inner instanceof Error ? inner.message : 'unknown reason';
}

function noLeases(problem: string): LeaseStore {
  const refuse = () => Promise.reject(new Error(problem));
  return { read: refuse, take: refuse, renew: refuse, release: refuse };
}

async function openAt(settings: StoreSettings, problem: string | null): Promise<Store> {
  const client = await storeClient(settings);
  try {
    await prepare(client, settings.url);
    const database: Database = drizzle(client);
    await migrate(database, { migrationsFolder: packagePath('server/store/migrations') });
    const { activity, noticing } = createActivity(database);
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
      probe: async (nowMs) => {
        const row = { id: 1, atMs: nowMs };
        await database.insert(writeProbe).values(row).onConflictDoUpdate({ target: writeProbe.id, set: row });
      },
      alerting: createAlertingStore(database),
      activity: activity,
      episodes: createEpisodeLog(database),
      incidents: createIncidentLog(database),
      sessions: createSessionStore(database),
      problem,
      close: () => client.close(),
    };
  } catch (error) {
    client.close();
    throw error;
  }
}

/** WAL: a reader never waits for a writer, and a kill at any moment loses no committed record. A server sees to it itself. */
async function prepare(client: Client, url: string): Promise<void> {
  if (isLocal(url) && url !== ':memory:') await client.execute('PRAGMA journal_mode = WAL');
}
