import { z } from '@hono/zod-openapi';
import type { AppDeps } from '../../app-deps.js';
import { type Actor, includesRole, type Role } from '../../auth/role.js';
import type { BeaconResult } from '../../redis/beacon.js';
import { BEACON_TYPE } from '../../watch/beacon-refused.js';
import { auditOwn } from './audit-own.js';
import { apiPart, jsonBody, jsonRoute, queueIn, queueParam, snapshotOf } from './env.js';
import { isoTime } from './iso-time.js';

/** A call is held open for this long at most. */
const MOST_TIMEOUT_MS = 120_000;

const BeaconSchema = z
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
  .openapi('Beacon');

const beaconRoute = jsonRoute(
  {
    method: 'post',
    path: '/instances/{instance}/queues/{queue}/beacon',
    summary: 'Send one job through the queue the way users do, and time it',
    request: {
      params: queueParam,
      body: jsonBody(
        z.strictObject({
          jobType: z
            .string()
            .min(1, 'must not be empty')
            .max(200)
            .default(BEACON_TYPE)
            .openapi({ description: 'A type whose processing harms nobody; its data is {"beacon": true}' }),
          timeoutMs: z
            .int('must be a whole number of milliseconds')
            .min(100, 'must be at least 100')
            .max(MOST_TIMEOUT_MS, `must be at most ${MOST_TIMEOUT_MS}`)
            .default(30_000),
        }),
      ),
    },
  },
  BeaconSchema,
);

export function beaconApi(deps: AppDeps) {
  return apiPart().openapi(beaconRoute, async (c) => {
    const actor = c.get('actor');
    const result = await probe(deps, actor, c.req.valid('param'), c.req.valid('json'));
    return c.json(presentBeacon(result, actor.role, deps.jobDataRole), 200);
  });
}

/** Sends it and keeps who asked for it; the page does the same. @throws BeaconRefused, JobsUnavailable, Problem */
export async function probe(
  deps: AppDeps,
  actor: Actor,
  place: { readonly instance: string; readonly queue: string },
  { jobType, timeoutMs }: { readonly jobType: string; readonly timeoutMs: number },
): Promise<BeaconResult> {
  const { instance } = place;
  const { id } = queueIn(snapshotOf(deps, instance), place.queue);
  const ask = { jobType, timeoutMs, jobId: `spillway-beacon-${deps.newId()}`, now: deps.now };
  const startedAtMs = deps.now();
  const note = (summary: string, isDone: boolean) =>
    auditOwn(deps, actor, {
      ...{ lever: 'queue.beacon', instance, queue: id, args: { jobType }, summary, isDone },
      durationMs: deps.now() - startedAtMs,
    });
  try {
    const result = await deps.probeQueue(instance, id, ask);
    await note(`the beacon is ${result.stage} after ${result.totalMs} ms`, true);
    return result;
  } catch (error) {
    await note(`not sent: ${error instanceof Error ? error.message : 'unknown reason'}`, false);
    throw error;
  }
}

/** What a worker throws may quote job data, so it is for those alone who may see them. */
export function presentBeacon(
  result: BeaconResult,
  role: Role,
  jobDataRole: Role,
): z.infer<typeof BeaconSchema> {
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
