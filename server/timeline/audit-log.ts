import { and, desc, eq, gte, like, lt, not, notLike, or, type SQL, sql } from 'drizzle-orm';
import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import type { ActionCall, OutcomeStatus } from '../model/action.js';
import type { AuditLog, AuditQuery, AuditRecord, Measurement } from '../model/audit-record.js';
import type { Actor } from '../model/role.js';
import type { Database } from '../store/tables.js';

/** Every change and every attempt at one. */
export const auditRecords = sqliteTable(
  'audit',
  {
    id: text('id').primaryKey(),
    atMs: integer('at_ms').notNull(),
    actor: text('actor').notNull(),
    via: text('via').notNull(),
    reason: text('reason').notNull(),
    action: text('action').notNull(),
    instance: text('instance').notNull(),
    queue: text('queue'),
    jobId: text('job_id'),
    worker: text('worker'),
    args: text('args', { mode: 'json' }).$type<Record<string, unknown>>().notNull(),
    before: text('before', { mode: 'json' }).$type<Record<string, string>>().notNull(),
    after: text('after', { mode: 'json' }).$type<Record<string, string>>().notNull(),
    status: text('status').$type<OutcomeStatus>().notNull(),
    summary: text('summary').notNull(),
    freedBytes: integer('freed_bytes'),
    durationMs: integer('duration_ms').notNull(),
    undo: text('undo', { mode: 'json' }).$type<ActionCall>(),
    measurement: text('measurement', { mode: 'json' }).$type<Measurement>(),
  },
  (table) => [
    index('audit_at').on(table.atMs),
    index('audit_queue').on(table.instance, table.queue, table.atMs),
  ],
);

/** What somebody did: the action, where and in which words always; of the rest only what differs from a plain success. */
export type AuditInput = Pick<AuditRecord, 'action' | 'instance' | 'args' | 'summary'> &
  Partial<Omit<AuditRecord, 'id' | 'atMs' | 'actor' | 'via'>>;

/** The audit record of an auditInput. Unless it says otherwise: applied at once, without a reason, about no queue, job or worker, and not to be taken back. */
export function auditOf(id: string, atMs: number, actor: Actor, auditInput: AuditInput): AuditRecord {
  return {
    id,
    atMs,
    actor: actor.name,
    via: actor.via,
    reason: '',
    queue: null,
    jobId: null,
    worker: null,
    before: {},
    after: {},
    status: 'applied',
    freedBytes: null,
    durationMs: 0,
    undo: null,
    measurement: null,
    ...auditInput,
  };
}

const MAX_RECORDS = 500;

/** What goes, and when, as in README.md. */
const AUDIT_BOUNDS = {
  /** Records older than this go. */
  maxAgeMs: 400 * 24 * 3_600_000,
  /** Of changes that were made, or failed, the newest of these stay. */
  maxChanges: 100_000,
  /** Refused ones, and who came through the door, are counted by themselves: they never push out what was done. */
  maxRefused: 10_000,
  /** Old records are looked for at the first of a run, and then once in so many. */
  pruneEvery: 200,
};

/** The audit in the store. A record is written once; only its measurement comes later. */
export function createAuditLog(database: Database, bounds = AUDIT_BOUNDS): AuditLog {
  let written = 0;
  return {
    async append(record) {
      await database.insert(auditRecords).values({ ...record, args: { ...record.args } });
      written += 1;
      if (written % bounds.pruneEvery === 1 || bounds.pruneEvery === 1)
        await prune(database, record.atMs, bounds);
    },
    async list(query) {
      const after = query.cursor === undefined ? undefined : await olderThan(database, query.cursor);
      const rows = await database
        .select()
        .from(auditRecords)
        .where(and(after, ...filters(query)))
        .orderBy(desc(auditRecords.atMs), desc(auditRecords.id))
        .limit(Math.min(query.limit, MAX_RECORDS));
      return rows satisfies readonly AuditRecord[];
    },
    async addMeasurement(id, measurement) {
      const changed = await database
        .update(auditRecords)
        .set({ measurement })
        .where(eq(auditRecords.id, id))
        .returning({ id: auditRecords.id });
      if (changed.length === 0) throw new Error(`there is no action ${id}`);
    },
  };
}

/** By age, and by number: rows are numbered as they come, so the oldest are found by the table's own order. */
async function prune(database: Database, nowMs: number, bounds: typeof AUDIT_BOUNDS): Promise<void> {
  await database.delete(auditRecords).where(lt(auditRecords.atMs, nowMs - bounds.maxAgeMs));
  const isRefused = sql`(${auditRecords.status} = 'refused' OR ${auditRecords.action} LIKE 'access.%')`;
  for (const [which, most] of [
    [isRefused, bounds.maxRefused],
    [not(isRefused), bounds.maxChanges],
  ] as const) {
    const firstTooMany = sql`(SELECT rowid FROM ${auditRecords} WHERE ${which} ORDER BY rowid DESC LIMIT 1 OFFSET ${most})`;
    await database.delete(auditRecords).where(and(which, sql`rowid <= ${firstTooMany}`));
  }
}

function filters(query: AuditQuery): readonly (SQL | undefined)[] {
  return [
    query.instance === undefined ? undefined : eq(auditRecords.instance, query.instance),
    query.queue === undefined ? undefined : eq(auditRecords.queue, query.queue),
    query.action === undefined
      ? notLike(auditRecords.action, 'access.%')
      : or(
          eq(auditRecords.action, query.action),
          like(auditRecords.action, `${query.action.replace(/[%_]/g, '')}.%`),
        ),
    query.sinceMs === undefined ? undefined : gte(auditRecords.atMs, query.sinceMs),
    query.beforeMs === undefined ? undefined : lt(auditRecords.atMs, query.beforeMs),
  ];
}

/** Records before that one in the list's order; all of them where the cursor is not known. */
async function olderThan(database: Database, cursor: string): Promise<SQL | undefined> {
  const [at] = await database
    .select({ atMs: auditRecords.atMs })
    .from(auditRecords)
    .where(eq(auditRecords.id, cursor));
  if (!at) return undefined;
  return or(lt(auditRecords.atMs, at.atMs), and(eq(auditRecords.atMs, at.atMs), lt(auditRecords.id, cursor)));
}
