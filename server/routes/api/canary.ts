import { z } from '@hono/zod-openapi';
import { requirePermitted } from '../../model/action.js';
import { requireBullmq } from '../../model/find-queue.js';
import { CANARY_TYPE, type CanaryResult, CanarySchema } from '../../model/job-view.js';
import { jsonWriter } from '../../model/json.js';
import { type ChangeBy, includesRole, type Role } from '../../model/role.js';
import type { AppDeps } from '../app-deps.js';
import { auditOwn } from './audit.js';
import {
  apiPart,
  changeBy,
  dryRunQuery,
  jsonBody,
  jsonRoute,
  queueIn,
  queueParam,
  reason,
  snapshotOf,
} from './env.js';

type Deps = Pick<AppDeps, 'watch' | 'probeQueue' | 'jobDataRole' | 'audit' | 'now' | 'newId'>;

/** A call is held open for this long at most. */
const MAX_TIMEOUT_MS = 120_000;

const canaryRoute = jsonRoute(
  'post /instances/{instance}/queues/{queue}/canary',
  'Send one job through the queue the way users do, and time it',
  z.object({
    canary: CanarySchema.nullable().describe('null: a dry run, nothing was sent'),
  }),
  {
    params: queueParam,
    query: dryRunQuery,
    body: jsonBody(
      z.strictObject({
        jobType: z
          .string()
          .min(1, 'must not be empty')
          .max(200)
          .default(CANARY_TYPE)
          .describe('A type whose processing harms nobody; its data is {"canary": true}'),
        timeoutMs: z
          .int('must be a whole number of milliseconds')
          .min(100, 'must be at least 100')
          .max(MAX_TIMEOUT_MS, `must be at most ${MAX_TIMEOUT_MS}`)
          .default(30_000),
        reason,
      }),
    ),
  },
);

const write = jsonWriter(CanarySchema);

export function canaryApi(deps: Deps) {
  return apiPart().openapi(canaryRoute, async (c) => {
    const { reason, ...ask } = c.req.valid('json');
    const by = changeBy(c, reason);
    const result = await probe(deps, by, c.req.valid('param'), ask);
    const failedReason = result && shownReason(result, by.actor.role, deps.jobDataRole);
    return c.json({ canary: result && write(result, { failedReason }) }, 200);
  });
}

/**
 * Sends it and keeps who asked for it; the page does the same.
 * @returns null: it was only asked what it would do, so nothing was sent.
 * @throws CanaryRefused, JobsUnavailable, Problem
 */
export async function probe(
  deps: Deps,
  by: ChangeBy,
  place: { readonly instance: string; readonly queue: string },
  { jobType, timeoutMs }: { readonly jobType: string; readonly timeoutMs: number },
): Promise<CanaryResult | null> {
  const { instance } = place;
  const snapshot = snapshotOf(deps, instance);
  const queue = queueIn(snapshot, place.queue);
  requireBullmq(queue);
  requirePermitted(snapshot.permits, 'queue.canary');
  const { id } = queue;
  if (by.isDryRun) return null;
  const ask = { jobType, timeoutMs, jobId: `spillway-canary-${deps.newId()}`, now: deps.now };
  const startedAtMs = deps.now();
  const note = (summary: string, isDone: boolean) =>
    auditOwn(deps, by, {
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

/** Why it failed. What a worker throws may quote job data, so it is for those alone who may see them. */
export function shownReason({ failedReason }: CanaryResult, role: Role, jobDataRole: Role): string | null {
  if (failedReason === null || includesRole(role, jobDataRole)) return failedReason?.slice(0, 500) ?? null;
  return 'hidden: your role does not see job data';
}
