import {
  type AnyColumn,
  and,
  asc,
  desc,
  eq,
  gt,
  gte,
  inArray,
  isNull,
  lt,
  or,
  type SQL,
  sql,
} from 'drizzle-orm';
import type { ActivityEntry, ActivityNote } from '../model/activity-entry.js';
import type { AuditLog, AuditRecord } from '../model/audit-record.js';
import type { TimelineEntry, TimelineLog } from '../model/timeline-entry.js';
import { ALL_INSTANCES } from '../model/timeline-entry.js';
import type { Database } from '../store/tables.js';
import { type ActivityQuery, activityGroupOf, compareNewest, stateOfKind } from './activity.js';
import { auditRecords } from './audit-log.js';
import { timeline, timelineEntryOf } from './timeline-log.js';

/** The rows of the timeline that a query asks for. Notes on entries come with their entry. */
function timelineFilter(query: ActivityQuery): SQL | undefined {
  const { kinds, queue, search } = query;
  const names = namesOf(query);
  return and(
    placeFilter(timeline, query),
    names === undefined ? undefined : inArray(timeline.instance, [...names, ALL_INSTANCES]),
    queue === undefined ? undefined : eq(timeline.queue, queue),
    kinds === undefined ? undefined : or(...kinds.map((kind) => kindFilter(timeline.kind, kind)), sql`0`),
    search === undefined
      ? undefined
      : textFilter(search, [timeline.text, timeline.actor, timeline.queue, timeline.worker]),
    or(sql`${timeline.kind} <> 'marker.note'`, isNull(timeline.ref)),
  );
}

/**
 * The auditRecords that a query asks for; the kind of an action is `action.` and its action. Changes of notes and incidents are
 * audited too, but they are about the activity and not in it; nor is who signed in.
 */
function actionFilter(query: ActivityQuery): SQL | undefined {
  const { kinds, queue, search } = query;
  const names = namesOf(query);
  const kind = sql`('action.' || ${auditRecords.action})`;
  return and(
    sql`${auditRecords.action} NOT LIKE 'note.%' AND ${auditRecords.action} NOT LIKE 'incident.%' AND ${auditRecords.action} NOT LIKE 'access.%'`,
    placeFilter(auditRecords, query),
    names === undefined ? undefined : inArray(auditRecords.instance, [...names]),
    queue === undefined ? undefined : eq(auditRecords.queue, queue),
    kinds === undefined ? undefined : or(...kinds.map((one) => kindFilter(kind, one)), sql`0`),
    search === undefined
      ? undefined
      : textFilter(search, [
          auditRecords.summary,
          auditRecords.reason,
          auditRecords.actor,
          auditRecords.queue,
          auditRecords.action,
        ]),
  );
}

function namesOf({ instance, instances }: ActivityQuery): readonly string[] | undefined {
  return instance === undefined ? instances : [instance];
}

function placeFilter(table: typeof timeline | typeof auditRecords, query: ActivityQuery): SQL | undefined {
  const { fromMs, toMs, after, order = 'newest' } = query;
  const beyond = order === 'newest' ? lt : gt;
  return and(
    fromMs === undefined ? undefined : gte(table.atMs, fromMs),
    toMs === undefined ? undefined : lt(table.atMs, toMs),
    after === undefined
      ? undefined
      : or(beyond(table.atMs, after.atMs), and(eq(table.atMs, after.atMs), beyond(table.id, after.id))),
  );
}

function kindFilter(column: SQL | typeof timeline.kind, kind: string): SQL {
  return sql`(${column} = ${kind} OR ${column} LIKE ${`${likeText(kind)}.%`} ESCAPE '\\')`;
}

function textFilter(text: string, columns: readonly AnyColumn[]): SQL | undefined {
  const pattern = `%${likeText(text)}%`;
  return or(...columns.map((column) => sql`${column} LIKE ${pattern} ESCAPE '\\'`));
}

/** LIKE compares ASCII characters in any case; its own signs are taken as text. */
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
  const isMarker = (id: string) => and(eq(timeline.id, id), inArray(timeline.kind, [...MARKERS]));
  const activity = {
    /** In the order that was asked for, with the notes that people wrote on each. */
    list: (query: ActivityQuery) => readActivity(database, query),
    async get(id: string): Promise<ActivityEntry | null> {
      const [entry] = await database.select().from(timeline).where(eq(timeline.id, id));
      const notes = (await notesOn(database, [id])).get(id) ?? [];
      if (entry) return entryOfTimeline(timelineEntryOf(entry), notes);
      const [audited] = await database.select().from(auditRecords).where(eq(auditRecords.id, id));
      return audited ? entryOfAudit(audited, notes) : null;
    },
    /** A note or deploy that somebody entered; null: there is none of that id. */
    async marker(id: string): Promise<TimelineEntry | null> {
      const [row] = await database.select().from(timeline).where(isMarker(id));
      return row ? timelineEntryOf(row) : null;
    },
    async editMarker(id: string, text: string): Promise<void> {
      await database.update(timeline).set({ text }).where(isMarker(id));
      version += 1;
    },
    async removeMarker(id: string): Promise<void> {
      await database.delete(timeline).where(isMarker(id));
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
