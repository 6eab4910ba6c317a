import { z } from '@hono/zod-openapi';
import type { CanaryResult } from '../../model/job-view.js';
import { CANARY_TYPE } from '../../model/job-view.js';
import { isoTime } from '../../model/json.js';
import { type Actor, includesRole, type Role } from '../../model/role.js';
import type { AppDeps } from '../app-deps.js';
import { auditOwn } from './audit.js';
import { apiPart, jsonBody, jsonRoute, queueIn, queueParam, snapshotOf } from './env.js';

type Deps = Pick<AppDeps, 'watch' | 'probeQueue' | 'jobDataRole' | 'audit' | 'now' | 'newId'>;

/** A call is held open for this long at most. */
const MAX_TIMEOUT_MS = 120_000;

const CanarySchema = z
  .object({
    jobId: z.string(),
    jobType: z.string(),
    stage: z.enum(['waiting', 'active', 'completed', 'failed']).openapi({
      description: 'How far it came: waiting, no worker took it; active, a worker has not ended it',
    }),
    acceptedAt: z.string(),
    startedAt: z.string().nullable().openapi({ description: "By the clock of the worker's machine" }),
    finishedAt: z.string().nullable().openapi({ description: "By the clock of the worker's machine" }),
    totalMs: z.number().openapi({ description: 'From the call until its end was seen, or time was up' }),
    failedReason: z.string().nullable(),
    waitingJobs: z.number().nullable(),
    isRemoved: z.boolean(),
  })
  .openapi('Canary');

const canaryRoute = jsonRoute(
  {
    method: 'post',
    path: '/instances/{instance}/queues/{queue}/canary',
    summary: 'Send one job through the queue the way users do, and time it',
    request: {
      params: queueParam,
      body: jsonBody(
        z.strictObject({
          jobType: z
            .string()
            .min(1, 'must not be empty')
            .max(200)
            .default(CANARY_TYPE)
            .openapi({ description: 'A type whose processing harms nobody; its data is {"canary": true}' }),
          timeoutMs: z
            .int('must be a whole number of milliseconds')
            .min(100, 'must be at least 100')
            .max(MAX_TIMEOUT_MS, `must be at most ${MAX_TIMEOUT_MS}`)
            .default(30_000),
        }),
      ),
    },
  },
  CanarySchema,
);

export function canaryApi(deps: Deps) {
  return apiPart().openapi(canaryRoute, async (c) => {
    const actor = c.get('actor');
    const result = await probe(deps, actor, c.req.valid('param'), c.req.valid('json'));
    return c.json(presentCanary(result, actor.role, deps.jobDataRole), 200);
  });
}

/** Sends it and keeps who asked for it; the page does the same. @throws CanaryRefused, JobsUnavailable, Problem */
export async function probe(
  deps: Deps,
  actor: Actor,
  place: { readonly instance: string; readonly queue: string },
  { jobType, timeoutMs }: { readonly jobType: string; readonly timeoutMs: number },
): Promise<CanaryResult> {
  const { instance } = place;
  const { id } = queueIn(snapshotOf(deps, instance), place.queue);
  const ask = { jobType, timeoutMs, jobId: `spillway-canary-${deps.newId()}`, now: deps.now };
  const startedAtMs = deps.now();
  const note = (summary: string, isDone: boolean) =>
    auditOwn(deps, actor, {
      ...{ action: 'queue.canary', instance, queue: id, args: { jobType }, summary, isDone },
      durationMs: deps.now() - startedAtMs,
    });
  try {
    const result = await deps.probeQueue(instance, id, ask);
    await note(`the canary is ${result.stage} after ${result.totalMs} ms`, true);
    return result;
  } catch (error) {
    await note(`not sent: ${error instanceof Error ? error.message : 'unknown reason'}`, false);
    throw error;
  }
}

/** What a worker throws may quote job data, so it is for those alone who may see them. */
export function presentCanary(
  result: CanaryResult,
  role: Role,
  jobDataRole: Role,
): z.infer<typeof CanarySchema> {
  const { acceptedAtMs, startedAtMs, finishedAtMs, failedReason, ...rest } = result;
  const hidden = failedReason === null ? null : 'hidden: your role does not see job data';
  return {
    ...rest,
    acceptedAt: isoTime(acceptedAtMs),
    startedAt: startedAtMs === null ? null : isoTime(startedAtMs),
    finishedAt: finishedAtMs === null ? null : isoTime(finishedAtMs),
    failedReason: includesRole(role, jobDataRole) ? (failedReason?.slice(0, 500) ?? null) : hidden,
  };
}
