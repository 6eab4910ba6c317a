import { type SqlBool, sql } from 'kysely';
import type { Alert, AlertAcknowledgement } from '../model/alert.js';
import { type Database, isBeyondNewest } from '../store/database.js';
import { createRulesStore, createSilenceStore, type RulesStore, type SilenceStore } from './rules-store.js';

/** An alert that is not over, or one of the last of those that are. The record is only ever read and written whole. */
interface AlertRow {
  readonly id: string;
  readonly instance: string;
  readonly rule: string;
  /** Of the alert: the same for the next one about the same. */
  readonly key: string;
  readonly state: Alert['state'];
  readonly firedAtMs: number | null;
  readonly resolvedAtMs: number | null;
  /** What people were told last. */
  readonly notifiedStatus: string | null;
  /** Beside the record, as another console than the one that judges may write it. */
  readonly acknowledged: string | null;
  readonly record: string;
}

/** Kept: the newest of these that are over. */
const MAX_RESOLVED = 10_000;
/** Old ones are looked for after so many writes. */
const PRUNE_EVERY = 200;
/** An engine takes a bounded number of values in one statement. */
const ROWS_AT_ONCE = 100;
/** What is not over, at most: a console that restores more would not judge in time. */
const MAX_OPEN = 20_000;

type AlertStore = ReturnType<typeof createAlertStore>;

/** Alerts on disk: what a console that is killed finds again. */
function createAlertStore(database: Database) {
  const db = database.withTables<{ alerts: AlertRow }>();
  let written = 0;
  const ofRow = ({ record, acknowledged }: AlertRow): Alert => ({
    ...(JSON.parse(record) as Alert),
    acknowledged: acknowledgedOf(acknowledged),
  });
  return {
    /** Writes these as they are now, all or none. An acknowledgement that is kept stays. */
    async save(changed: readonly Alert[]): Promise<void> {
      if (changed.length === 0) return;
      await database.atomically(
        chunked(changed).map((some) =>
          db
            .insertInto('alerts')
            .values(some.map(rowOf))
            .onConflict((known) =>
              known.column('id').doUpdateSet((to) => ({
                state: to.ref('excluded.state'),
                firedAtMs: to.ref('excluded.firedAtMs'),
                resolvedAtMs: to.ref('excluded.resolvedAtMs'),
                notifiedStatus: to.ref('excluded.notifiedStatus'),
                record: to.ref('excluded.record'),
              })),
            ),
        ),
      );
      const before = written;
      written += changed.length;
      if (Math.floor(written / PRUNE_EVERY) === Math.floor(before / PRUNE_EVERY) && before > 0) return;
      const among = sql<SqlBool>`state = 'resolved'`;
      await db
        .deleteFrom('alerts')
        .where(among)
        .where(isBeyondNewest(MAX_RESOLVED, { table: 'alerts', time: 'resolvedAtMs', among }))
        .execute();
    },
    /** Takes away what never fired. */
    async drop(ids: readonly string[]): Promise<void> {
      for (const some of chunked(ids))
        await db.deleteFrom('alerts').where('id', 'in', some).where('state', '=', 'pending').execute();
    },
    /** Those that are pending or fire, and those whose end nobody was notified of. */
    async open(): Promise<readonly Alert[]> {
      const rows = await db
        .selectFrom('alerts')
        .selectAll()
        .where((is) =>
          is.or([
            is('state', 'in', ['pending', 'firing']),
            is.and([is('state', '=', 'resolved'), is('notifiedStatus', '=', 'firing')]),
          ]),
        )
        .limit(MAX_OPEN)
        .execute();
      return rows.map(ofRow);
    },
    /** Those that are over, the latest first. */
    async resolved({
      sinceMs = 0,
      limit,
    }: {
      readonly sinceMs?: number;
      readonly limit: number;
    }): Promise<readonly Alert[]> {
      const rows = await db
        .selectFrom('alerts')
        .selectAll()
        .where('state', '=', 'resolved')
        .where('resolvedAtMs', '>=', sinceMs)
        .orderBy('resolvedAtMs', 'desc')
        .limit(limit)
        .execute();
      return rows.map(ofRow);
    },
    /** When alerts fired since then, by their key; the latest thousands. */
    async firings(sinceMs: number): Promise<ReadonlyMap<string, readonly number[]>> {
      const rows = await db
        .selectFrom('alerts')
        .select(['key', 'firedAtMs'])
        .where('firedAtMs', '>=', sinceMs)
        .orderBy('firedAtMs')
        .limit(MAX_RESOLVED)
        .execute();
      const byKey = new Map<string, number[]>();
      for (const { key, firedAtMs } of rows)
        byKey.set(key, [...(byKey.get(key) ?? []), firedAtMs ?? sinceMs]);
      return byKey;
    },
    async read(id: string): Promise<Alert | null> {
      const row = await db.selectFrom('alerts').selectAll().where('id', '=', id).executeTakeFirst();
      return row ? ofRow(row) : null;
    },
    async acknowledge(id: string, acknowledged: AlertAcknowledgement): Promise<void> {
      await db
        .updateTable('alerts')
        .set({ acknowledged: JSON.stringify(acknowledged) })
        .where('id', '=', id)
        .execute();
    },
    /** Acknowledgements of alerts that are not over. */
    async acknowledgements(): Promise<ReadonlyMap<string, AlertAcknowledgement>> {
      const rows = await db
        .selectFrom('alerts')
        .select(['id', 'acknowledged'])
        .where('state', '<>', 'resolved')
        .where('acknowledged', 'is not', null)
        .execute();
      const all = rows.map(({ id, acknowledged }) => [id, acknowledgedOf(acknowledged)] as const);
      return new Map(all.flatMap(([id, acknowledged]) => (acknowledged ? [[id, acknowledged]] : [])));
    },
  };
}

function acknowledgedOf(text: string | null): AlertAcknowledgement | null {
  return text === null ? null : JSON.parse(text);
}

function rowOf(alert: Alert): AlertRow {
  const { id, key, subject, ruleId, state, firedAtMs, resolvedAtMs, notified, acknowledged } = alert;
  return {
    ...{ id, key, state, firedAtMs, resolvedAtMs },
    instance: subject.instance,
    rule: ruleId,
    notifiedStatus: notified?.status ?? null,
    acknowledged: acknowledged && JSON.stringify(acknowledged),
    record: JSON.stringify(alert),
  };
}

function chunked<T>(items: readonly T[]): T[][] {
  const chunks: T[][] = [];
  for (let i = 0; i < items.length; i += ROWS_AT_ONCE) chunks.push(items.slice(i, i + ROWS_AT_ONCE));
  return chunks;
}

/** All that alerting keeps. */
export interface AlertingStore {
  readonly rules: RulesStore;
  readonly alerts: AlertStore;
  readonly silences: SilenceStore;
}

export function createAlertingStore(database: Database): AlertingStore {
  return {
    rules: createRulesStore(database),
    alerts: createAlertStore(database),
    silences: createSilenceStore(database),
  };
}
