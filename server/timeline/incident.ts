import { z } from 'zod';
import { TimeSchema } from '../model/json.js';
import { type Database, jsonIn, type WithJson } from '../store/database.js';
import type { RecordedSeverity } from './episode.js';

/** Sections of the post-mortem that people write; the rest is made from what was recorded. */
export const NOTE_SECTIONS = ['summary', 'cause', 'wentWell', 'wentBadly', 'nextSteps'] as const;
export type NoteSection = (typeof NOTE_SECTIONS)[number];
type IncidentNotes = Readonly<Partial<Record<NoteSection, string>>>;

/** A range of time that somebody calls an incident. */
export interface Incident {
  readonly id: string;
  readonly title: string;
  readonly fromMs: number;
  /** null: it lasts until somebody closes it. */
  readonly toMs: number | null;
  /** Names; empty: all. */
  readonly instances: readonly string[];
  readonly severity: RecordedSeverity;
  /** What customers notice, in their words, such as `Sending of e-mail`; empty: not said. */
  readonly affects: string;
  readonly notes: IncidentNotes;
  readonly createdBy: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

const json = jsonIn<Incident>()('instances', 'notes');

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
  const db = database.withTables<{ incidents: WithJson<Incident, 'instances' | 'notes'> }>();
  return {
    /** Newest first, at most 200. */
    async list(): Promise<readonly Incident[]> {
      const rows = await db
        .selectFrom('incidents')
        .selectAll()
        .orderBy('fromMs', 'desc')
        .orderBy('id', 'desc')
        .limit(MAX_LISTED)
        .execute();
      return rows.map(json.value);
    },
    async get(id: string): Promise<Incident | null> {
      const row = await db.selectFrom('incidents').selectAll().where('id', '=', id).executeTakeFirst();
      return row ? json.value(row) : null;
    },
    /** Writes it, whether it was known or not. */
    async save(incident: Incident): Promise<void> {
      const { id, ...change } = json.text(incident);
      await db
        .insertInto('incidents')
        .values({ id, ...change })
        .onConflict((known) => known.column('id').doUpdateSet(change))
        .execute();
    },
    /** @returns false: there is none. */
    async remove(id: string): Promise<boolean> {
      const gone = await db.deleteFrom('incidents').where('id', '=', id).returning('id').execute();
      return gone.length > 0;
    },
  };
}
