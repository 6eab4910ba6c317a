import { type AnyColumn, and, eq, gt, gte, inArray, isNull, lt, or, type SQL, sql } from 'drizzle-orm';
import { ALL_INSTANCES } from '../model/timeline-entry.js';
import type { ActivityQuery } from './activity-log.js';
import { auditRecords, timeline } from './tables.js';

/** The rows of the timeline that a query asks for. Notes on entries are told with their entry. */
export function timelineFilter(query: ActivityQuery): SQL | undefined {
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
 * audited too, but they are about the account and not in it; nor is who came through the door.
 */
export function actionFilter(query: ActivityQuery): SQL | undefined {
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
