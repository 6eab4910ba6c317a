import { z } from '@hono/zod-openapi';
import { RuleSchema } from '../../alerts/rule-schema.js';

const SeveritySchema = z.enum(['critical', 'warning', 'info']);

export const SubjectSchema = z
  .object({
    instance: z.string(),
    node: z.string().nullable(),
    queue: z.string().nullable(),
    type: z.string().nullable(),
  })
  .openapi('AlertSubject');

export const SilenceSchema = z
  .object({
    id: z.string(),
    matchers: z.object({
      rule: z.string().optional(),
      cause: z.string().optional(),
      instance: z.string().optional(),
      queue: z.string().optional(),
      type: z.string().optional(),
      severity: SeveritySchema.optional(),
    }),
    author: z.string(),
    comment: z.string(),
    startsAt: z.string(),
    endsAt: z.string(),
    remainingSeconds: z.number(),
  })
  .openapi('Silence');

export const AlertSchema = z
  .object({
    id: z.string(),
    fingerprint: z.string().openapi({ description: 'The same as long as rule and subject are' }),
    state: z.enum(['pending', 'firing', 'resolved']),
    severity: SeveritySchema,
    rule: z.object({ id: z.string(), name: z.string() }),
    subject: SubjectSchema,
    cause: z.string().openapi({ description: 'Code of the finding, or signal: and its name' }),
    summary: z.string(),
    evidence: z.string().nullable(),
    value: z.number().nullable(),
    since: z.string(),
    firedAt: z.string().nullable(),
    resolvedAt: z.string().nullable(),
    isSeen: z.boolean().openapi({ description: 'false: not known at the last look; the state holds' }),
    inhibitedBy: z.string().nullable().openapi({ description: 'Rule of the alert that explains it' }),
    silencedBy: SilenceSchema.nullable(),
    acknowledged: z.object({ actor: z.string(), at: z.string(), note: z.string() }).nullable(),
    finding: z.object({ key: z.string(), code: z.string(), title: z.string() }).nullable(),
    firstRemedy: z.string().nullable(),
    runbookUrl: z.string().nullable(),
    path: z.string().openapi({ description: 'Where the console shows it' }),
  })
  .openapi('Alert');

export const KeptRuleSchema = RuleSchema.extend({
  severity: z.enum(['critical', 'warning', 'info', 'finding']),
  source: z.enum(['default', 'user', 'file']),
  isReadOnly: z.boolean().openapi({ description: 'Given by the configuration: change it there' }),
  updatedAt: z.string().nullable(),
  updatedBy: z.string().nullable(),
}).openapi('AlertRule');

export const RuleTestSchema = z
  .object({
    isTested: z.boolean(),
    why: z.string().nullable().openapi({ description: 'Why it was not tested against the past' }),
    summary: z.string().openapi({ example: 'would have fired 3 times for 2 subjects in the last day' }),
    from: z.string(),
    to: z.string(),
    times: z.number(),
    seriesTested: z.number(),
    isPartial: z.boolean().openapi({ description: 'More series match than were tested' }),
    unseenSeconds: z
      .number()
      .openapi({ description: 'Of the day, without a console that saw the instance: not counted' }),
    firings: z.array(
      z.object({ subject: SubjectSchema, firedAt: z.string(), resolvedAt: z.string().nullable() }),
    ),
    holdsNowCount: z.number(),
    holdsNow: z.array(SubjectSchema),
  })
  .openapi('AlertRuleTest');
