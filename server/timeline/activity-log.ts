import { type Expression, type RawBuilder, type SqlBool, sql } from 'kysely';
import type { ActivityEntry, ActivityNote } from '../model/activity-entry.js';
import type { AuditLog, AuditRecord } from '../model/audit-record.js';
import type { TimelineEntry, TimelineLog } from '../model/timeline-entry.js';
import { ALL_INSTANCES } from '../model/timeline-entry.js';
import { type Database, likeOf } from '../store/database.js';
import { type ActivityQuery, activityGroupOf, compareNewest, stateOfKind } from './activity.js';
import { type AuditRow, auditRecordOf } from './audit-log.js';
import { type EntryRow, timelineEntryOf } from './timeline-log.js';

const tablesOf = (database: Database) => database.withTables<{ timeline: EntryRow; audit: AuditRow }>();

/** The rows of the timeline that a query asks for. Notes on entries come with their entry. */
function happened(database: Database, query: ActivityQuery) {
  const { kinds, search } = query;
  const names = namesOf(query);
  let rows = tablesOf(database)
    .selectFrom('timeline')
    .selectAll()
    .where(isAt(query))
    .where((is) => is.or([is('kind', '<>', 'marker.note'), is('ref', 'is', null)]));
  if (names !== undefined) rows = rows.where('instance', 'in', [...names, ALL_INSTANCES]);
  if (kinds !== undefined) rows = rows.where(isOfKinds(sql`kind`, kinds));
  if (search !== undefined)
    rows = rows.where(contains(database, search, ['text', 'actor', 'queue', 'worker']));
  return rows;
}

/**
 * The audit records that a query asks for; the kind of an action is `action.` and its action. Changes of notes and incidents
 * are audited too, but they are about the activity and not in it; nor is who signed in.
 */
function done(database: Database, query: ActivityQuery) {
  const { kinds, search } = query;
  const names = namesOf(query);
  let rows = tablesOf(database).selectFrom('audit').selectAll().where(isAt(query));
  for (const hidden of ['note.%', 'incident.%', 'access.%']) rows = rows.where('action', 'not like', hidden);
  if (names !== undefined) rows = rows.where('instance', 'in', names);
  if (kinds !== undefined) rows = rows.where(isOfKinds(sql`('action.' || action)`, kinds));
  if (search !== undefined)
    rows = rows.where(contains(database, search, ['summary', 'reason', 'actor', 'queue', 'action']));
  return rows;
}

function namesOf({ instance, instances }: ActivityQuery): readonly string[] | undefined {
  return instance === undefined ? instances : [instance];
}

/** In its range of time, of its queue, and behind the place where the page before ended. */
function isAt({ fromMs, toMs, queue, after, order = 'newest' }: ActivityQuery): RawBuilder<SqlBool> {
  const beyond = order === 'newest' ? sql`<` : sql`>`;
  return allOf([
    fromMs === undefined ? null : sql`at_ms >= ${fromMs}`,
    toMs === undefined ? null : sql`at_ms < ${toMs}`,
    queue === undefined ? null : sql`queue = ${queue}`,
    after === undefined ? null : sql`(at_ms, id) ${beyond} (${after.atMs}, ${after.id})`,
  ]);
}

function allOf(conditions: readonly (RawBuilder<SqlBool> | null)[]): RawBuilder<SqlBool> {
  const given = conditions.filter((one) => one !== null);
  return given.length === 0 ? sql`1 = 1` : sql`${sql.join(given, sql` AND `)}`;
}

function isOfKinds(column: RawBuilder<unknown>, kinds: readonly string[]): RawBuilder<SqlBool> {
  const each = kinds.map(
    (kind) => sql`${column} = ${kind} OR ${column} LIKE ${`${likeText(kind)}.%`} ESCAPE '\\'`,
  );
  return each.length === 0 ? sql`1 = 0` : sql`(${sql.join(each, sql` OR `)})`;
}

/** In one of these columns, its letters in any case. */
function contains(database: Database, text: string, columns: readonly string[]): Expression<SqlBool> {
  const like = sql.raw(likeOf(database));
  const each = columns.map((column) => sql`${sql.ref(column)} ${like} ${`%${likeText(text)}%`} ESCAPE '\\'`);
  return sql`(${sql.join(each, sql` OR `)})`;
}

/** The signs of LIKE are taken as text. */
function likeText(text: string): string {
  return text.replace(/[\\%_]/g, (sign) => `\\${sign}`);
}

/** An entry of the timeline as a line of the activity. */
function entryOfTimeline(entry: TimelineEntry, notes: readonly ActivityNote[]): ActivityEntry {
  const {
    id,
    atMs,
    instance,
    kind,
    queue,
    worker,
    text,
    actor = null,
    severity,
    ref = null,
    brief = null,
  } = entry;
  const state = stateOfKind(kind) === 'calm' ? 'calm' : (severity ?? stateOfKind(kind));
  return {
    id,
    atMs,
    instance,
    kind,
    group: activityGroupOf(kind),
    queue,
    worker,
    text,
    brief,
    actor,
    state,
    ref,
    audited: null,
    notes,
  };
}

