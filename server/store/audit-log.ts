import { and, desc, eq, gte, like, lt, not, notLike, or, type SQL, sql } from 'drizzle-orm';
import type { AuditLog, AuditQuery, AuditRecord } from './audit-record.js';
import type { Database } from './open-store.js';
import { actions } from './schema.js';

const MOST_RECORDS = 500;

/** What goes, and when: README.md tells it. */
export const AUDIT_BOUNDS = {
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
      await database.insert(actions).values({ ...record, args: { ...record.args } });
      written += 1;
      if (written % bounds.pruneEvery === 1 || bounds.pruneEvery === 1)
        await prune(database, record.atMs, bounds);
    },
    async list(query) {
      const after = query.cursor === undefined ? undefined : await olderThan(database, query.cursor);
      const rows = await database
        .select()
        .from(actions)
        .where(and(after, ...filters(query)))
        .orderBy(desc(actions.atMs), desc(actions.id))
        .limit(Math.min(query.limit, MOST_RECORDS));
      return rows satisfies readonly AuditRecord[];
    },
    async addMeasurement(id, measurement) {
      const changed = await database
        .update(actions)
        .set({ measurement })
        .where(eq(actions.id, id))
        .returning({ id: actions.id });
      if (changed.length === 0) throw new Error(`there is no action ${id}`);
    },
  };
}

/** By age, and by number: rows are numbered as they come, so the oldest are found by the table's own order. */
async function prune(database: Database, nowMs: number, bounds: typeof AUDIT_BOUNDS): Promise<void> {
  await database.delete(actions).where(lt(actions.atMs, nowMs - bounds.maxAgeMs));
  const isRefused = sql`(${actions.status} = 'refused' OR ${actions.lever} LIKE 'access.%')`;
  for (const [which, most] of [
    [isRefused, bounds.maxRefused],
    [not(isRefused), bounds.maxChanges],
  ] as const) {
    const firstTooMany = sql`(SELECT rowid FROM ${actions} WHERE ${which} ORDER BY rowid DESC LIMIT 1 OFFSET ${most})`;
    await database.delete(actions).where(and(which, sql`rowid <= ${firstTooMany}`));
  }
}

function filters(query: AuditQuery): readonly (SQL | undefined)[] {
  return [
    query.instance === undefined ? undefined : eq(actions.instance, query.instance),
    query.queue === undefined ? undefined : eq(actions.queue, query.queue),
    query.lever === undefined
      ? notLike(actions.lever, 'access.%')
      : or(eq(actions.lever, query.lever), like(actions.lever, `${query.lever.replace(/[%_]/g, '')}.%`)),
    query.sinceMs === undefined ? undefined : gte(actions.atMs, query.sinceMs),
    query.beforeMs === undefined ? undefined : lt(actions.atMs, query.beforeMs),
  ];
}

/** Records before that one in the list's order; all of them where the cursor is not known. */
async function olderThan(database: Database, cursor: string): Promise<SQL | undefined> {
  const [at] = await database.select({ atMs: actions.atMs }).from(actions).where(eq(actions.id, cursor));
  if (!at) return undefined;
  return or(lt(actions.atMs, at.atMs), and(eq(actions.atMs, at.atMs), lt(actions.id, cursor)));
}
