import { sql } from 'kysely';
import type { Brief } from '../model/brief.js';
import type { Severity } from '../model/finding.js';
import {
  ALL_INSTANCES,
  type RecordEvent,
  type TimelineEntry,
  type TimelineLog,
} from '../model/timeline-entry.js';
import { type Database, isBeyondNewest, jsonIn, type WithJson } from '../store/database.js';
import type { Lease } from '../store/lease.js';

/** What happened, with null for what is not said of it. */
interface FullEntry extends Omit<TimelineEntry, 'actor' | 'severity' | 'brief' | 'ref'> {
  readonly actor: string | null;
  readonly severity: Severity | null;
  readonly ref: string | null;
  readonly brief: Brief | null;
}

export type EntryRow = WithJson<FullEntry, 'brief'>;

const json = jsonIn<FullEntry>()('brief');

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
  const db = database.withTables<{ timeline: EntryRow }>();
  let written = 0;
  return {
    async append({ actor = null, severity = null, ref = null, brief = null, ...entry }) {
      const row = json.text({ ...entry, actor, severity, ref, brief });
      await db.insertInto('timeline').values(row).execute();
      written += 1;
      if (written % PRUNE_EVERY !== 1) return;
      await db
        .deleteFrom('timeline')
        .where(isBeyondNewest(MAX_ENTRIES, { table: 'timeline', time: 'atMs' }))
        .execute();
    },
    async list({ instance, kinds, kindPrefixes, sinceMs, beforeMs, limit }) {
      let query = db.selectFrom('timeline').selectAll();
      if (instance !== undefined) query = query.where('instance', 'in', [instance, ALL_INSTANCES]);
      if (kinds !== undefined) query = query.where('kind', 'in', kinds);
      if (kindPrefixes !== undefined)
        query = query.where((is) => is.or(kindPrefixes.map((prefix) => is(sql`kind`, 'like', `${prefix}%`))));
      if (sinceMs !== undefined) query = query.where('atMs', '>=', sinceMs);
      if (beforeMs !== undefined) query = query.where('atMs', '<', beforeMs);
      const newest = query.orderBy('atMs', 'desc').orderBy('id', 'desc');
      return (await newest.limit(Math.min(limit, MAX_LISTED)).execute()).map(timelineEntryOf);
    },
  };
}

/** A row as an entry: what is not said of it is absent. */
export function timelineEntryOf(row: EntryRow): TimelineEntry {
  const { severity, ref, ...entry } = json.value(row);
  return { ...entry, ...(severity === null ? {} : { severity }), ...(ref === null ? {} : { ref }) };
}
