import { and, desc, eq, gte, lt, or, type SQL } from 'drizzle-orm';
import type { AuditLog, AuditQuery, AuditRecord } from './audit-record.js';
import type { Database } from './open-store.js';
import { actions } from './schema.js';

const MOST_RECORDS = 500;

/** The audit in the store. A record is written once; only its measurement comes later. */
export function createAuditLog(database: Database): AuditLog {
  return {
    async append(record) {
      await database.insert(actions).values({ ...record, args: { ...record.args } });
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

function filters(query: AuditQuery): readonly (SQL | undefined)[] {
  return [
    query.instance === undefined ? undefined : eq(actions.instance, query.instance),
    query.queue === undefined ? undefined : eq(actions.queue, query.queue),
    query.lever === undefined ? undefined : eq(actions.lever, query.lever),
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
