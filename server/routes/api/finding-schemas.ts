import { z } from '@hono/zod-openapi';

const severity = z.enum(['critical', 'warning', 'info']);

export const RemedySchema = z
  .object({
    action: z.string(),
    label: z.string(),
    effect: z.string(),
    queues: z.array(z.string()),
    workers: z.array(z.string()),
    args: z.record(z.string(), z.unknown()),
    predictedFreedBytes: z.number().nullable(),
  })
  .openapi('Remedy', {
    description: 'An action with its arguments filled in: send it to POST /api/v1/actions/{action}.',
  });

export const FindingSchema = z
  .object({
    code: z.string().openapi({ example: 'redis.full' }),
    severity,
    instance: z.string(),
    queue: z.string().nullable(),
    queues: z.array(z.string()).openapi({ description: 'All queues it is about, worst first, at most 100.' }),
    node: z.string().nullable(),
    worker: z.string().nullable(),
    jobType: z.string().nullable().openapi({ description: 'With `queue`: the job type that it is about.' }),
    key: z.string(),
    title: z.string(),
    sentence: z.string(),
    since: z.string(),
    lastSeen: z
      .string()
      .nullable()
      .openapi({ description: 'Set where the console can’t see now: it was so at this time.' }),
    evidence: z.array(
      z.object({
        label: z.string(),
        value: z.union([z.number(), z.string()]),
        unit: z.string().nullable(),
        error: z
          .number()
          .nullable()
          .openapi({ description: 'Of an estimate: the truth lies within ± this in 95 of 100 cases.' }),
      }),
    ),
    remedies: z.array(RemedySchema),
    explains: z
      .array(
        z.object({
          code: z.string().openapi({ example: 'queue.overloaded' }),
          queue: z.string().nullable(),
          jobType: z.string().nullable(),
          title: z.string(),
        }),
      )
      .openapi({
        description: 'Findings that follow from this one and so are not told by themselves, worst first.',
      }),
  })
  .openapi('Finding');
