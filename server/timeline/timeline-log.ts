import { and, desc, gte, inArray, lt, or, sql } from 'drizzle-orm';
import { ALL_INSTANCES, type TimelineEntry, type TimelineLog } from '../model/timeline-entry.js';
import type { Database } from '../store/database.js';
import { timeline } from './tables.js';

/** Kept: the newest of these; what is older goes. */
const MAX_ENTRIES = 50_000;
/** Old entries are looked for at the first of a run, and then once in so many. */
const PRUNE_EVERY = 500;
const MAX_LISTED = 500;

/** The timeline in the store, bounded. */
export function createTimeline(database: Database): TimelineLog {
  let written = 0;
  return {
    async append(entry) {
      await database.insert(timeline).values(entry);
      written += 1;
      if (written % PRUNE_EVERY !== 1) return;
      // Rows are numbered as they come, so this finds the old ones by the table's own order.
      await database
        .delete(timeline)
        .where(sql`rowid <= (SELECT max(rowid) FROM ${timeline}) - ${MAX_ENTRIES}`);
    },
    async list({ instance, kinds, kindPrefixes, sinceMs, beforeMs, limit }) {
      const rows = await database
        .select()
        .from(timeline)
        .where(
          and(
            instance === undefined ? undefined : inArray(timeline.instance, [instance, ALL_INSTANCES]),
            kinds === undefined ? undefined : inArray(timeline.kind, [...kinds]),
            kindPrefixes === undefined
              ? undefined
              : or(
                  ...kindPrefixes.map(
                    (prefix) => sql`substr(${timeline.kind}, 1, ${prefix.length}) = ${prefix}`,
                  ),
                ),
            sinceMs === undefined ? undefined : gte(timeline.atMs, sinceMs),
            beforeMs === undefined ? undefined : lt(timeline.atMs, beforeMs),
          ),
        )
        .orderBy(desc(timeline.atMs), desc(sql`rowid`))
        .limit(Math.min(limit, MAX_LISTED));
      return rows.map(timelineEntryOf);
    },
  };
}

/** A row as an entry: what is not said of it is absent. */
export function timelineEntryOf({ severity, ref, ...row }: typeof timeline.$inferSelect): TimelineEntry {
  return { ...row, ...(severity === null ? {} : { severity }), ...(ref === null ? {} : { ref }) };
}
