import { z } from 'zod';
import { BriefSchema } from './brief.js';
import { type ModelOf, TimeSchema } from './json.js';

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
  brief: BriefSchema.nullable().describe('Of a finding or an alert that begins or gets worse'),
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

export type ActivityGroup = keyof typeof ACTIVITY_GROUPS | 'other';
