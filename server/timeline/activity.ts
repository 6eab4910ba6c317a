import { ACTIVITY_GROUPS, type ActivityEntry, type ActivityGroup } from '../model/activity-entry.js';

/** Where an entry stands in the activity: times may be equal, ids are not. */
interface ActivityPlace {
  readonly atMs: number;
  readonly id: string;
}

/** Newest first. */
export function compareNewest(a: ActivityPlace, b: ActivityPlace): number {
  return b.atMs - a.atMs || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
}

/** As it stands in an address; holds no character that must be encoded but those of the id. */
export function cursorOf({ atMs, id }: ActivityPlace): string {
  return `${atMs}~${id}`;
}

/** The place that a cursor names; null: it is none. */
export function placeAt(cursor: string): ActivityPlace | null {
  const found = /^(\d{1,15})~(.{1,200})$/s.exec(cursor);
  return found ? { atMs: Number(found[1]), id: found[2] ?? '' } : null;
}

/** The group of a kind, by what stands before its first dot. */
export function activityGroupOf(kind: string): ActivityGroup {
  const [prefix = ''] = kind.split('.', 1);
  for (const [group, { prefixes }] of Object.entries(ACTIVITY_GROUPS))
    if ((prefixes as readonly string[]).includes(prefix)) return group as ActivityGroup;
  return 'other';
}

/** What a kind weighs where whoever recorded it did not say. */
export function stateOfKind(kind: string): ActivityEntry['state'] {
  return STATES[kind] ?? null;
}

const STATES: Readonly<Record<string, NonNullable<ActivityEntry['state']>>> = {
  'finding.ended': 'calm',
  'alert.firing': 'warning',
  'alert.resolved': 'calm',
  'redis.unreachable': 'critical',
  'redis.back': 'calm',
  'redis.data-lost': 'critical',
  'redis.failover': 'warning',
  'redis.restarted': 'warning',
  'worker.crashed': 'warning',
  'console.deaf': 'warning',
  'console.hears': 'calm',
  'replay.guarded': 'warning',
  'policy.acted': 'info',
  'incident.closed': 'calm',
};

export interface ActivityQuery {
  /** fromMs ≤ entry < toMs. */
  readonly fromMs?: number;
  readonly toMs?: number;
  /** Of this one, and of all instances. */
  readonly instance?: string;
  /** Of one of these, and of all. */
  readonly instances?: readonly string[];
  /** Queue id. */
  readonly queue?: string;
  /** Kinds, or what stands before a dot in them: `finding` is every `finding.…`. */
  readonly kinds?: readonly string[];
  /** Part of a text, a name or a reason, in any case of characters. */
  readonly search?: string;
  /** Entries older than this place, or newer where `order` is `oldest`. */
  readonly after?: ActivityPlace;
  /** Which come first; newest unless given. */
  readonly order?: 'newest' | 'oldest';
  readonly limit: number;
}
