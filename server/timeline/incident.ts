import { desc, eq } from 'drizzle-orm';
import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { z } from 'zod';
import { TimeSchema } from '../model/json.js';
import type { Database } from '../store/tables.js';
import type { RecordedSeverity } from './episode.js';

/** Sections of the post-mortem that people write; the rest is made from what was recorded. */
export const NOTE_SECTIONS = ['summary', 'cause', 'wentWell', 'wentBadly', 'nextSteps'] as const;
export type NoteSection = (typeof NOTE_SECTIONS)[number];
type IncidentNotes = Readonly<Partial<Record<NoteSection, string>>>;

/** Ranges of time that somebody calls an incident. */
const incidents = sqliteTable(
  'incidents',
  {
    id: text('id').primaryKey(),
    title: text('title').notNull(),
    fromMs: integer('from_ms').notNull(),
    /** null: it lasts until somebody closes it. */
    toMs: integer('to_ms'),
    /** Names; empty: all. */
    instances: text('instances', { mode: 'json' }).$type<readonly string[]>().notNull(),
    severity: text('severity').$type<RecordedSeverity>().notNull(),
    /** What customers notice, in their words, such as `Sending of e-mail`; empty: not said. */
    affects: text('affects').notNull(),
    notes: text('notes', { mode: 'json' }).$type<IncidentNotes>().notNull(),
    createdBy: text('created_by').notNull(),
    createdAtMs: integer('created_at_ms').notNull(),
    updatedAtMs: integer('updated_at_ms').notNull(),
  },
  (table) => [index('incidents_from').on(table.fromMs)],
);

export type Incident = Readonly<typeof incidents.$inferSelect>;

/** What the API answers of an incident. */
export const IncidentFields = z.object({
  id: z.string(),
  title: z.string(),
  from: TimeSchema,
  to: TimeSchema.nullable().describe('null: it lasts'),
  instances: z.array(z.string()).describe('Empty: every Redis'),
  severity: z.enum(['critical', 'warning']),
  affects: z.string().describe('What customers notice, in their words'),
  notes: z
    .partialRecord(z.enum(NOTE_SECTIONS), z.string())
    .describe('Sections of the post-mortem, in Markdown'),
  createdBy: z.string(),
  createdAt: TimeSchema,
  updatedAt: TimeSchema,
});

export type IncidentLog = ReturnType<typeof createIncidentLog>;

const MAX_LISTED = 200;

/** Incidents in the store. They are few and made by hand, so none is ever dropped. */
export function createIncidentLog(database: Database) {
  return {
    /** Newest first, at most 200. */
    list: (): Promise<readonly Incident[]> =>
      database.select().from(incidents).orderBy(desc(incidents.fromMs), desc(incidents.id)).limit(MAX_LISTED),
    async get(id: string): Promise<Incident | null> {
      const [row] = await database.select().from(incidents).where(eq(incidents.id, id));
      return row ?? null;
    },
    /** Writes it, whether it was known or not. */
    async save(incident: Incident): Promise<void> {
      const { id: _, ...change } = incident;
      await database
        .insert(incidents)
        .values(incident)
        .onConflictDoUpdate({ target: incidents.id, set: change });
    },
    /** @returns false: there is none. */
    async remove(id: string): Promise<boolean> {
      const gone = await database
        .delete(incidents)
        .where(eq(incidents.id, id))
        .returning({ id: incidents.id });
      return gone.length > 0;
    },
  };
}
