import { and, desc, eq, gte, inArray, isNotNull, ne, sql } from 'drizzle-orm';
import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import type { Alert, AlertAcknowledgement } from '../model/alert.js';
import type { Database } from '../store/tables.js';
import { createRulesStore, createSilenceStore, type RulesStore, type SilenceStore } from './rules-store.js';

/** Alerts: those that are not over, and the last of those that are. The record is only ever read and written whole. */
const alerts = sqliteTable(
  'alerts',
  {
    id: text('id').primaryKey(),
    instance: text('instance').notNull(),
    rule: text('rule').notNull(),
    state: text('state').$type<Alert['state']>().notNull(),
    firedAtMs: integer('fired_at_ms'),
    resolvedAtMs: integer('resolved_at_ms'),
    /** Beside the record, as another console than the one that judges may write it. */
    acknowledged: text('acknowledged', { mode: 'json' }).$type<AlertAcknowledgement>(),
    record: text('record', { mode: 'json' }).$type<Alert>().notNull(),
  },
  (table) => [
    index('alerts_state').on(table.state, table.resolvedAtMs),
    index('alerts_fired').on(table.firedAtMs),
  ],
);

/** Kept: the newest of these that are over. */
const MAX_RESOLVED = 10_000;
/** Old ones are looked for after so many writes. */
const PRUNE_EVERY = 200;
/** SQLite takes a bounded number of values in one statement. */
const ROWS_AT_ONCE = 100;
/** What is not over, at most: a console that restores more would not judge in time. */
const MAX_OPEN = 20_000;

const LAST_NOTIFIED = sql`json_extract(record, '$.notified.status')`;

type AlertStore = ReturnType<typeof createAlertStore>;

/** Alerts on disk: what a console that is killed finds again. */
function createAlertStore(database: Database) {
  let written = 0;
  const ofRow = ({ record, acknowledged }: typeof alerts.$inferSelect): Alert => ({
    ...record,
    acknowledged,
  });
  return {
    /** Writes these as they are now, all or none. An acknowledgement that is kept stays. */
    async save(changed: readonly Alert[]): Promise<void> {
      if (changed.length === 0) return;
      const statements = chunked(changed).map((some) =>
        database
          .insert(alerts)
          .values(some.map(rowOf))
          .onConflictDoUpdate({
            target: alerts.id,
            set: {
              state: sql`excluded.state`,
              firedAtMs: sql`excluded.fired_at_ms`,
              resolvedAtMs: sql`excluded.resolved_at_ms`,
              record: sql`excluded.record`,
            },
          }),
      );
      const [first, ...rest] = statements;
      if (first) await database.batch([first, ...rest]);
      const before = written;
      written += changed.length;
      if (Math.floor(written / PRUNE_EVERY) === Math.floor(before / PRUNE_EVERY) && before > 0) return;
      await database
        .delete(alerts)
        .where(
          sql`${alerts.id} IN (SELECT id FROM ${alerts} WHERE state = 'resolved' ORDER BY resolved_at_ms DESC LIMIT -1 OFFSET ${MAX_RESOLVED})`,
        );
    },
    /** Takes away what never fired. */
    async drop(ids: readonly string[]): Promise<void> {
      for (const some of chunked(ids))
        await database.delete(alerts).where(and(inArray(alerts.id, some), eq(alerts.state, 'pending')));
    },
    /** Those that are pending or fire, and those whose end nobody was notified of. */
    async open(): Promise<readonly Alert[]> {
      const rows = await database
        .select()
        .from(alerts)
        .where(sql`state IN ('pending', 'firing') OR (state = 'resolved' AND ${LAST_NOTIFIED} = 'firing')`)
        .limit(MAX_OPEN);
      return rows.map(ofRow);
    },
    /** Those that are over, the latest first. */
    async resolved({
      sinceMs,
      limit,
    }: {
      readonly sinceMs?: number;
      readonly limit: number;
    }): Promise<readonly Alert[]> {
      const rows = await database
        .select()
        .from(alerts)
        .where(
          and(
            eq(alerts.state, 'resolved'),
            sinceMs === undefined ? undefined : gte(alerts.resolvedAtMs, sinceMs),
          ),
        )
        .orderBy(desc(alerts.resolvedAtMs))
        .limit(limit);
      return rows.map(ofRow);
    },
    /** When alerts fired since then, by their key; the latest thousands. */
    async firings(sinceMs: number): Promise<ReadonlyMap<string, readonly number[]>> {
      const rows = await database
        .select({ key: sql<string>`json_extract(record, '$.key')`, firedAtMs: alerts.firedAtMs })
        .from(alerts)
        .where(gte(alerts.firedAtMs, sinceMs))
        .orderBy(alerts.firedAtMs)
        .limit(MAX_RESOLVED);
      const byKey = new Map<string, number[]>();
      for (const { key, firedAtMs } of rows)
        byKey.set(key, [...(byKey.get(key) ?? []), firedAtMs ?? sinceMs]);
      return byKey;
    },
    async read(id: string): Promise<Alert | null> {
      const [row] = await database.select().from(alerts).where(eq(alerts.id, id));
      return row ? ofRow(row) : null;
    },
    async acknowledge(id: string, acknowledged: AlertAcknowledgement): Promise<void> {
      await database.update(alerts).set({ acknowledged }).where(eq(alerts.id, id));
    },
    /** Acknowledgements of alerts that are not over. */
    async acknowledgements(): Promise<ReadonlyMap<string, AlertAcknowledgement>> {
      const rows = await database
        .select({ id: alerts.id, acknowledged: alerts.acknowledged })
        .from(alerts)
        .where(and(ne(alerts.state, 'resolved'), isNotNull(alerts.acknowledged)));
      return new Map(rows.flatMap(({ id, acknowledged }) => (acknowledged ? [[id, acknowledged]] : [])));
    },
  };
}

function rowOf(alert: Alert): typeof alerts.$inferInsert {
  const { id, subject, ruleId, state, firedAtMs, resolvedAtMs, acknowledged } = alert;
  return {
    id,
    instance: subject.instance,
    rule: ruleId,
    state,
    firedAtMs,
    resolvedAtMs,
    acknowledged,
    record: alert,
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
