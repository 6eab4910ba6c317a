/**
 * What happened and what was done: the timeline (timeline-log.ts), the audit log, findings from their beginning to their end
 * (episode-keeper.ts steps them, episode.ts keeps them), and incidents with their post-mortems (incident/). Begin reading
 * here: activity.ts is one line of it, activity-log.ts reads timeline and audit log as one. lifecycle.ts is shared with
 * alerts. Imports model, store, watch and findings.
 */
import { z } from 'zod';
import { type ModelOf, TimeSchema } from '../model/json.js';

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

const AuditedSchema = z.object({
  action: z.string(),
  reason: z.string(),
  status: z.string(),
  changes: z.array(z.object({ label: z.string(), before: z.string(), after: z.string() })),
  measured: z.string().nullable(),
});

const NoteSchema = z.object({ id: z.string(), at: TimeSchema, actor: z.string(), text: z.string() });
export type ActivityNote = ModelOf<typeof NoteSchema>;

/** One line of the activity: something that was noticed, entered or done. Holds no job data. */
export const ActivityEntrySchema = z.object({
  id: z.string().describe('Of the timeline’s entry, or of the action: unique in both'),
  at: TimeSchema,
  instance: z.string().describe('Name of a Redis; *: all'),
  kind: z.string().describe('Such as finding.began; of an action action. and the name of the action'),
  group: z.string(),
  queue: z.string().nullable(),
  worker: z.string().nullable(),
  text: z.string(),
  actor: z.string().nullable().describe('Who did or entered it; null: the console noticed it'),
  state: z
    .enum(['critical', 'warning', 'info', 'calm'])
    .nullable()
    .describe('What it weighs: calm where something got better; null: nothing to mark'),
  ref: z.string().nullable().describe('Id of what it is about: the episode of a finding, an incident'),
  audited: AuditedSchema.nullable().describe('Of an action only'),
  notes: z.array(NoteSchema).describe('What people wrote on it, oldest first'),
});
export interface ActivityEntry extends ModelOf<typeof ActivityEntrySchema> {
  readonly group: ActivityGroup;
}

/** What a reader shows or hides together, with the kinds (as prefixes) that are in it. */
export const ACTIVITY_GROUPS = {
  findings: { label: 'Findings', prefixes: ['finding'] },
  alerts: { label: 'Alerts', prefixes: ['alert', 'silence'] },
  actions: { label: 'Actions', prefixes: ['action'] },
  markers: { label: 'Deploys and notes', prefixes: ['marker'] },
  redis: { label: 'Redis', prefixes: ['redis'] },
  replays: { label: 'Replays and parking', prefixes: ['replay', 'parking', 'policy'] },
  workers: { label: 'Workers', prefixes: ['worker', 'agent'] },
  console: { label: 'Console', prefixes: ['console'] },
  incidents: { label: 'Incidents', prefixes: ['incident'] },
} as const satisfies Readonly<Record<string, { label: string; prefixes: readonly string[] }>>;
type ActivityGroup = keyof typeof ACTIVITY_GROUPS | 'other';

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
