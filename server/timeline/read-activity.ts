import { and, asc, desc, eq, inArray } from 'drizzle-orm';
import type { AuditLog } from '../model/audit-record.js';
import type { TimelineLog } from '../model/timeline-entry.js';
import type { Database } from '../store/database.js';
import type { ActivityEntry, ActivityNote } from './activity-entry.js';
import type { ActivityLog, ActivityQuery } from './activity-log.js';
import { compareNewest } from './activity-order.js';
import { entryOfAudit, entryOfTimeline } from './entry-of.js';
import { actionFilter, timelineFilter } from './filters.js';
import { auditRecords, timeline } from './tables.js';
import { timelineEntryOf } from './timeline-log.js';

const MAX_LISTED = 1_000;
/** Of one entry so many are told; more is a conversation that belongs elsewhere. */
const MAX_NOTES = 2_000;
const MARKERS = ['marker.deploy', 'marker.note'] as const;

/** The account in the store, and how its writers let it know that there is more. */
export function createActivity(database: Database): {
  readonly account: ActivityLog;
  noticing<T extends Pick<TimelineLog, 'append'> | AuditLog>(log: T): T;
} {
  let version = 0;
  const isMarker = (id: string) => and(eq(timeline.id, id), inArray(timeline.kind, [...MARKERS]));
  const account: ActivityLog = {
    list: (query) => readActivity(database, query),
    async get(id) {
      const [entry] = await database.select().from(timeline).where(eq(timeline.id, id));
      const notes = (await notesOn(database, [id])).get(id) ?? [];
      if (entry) return entryOfTimeline(timelineEntryOf(entry), notes);
      const [audited] = await database.select().from(auditRecords).where(eq(auditRecords.id, id));
      return audited ? entryOfAudit(audited, notes) : null;
    },
    async marker(id) {
      const [row] = await database.select().from(timeline).where(isMarker(id));
      return row ? timelineEntryOf(row) : null;
    },
    async editMarker(id, text) {
      await database.update(timeline).set({ text }).where(isMarker(id));
      version += 1;
    },
    async removeMarker(id) {
      await database.delete(timeline).where(isMarker(id));
      version += 1;
    },
    version: () => version,
  };
  return {
    account,
    noticing: (log) => ({
      ...log,
      async append(entry: never) {
        await log.append(entry);
        version += 1;
      },
    }),
  };
}

async function readActivity(database: Database, query: ActivityQuery): Promise<readonly ActivityEntry[]> {
  const limit = Math.min(query.limit, MAX_LISTED);
  const by = query.order === 'oldest' ? asc : desc;
  // Each of the two could fill the page alone.
  const [happened, done] = await Promise.all([
    database
      .select()
      .from(timeline)
      .where(timelineFilter(query))
      .orderBy(by(timeline.atMs), by(timeline.id))
      .limit(limit),
    database
      .select()
      .from(auditRecords)
      .where(actionFilter(query))
      .orderBy(by(auditRecords.atMs), by(auditRecords.id))
      .limit(limit),
  ]);
  const merged = [...happened, ...done].sort(compareNewest);
  const page = query.order === 'oldest' ? merged.reverse().slice(0, limit) : merged.slice(0, limit);
  const notes = await notesOn(
    database,
    page.map(({ id }) => id),
  );
  return page.map((row) =>
    'action' in row
      ? entryOfAudit(row, notes.get(row.id) ?? [])
      : entryOfTimeline(timelineEntryOf(row), notes.get(row.id) ?? []),
  );
}

async function notesOn(
  database: Database,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly ActivityNote[]>> {
  const notes = new Map<string, ActivityNote[]>();
  if (ids.length === 0) return notes;
  const rows = await database
    .select()
    .from(timeline)
    .where(and(eq(timeline.kind, 'marker.note'), inArray(timeline.ref, [...ids])))
    .orderBy(asc(timeline.atMs), asc(timeline.id))
    .limit(MAX_NOTES);
  for (const { id, atMs, actor, text, ref } of rows) {
    const on = notes.get(ref ?? '') ?? [];
    on.push({ id, atMs, actor: actor ?? 'unknown', text });
    notes.set(ref ?? '', on);
  }
  return notes;
}