const STATES: Readonly<Record<AuditRecord['status'], ActivityEntry['state']>> = {
  applied: null,
  unchanged: null,
  unverified: 'warning',
  failed: 'critical',
  refused: 'warning',
};

/** An audited change, or the attempt at one, as a line of the activity. */
function entryOfAudit(record: AuditRecord, notes: readonly ActivityNote[]): ActivityEntry {
  const { id, atMs, instance, queue, worker, action, before, after, measurement } = record;
  const kind = `action.${action}`;
  return {
    ...{ id, atMs, instance, kind, queue, worker, notes },
    group: activityGroupOf(kind),
    text: record.summary,
    brief: null,
    actor: record.actor,
    state: STATES[record.status],
    ref: null,
    audited: {
      action,
      reason: record.reason,
      status: record.status,
      changes: Object.keys(after)
        .filter((label) => before[label] !== after[label])
        .map((label) => ({ label, before: before[label] ?? '', after: after[label] ?? '' })),
      measured: measurement?.text ?? null,
    },
  };
}

const MAX_LISTED = 1_000;
/** Of one entry so many are read; more is a conversation that belongs elsewhere. */
const MAX_NOTES = 2_000;
const MARKERS = ['marker.deploy', 'marker.note'] as const;

/** What happened and what was done, as one: timeline and audit. */
export type ActivityLog = ReturnType<typeof createActivity>['activity'];

/** The activity in the store, and how its writers let it know that there is more. */
export function createActivity(database: Database) {
  let version = 0;
  const db = tablesOf(database);
  const activity = {
    /** In the order that was asked for, with the notes that people wrote on each. */
    list: (query: ActivityQuery) => readActivity(database, query),
    async get(id: string): Promise<ActivityEntry | null> {
      const entry = await db.selectFrom('timeline').selectAll().where('id', '=', id).executeTakeFirst();
      const notes = (await notesOn(database, [id])).get(id) ?? [];
      if (entry) return entryOfTimeline(timelineEntryOf(entry), notes);
      const audited = await db.selectFrom('audit').selectAll().where('id', '=', id).executeTakeFirst();
      return audited ? entryOfAudit(auditRecordOf(audited), notes) : null;
    },
    /** A note or deploy that somebody entered; null: there is none of that id. */
    async marker(id: string): Promise<TimelineEntry | null> {
      const row = await db
        .selectFrom('timeline')
        .selectAll()
        .where('id', '=', id)
        .where('kind', 'in', MARKERS)
        .executeTakeFirst();
      return row ? timelineEntryOf(row) : null;
    },
    async editMarker(id: string, text: string): Promise<void> {
      await db
        .updateTable('timeline')
        .set({ text })
        .where('id', '=', id)
        .where('kind', 'in', MARKERS)
        .execute();
      version += 1;
    },
    async removeMarker(id: string): Promise<void> {
      await db.deleteFrom('timeline').where('id', '=', id).where('kind', 'in', MARKERS).execute();
      version += 1;
    },
    /** Grows with everything that is written: pages look again when it has grown. */
    version: () => version,
  };
  return {
    activity,
    noticing: <T extends Pick<TimelineLog, 'append'> | AuditLog>(log: T): T => ({
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
  const by = query.order === 'oldest' ? 'asc' : 'desc';
  // Each of the two could fill the page alone.
  const [entries, records] = await Promise.all([
    happened(database, query).orderBy('atMs', by).orderBy('id', by).limit(limit).execute(),
    done(database, query).orderBy('atMs', by).orderBy('id', by).limit(limit).execute(),
  ]);
  const merged = [...entries, ...records].sort(compareNewest);
  const page = query.order === 'oldest' ? merged.reverse().slice(0, limit) : merged.slice(0, limit);
  const notes = await notesOn(
    database,
    page.map(({ id }) => id),
  );
  return page.map((row) =>
    'action' in row
      ? entryOfAudit(auditRecordOf(row), notes.get(row.id) ?? [])
      : entryOfTimeline(timelineEntryOf(row), notes.get(row.id) ?? []),
  );
}

async function notesOn(
  database: Database,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly ActivityNote[]>> {
  const notes = new Map<string, ActivityNote[]>();
  if (ids.length === 0) return notes;
  const rows = await tablesOf(database)
    .selectFrom('timeline')
    .selectAll()
    .where('kind', '=', 'marker.note')
    .where('ref', 'in', ids)
    .orderBy('atMs')
    .orderBy('id')
    .limit(MAX_NOTES)
    .execute();
  for (const { id, atMs, actor, text, ref } of rows) {
    const on = notes.get(ref ?? '') ?? [];
    on.push({ id, atMs, actor: actor ?? 'unknown', text });
    notes.set(ref ?? '', on);
  }
  return notes;
}
