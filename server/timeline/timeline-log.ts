import { and, desc, gte, inArray, lt, or, sql } from 'drizzle-orm';
import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import type { Brief } from '../model/brief.js';
import type { Severity } from '../model/finding.js';
import {
  ALL_INSTANCES,
  type RecordEvent,
  type TimelineEntry,
  type TimelineKind,
  type TimelineLog,
} from '../model/timeline-entry.js';
import type { Lease } from '../store/lease.js';
import type { Database } from '../store/tables.js';

/** What happened. */
export const timeline = sqliteTable(
  'timeline',
  {
    id: text('id').primaryKey(),
    atMs: integer('at_ms').notNull(),
    instance: text('instance').notNull(),
    kind: text('kind').$type<TimelineKind>().notNull(),
    queue: text('queue'),
    worker: text('worker'),
    text: text('text').notNull(),
    actor: text('actor'),
    severity: text('severity').$type<Severity>(),
    ref: text('ref'),
    brief: text('brief', { mode: 'json' }).$type<Brief>(),
  },
  (table) => [index('timeline_at').on(table.atMs), index('timeline_ref').on(table.ref)],
);

/**
 * A killed leader is followed within 11 s, and recorded nothing of what happened then: what others have noticed for this long
 * is recorded by the one that follows.
 */
const HELD_BACK_MS = 15_000;
const MAX_HELD_BACK = 200;
/** Two consoles notice the same within this. */
const SAME_WITHIN_MS = 15_000;

type Event = Omit<TimelineEntry, 'id'>;

interface RecordAsLeaderDeps {
  readonly lease: Pick<Lease, 'isHeld' | 'onTaken'>;
  readonly timeline: Pick<TimelineLog, 'list'>;
  readonly record: RecordEvent;
  readonly now: () => number;
}

/** For what every console of a store notices by itself: recorded by the leader alone, so once. */
export function recordAsLeader({ lease, timeline, record: tell, now }: RecordAsLeaderDeps): RecordEvent {
  let heldBack: Event[] = [];
  lease.onTaken(() => {
    const events = heldBack.filter(({ atMs }) => atMs > now() - HELD_BACK_MS);
    heldBack = [];
    if (events.length > 0) void recordUnknown(events);
  });
  const recordUnknown = async (events: readonly Event[]): Promise<void> => {
    const sinceMs = Math.min(...events.map(({ atMs }) => atMs)) - SAME_WITHIN_MS;
    const known = await timeline.list({ sinceMs, limit: 500 }).catch(() => []);
    for (const event of events) if (!known.some((entry) => isSame(entry, event))) tell(event);
  };
  return (event) => {
    if (lease.isHeld()) tell(event);
    else
      heldBack = [...heldBack.filter(({ atMs }) => atMs > now() - HELD_BACK_MS), event].slice(-MAX_HELD_BACK);
  };
}

function isSame(a: Event, b: Event): boolean {
  return (
    a.kind === b.kind &&
    a.instance === b.instance &&
    a.queue === b.queue &&
    a.worker === b.worker &&
    Math.abs(a.atMs - b.atMs) < SAME_WITHIN_MS
  );
}

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
