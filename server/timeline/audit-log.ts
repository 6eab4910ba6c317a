import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { AuditLog, AuditRecord } from '../model/audit-record.js';
import type { Actor } from '../model/role.js';
import { type Database, isBeyondNewest, jsonIn, type WithJson } from '../store/database.js';

export type AuditRow = WithJson<AuditRecord, 'args' | 'before' | 'after' | 'undo' | 'measurement'>;

const json = jsonIn<AuditRecord>()('args', 'before', 'after', 'undo', 'measurement');

/** A row as it was written. */
export const auditRecordOf = json.value;

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
  const db = database.withTables<{ audit: AuditRow }>();
  let written = 0;
  /** By age, and by number. */
  const prune = async (nowMs: number): Promise<void> => {
    await db
      .deleteFrom('audit')
      .where('atMs', '<', nowMs - bounds.maxAgeMs)
      .execute();
    const isRefused: RawBuilder<SqlBool> = sql`(status = 'refused' OR action LIKE 'access.%')`;
    for (const [among, most] of [
      [isRefused, bounds.maxRefused],
      [sql<SqlBool>`NOT ${isRefused}`, bounds.maxChanges],
    ] as const)
      await db
        .deleteFrom('audit')
        .where(among)
        .where(isBeyondNewest(most, { table: 'audit', time: 'atMs', among }))
        .execute();
  };
  return {
    async append(record) {
      await db.insertInto('audit').values(json.text(record)).execute();
      written += 1;
      if (written % bounds.pruneEvery === 1 || bounds.pruneEvery === 1) await prune(record.atMs);
    },
    async list({ instance, queue, action, sinceMs, beforeMs, cursor, limit }) {
      let query = db.selectFrom('audit').selectAll();
      if (instance !== undefined) query = query.where('instance', '=', instance);
      if (queue !== undefined) query = query.where('queue', '=', queue);
      if (sinceMs !== undefined) query = query.where('atMs', '>=', sinceMs);
      if (beforeMs !== undefined) query = query.where('atMs', '<', beforeMs);
      if (action === undefined) query = query.where('action', 'not like', 'access.%');
      else
        query = query.where((is) =>
          is.or([is('action', '=', action), is('action', 'like', `${action.replace(/[%_]/g, '')}.%`)]),
        );
      // All of them where the cursor is not known.
      const at =
        cursor === undefined
          ? undefined
          : await db.selectFrom('audit').select(['atMs', 'id']).where('id', '=', cursor).executeTakeFirst();
      if (at !== undefined)
        query = query.where(({ eb, refTuple, tuple }) =>
          eb(refTuple('atMs', 'id'), '<', tuple(at.atMs, at.id)),
        );
      const newest = query.orderBy('atMs', 'desc').orderBy('id', 'desc');
      return (await newest.limit(Math.min(limit, MAX_RECORDS)).execute()).map(json.value);
    },
    async addMeasurement(id, measurement) {
      const changed = await db
        .updateTable('audit')
        .set({ measurement: JSON.stringify(measurement) })
        .where('id', '=', id)
        .returning('id')
        .execute();
      if (changed.length === 0) throw new Error(`there is no action ${id}`);
    },
  };
}
