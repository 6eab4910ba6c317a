import { and, desc, eq, gt, gte, inArray, isNotNull, lte, ne, sql } from 'drizzle-orm';
import type { Database } from '../store/tables.js';
import type { Acknowledgement, Alert } from './alert.js';
import { alerts, silences } from './alert-tables.js';
import { createRulesStore, type RulesStore } from './rules-store.js';
import type { Silence } from './silence.js';

/** Kept: the newest of these that are over. */
const MAX_RESOLVED = 10_000;
/** Old ones are looked for after so many writes. */
const PRUNE_EVERY = 200;
/** SQLite takes a bounded number of values in one statement. */
const ROWS_AT_ONCE = 100;
/** What is not over, at most: a console that restores more would not judge in time. */
const MAX_OPEN = 20_000;

/** Alerts on disk: what a console that is killed finds again. */
interface AlertStore {
  /** Writes these as they are now, all or none. An acknowledgement that is kept stays. */
  save(changed: readonly Alert[]): Promise<void>;
  /** Takes away what never fired. */
  drop(ids: readonly string[]): Promise<void>;
  /** Those that are pending or fire, and those whose end was not told. */
  open(): Promise<readonly Alert[]>;
  /** Those that are over, the latest first. */
  resolved(query: { readonly sinceMs?: number; readonly limit: number }): Promise<readonly Alert[]>;
  /** When alerts fired since then, by their key; the latest thousands. */
  firings(sinceMs: number): Promise<ReadonlyMap<string, readonly number[]>>;
  read(id: string): Promise<Alert | null>;
  acknowledge(id: string, acknowledged: Acknowledgement): Promise<void>;
  /** Acknowledgements of alerts that are not over. */
  acknowledgements(): Promise<ReadonlyMap<string, Acknowledgement>>;
}

function createAlertStore(database: Database): AlertStore {
  let written = 0;
  const ofRow = ({ record, acknowledged }: typeof alerts.$inferSelect): Alert => ({
    ...record,
    acknowledged,
  });
  return {
    async save(changed) {
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
    async drop(ids) {
      for (const some of chunked(ids))
        await database.delete(alerts).where(and(inArray(alerts.id, some), eq(alerts.state, 'pending')));
    },
    async open() {
      const rows = await database
        .select()
        .from(alerts)
        .where(
          sql`state IN ('pending', 'firing') OR (state = 'resolved' AND json_extract(record, '$.told.status') = 'firing')`,
        )
        .limit(MAX_OPEN);
      return rows.map(ofRow);
    },
    async resolved({ sinceMs, limit }) {
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
    async firings(sinceMs) {
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
    async read(id) {
      const [row] = await database.select().from(alerts).where(eq(alerts.id, id));
      return row ? ofRow(row) : null;
    },
    async acknowledge(id, acknowledged) {
      await database.update(alerts).set({ acknowledged }).where(eq(alerts.id, id));
    },
    async acknowledgements() {
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

/** Ended ones are told of for so long. */
const ENDED_KEPT_MS = 7 * 24 * 3_600_000;
/** What one person may have set by a script in a loop; each is asked for each alert. */
const MAX_SILENCES = 500;

interface SilenceStore {
  /** Those that hold or will, the one that ends last first. */
  active(nowMs: number): Promise<readonly Silence[]>;
  /** @returns false: there are as many as there may be. */
  add(silence: Silence): Promise<boolean>;
  /** Ends one now. @returns as it was; null: there is none that holds. */
  end(id: string, nowMs: number): Promise<Silence | null>;
}

function createSilenceStore(database: Database): SilenceStore {
  return {
    active: (nowMs) =>
      database
        .select()
        .from(silences)
        .where(gt(silences.endsAtMs, nowMs))
        .orderBy(desc(silences.endsAtMs))
        .limit(MAX_SILENCES),
    async add(silence) {
      await database.delete(silences).where(lte(silences.endsAtMs, silence.startsAtMs - ENDED_KEPT_MS));
      const [row] = await database
        .select({ count: sql<number>`count(*)` })
        .from(silences)
        .where(gt(silences.endsAtMs, silence.startsAtMs));
      if ((row?.count ?? 0) >= MAX_SILENCES) return false;
      await database.insert(silences).values(silence);
      return true;
    },
    async end(id, nowMs) {
      const [found] = await database.select().from(silences).where(eq(silences.id, id));
      if (!found || found.endsAtMs <= nowMs) return null;
      await database.update(silences).set({ endsAtMs: nowMs }).where(eq(silences.id, id));
      return found;
    },
  };
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
