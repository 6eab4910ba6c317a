import { z } from '@hono/zod-openapi';

const Limiter = z.object({ max: z.number(), durationMs: z.number() }).nullable();

export const OverrideSchema = z
  .object({
    orderId: z.string(),
    scope: z.string().openapi({ description: '`*`: every worker of the queue; else one worker.' }),
    setting: z.string(),
    value: z.unknown(),
    by: z.string(),
    at: z.string(),
    reason: z.string(),
    until: z.string().nullable(),
  })
  .openapi('Override');

export const WorkerSchema = z
  .object({
    id: z.string(),
    instance: z.string(),
    queue: z.string(),
    label: z.string(),
    name: z.string().nullable(),
    host: z.string().nullable(),
    pid: z.number().nullable(),
    verdict: z.string(),
    sentence: z.string(),
    evidence: z.array(
      z.object({ label: z.string(), value: z.union([z.number(), z.string()]), unit: z.string().nullable() }),
    ),
    outlier: z
      .object({
        kind: z.enum(['slow', 'failing']),
        type: z.string(),
        own: z.number(),
        peers: z.number(),
        sentence: z.string(),
      })
      .nullable(),
    connected: z.boolean().nullable(),
    firstSeen: z.string(),
    lastSeen: z.string(),
    replacedBy: z
      .string()
      .nullable()
      .openapi({ description: 'Of one that is gone: the id of the worker that has its place' }),
    agent: z
      .object({
        version: z.string(),
        bullmqVersion: z.string().nullable(),
        nodeVersion: z.string(),
        labels: z.record(z.string(), z.string()),
        attachedAt: z.string(),
        concurrency: z.object({ deployed: z.number(), now: z.number(), max: z.number().nullable() }),
        running: z.number(),
        paused: z.enum(['order', 'application', 'guard']).nullable(),
        closing: z.boolean(),
        limiter: z.object({ deployed: Limiter, now: Limiter }),
        rateLimited: z.boolean(),
        finishedPerSecond: z.number(),
        failedPerSecond: z.number(),
        lastStarted: z.string().nullable(),
        lastFinished: z.string().nullable(),
        types: z.array(
          z.object({
            name: z.string(),
            completed: z.number(),
            failed: z.number(),
            runs: z.number(),
            p50Ms: z.number().nullable(),
            p99Ms: z.number().nullable(),
          }),
        ),
        wait: z.object({ p50Ms: z.number(), p99Ms: z.number() }).nullable(),
        eventLoopDelayP99Ms: z.number(),
        residentBytes: z.number().nullable(),
        errorsPerSecond: z.object({
          oom: z.number(),
          connection: z.number(),
          lock: z.number(),
          other: z.number(),
        }),
        guardSince: z.string().nullable(),
        overrides: z.array(OverrideSchema.extend({ followed: z.boolean(), refusal: z.string().nullable() })),
        ignoredOrders: z.object({
          unsigned: z.number(),
          forged: z.number(),
          replayed: z.number(),
          late: z.number(),
          malformed: z.number(),
          unaddressed: z.number(),
          flooded: z.number().openapi({ description: 'More than consoles give: dropped unread.' }),
        }),
      })
      .nullable()
      .openapi({ description: 'null: no agent is attached.' }),
    locks: z
      .object({
        jobs: z.number(),
        held: z.number(),
        orphaned: z.number(),
        lastExpiry: z.string().nullable(),
      })
      .nullable(),
  })
  .openapi('Worker');

export const FleetSummarySchema = z
  .object({
    workers: z.number(),
    withAgent: z.number(),
    verdicts: z.record(z.string(), z.number()),
    slots: z.object({ deployed: z.number(), now: z.number(), busy: z.number() }),
  })
  .openapi('FleetSummary');
