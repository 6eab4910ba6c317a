import { z } from '@hono/zod-openapi';
import type { ActivityEntry } from '../../timeline/activity-entry.js';
import { entryLinks } from '../entry-links.js';
import { isoTime } from './iso-time.js';

export const TimelineEntrySchema = z
  .object({
    id: z.string(),
    at: z.string(),
    instance: z.string().openapi({ description: '*: every Redis' }),
    kind: z.string().openapi({ description: 'Of an action: action. and the name of the action' }),
    group: z.string(),
    queue: z.string().nullable(),
    worker: z.string().nullable(),
    text: z.string(),
    actor: z.string().nullable().openapi({ description: 'null: the console noticed it' }),
    state: z
      .enum(['critical', 'warning', 'info', 'calm'])
      .nullable()
      .openapi({ description: 'calm: something got better; null: nothing to mark' }),
    ref: z.string().nullable().openapi({ description: 'Id of the episode of a finding, or of the incident' }),
    audited: z
      .object({
        action: z.string(),
        reason: z.string(),
        status: z.string(),
        changes: z.array(z.object({ label: z.string(), before: z.string(), after: z.string() })),
        measured: z.string().nullable(),
      })
      .nullable(),
    notes: z.array(z.object({ id: z.string(), at: z.string(), actor: z.string(), text: z.string() })),
    links: z.object({
      self: z.string().openapi({ description: 'The entry on the page' }),
      about: z.string().nullable().openapi({ description: 'The page of what it is about' }),
    }),
  })
  .openapi('TimelineEntry');

export function presentEntry(entry: ActivityEntry): z.infer<typeof TimelineEntrySchema> {
  const { atMs, notes, audited, ...rest } = entry;
  return {
    ...rest,
    at: isoTime(atMs),
    audited:
      audited === null ? null : { ...audited, changes: audited.changes.map((change) => ({ ...change })) },
    notes: notes.map((note) => ({ id: note.id, at: isoTime(note.atMs), actor: note.actor, text: note.text })),
    links: entryLinks(entry),
  };
}
