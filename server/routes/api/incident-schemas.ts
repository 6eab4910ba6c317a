import { z } from '@hono/zod-openapi';
import { NOTE_SECTIONS } from '../../timeline/incident.js';
import type { IncidentOrder } from '../incident-desk.js';

const seconds = z.number().nullable();
const impactNumber = z
  .object({ value: z.number(), at: z.string().nullable(), source: z.enum(['history', 'findings']) })
  .nullable()
  .openapi({ description: 'null: not known, which is not the same as none' });
const count = z.number();

/** The account of an incident for machines. */
export const PostMortemSchema = z
  .object({
    queues: z.array(z.string()),
    openFindings: count,
    durations: z.object({
      detectedAfterSeconds: seconds,
      alertedAfterSeconds: seconds,
      firstActionAfterSeconds: seconds,
      resolvedAfterSeconds: seconds,
      lastsSeconds: count,
      blindSeconds: count,
    }),
    impact: z.object({
      memoryRatio: impactNumber,
      backlogJobs: impactNumber,
      longestWaitSeconds: impactNumber,
      refusedPerSecond: impactNumber,
      failedJobs: impactNumber,
    }),
    delayed: z
      .object({
        atLeastJobs: count,
        waitedJobSeconds: count.nullable(),
        thresholdJobs: count,
        source: z.enum(['history', 'findings']),
      })
      .nullable(),
    loss: z.object({ verdict: z.enum(['none-known', 'possible']), because: z.array(z.string()) }),
    replays: z.array(
      z.object({
        ...{ id: z.string(), state: z.string(), actor: z.string() },
        ...{ matched: count, moved: count, skipped: count, remaining: count },
        ...{ succeeded: count, failedAgain: count, gone: count },
      }),
    ),
    parkings: z.array(
      z.object({
        ...{ id: z.string(), queue: z.string(), actor: z.string() },
        ...{ parked: count, restored: count, present: count, remaining: count },
      }),
    ),
    findings: z.array(
      z.object({
        id: z.string(),
        code: z.string(),
        severity: z.enum(['critical', 'warning']),
        title: z.string(),
        instance: z.string(),
        queue: z.string().nullable(),
        queues: z.array(z.string()),
        beganAt: z.string(),
        endedAt: z.string().nullable(),
        worst: z.array(
          z.object({
            label: z.string(),
            value: z.union([z.number(), z.string()]),
            unit: z.string().optional(),
          }),
        ),
      }),
    ),
    unknown: z.array(z.string()).openapi({ description: 'What could not be told, and why' }),
  })
  .openapi('PostMortem');

const MAX_TITLE = 200;
const MAX_NOTE = 20_000;
const ONE_LINE = /^\P{Cc}*$/u;
const line = (most: number) =>
  z
    .string('must be text')
    .trim()
    .max(most, `must be at most ${most} characters`)
    .regex(ONE_LINE, 'must be one line');
const time = z.iso.datetime({ offset: true, error: 'must be a time such as 2026-01-31T03:00:00Z' });
const note = z.string('must be text').max(MAX_NOTE, `must be at most ${MAX_NOTE} characters`).optional();

const fields = {
  title: line(MAX_TITLE).min(1, 'must say what it was'),
  from: time,
  to: time.nullable().openapi({ description: 'null: it lasts' }),
  instances: z.array(z.string()).max(50, 'must be at most 50').openapi({ description: 'Empty: every Redis' }),
  severity: z.enum(['critical', 'warning'], 'must be critical or warning'),
  affects: line(MAX_TITLE).openapi({
    description: 'What customers notice, in their words',
    example: 'Sending of e-mail',
  }),
  notes: z
    .strictObject({ summary: note, cause: note, wentWell: note, wentBadly: note, nextSteps: note })
    .openapi({ description: 'Sections of the post-mortem, in Markdown' }),
};

export const IncidentOrderSchema = z.strictObject({
  title: fields.title,
  from: fields.from,
  to: fields.to.optional(),
  instances: fields.instances.optional(),
  severity: fields.severity.optional(),
  affects: fields.affects.optional(),
  notes: fields.notes.optional(),
});
export const ChangeSchema = IncidentOrderSchema.partial();

export const IncidentSchema = z
  .object({
    id: z.string(),
    ...fields,
    createdBy: z.string(),
    createdAt: z.string(),
    updatedAt: z.string(),
    links: z.object({ self: z.string(), draft: z.string(), status: z.string() }),
  })
  .openapi('Incident');

/** What was posted, with what goes without saying. A range that has ended is told with its `to`. */
export function orderOf(body: z.infer<typeof IncidentOrderSchema>, nowMs: number): IncidentOrder {
  return {
    title: body.title,
    fromMs: Date.parse(body.from ?? new Date(nowMs).toISOString()),
    toMs: body.to ? Date.parse(body.to) : null,
    instances: body.instances ?? [],
    severity: body.severity ?? 'critical',
    affects: body.affects ?? '',
    notes: notesOf(body.notes),
  };
}

export function incidentChangeOf(body: z.infer<typeof ChangeSchema>): Partial<IncidentOrder> {
  const { from, to, title, instances, severity, affects, notes } = body;
  return {
    ...(title === undefined ? {} : { title }),
    ...(from === undefined ? {} : { fromMs: Date.parse(from) }),
    ...(to === undefined ? {} : { toMs: to === null ? null : Date.parse(to) }),
    ...(instances === undefined ? {} : { instances }),
    ...(severity === undefined ? {} : { severity }),
    ...(affects === undefined ? {} : { affects }),
    ...(notes === undefined ? {} : { notes: notesOf(notes) }),
  };
}

function notesOf(notes: z.infer<typeof IncidentOrderSchema>['notes']): IncidentOrder['notes'] {
  return Object.fromEntries(
    NOTE_SECTIONS.flatMap((section) => {
      const text = notes?.[section];
      return text === undefined ? [] : [[section, text]];
    }),
  );
}
