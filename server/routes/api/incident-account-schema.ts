import { z } from '@hono/zod-openapi';

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
