import { z } from '@hono/zod-openapi';
import { ACTIONS } from '../../actions/index.js';
import type { Outcome } from '../../model/action.js';
import type { Actor } from '../../model/role.js';
import type { AppDeps } from '../app-deps.js';
import {
  actionRoute,
  apiPart,
  dryRunQuery,
  groupQuery,
  instanceParam,
  jsonBody,
  jsonRoute,
  queueIn,
  queueParam,
  snapshotOf,
} from './env.js';
import { answerOutcomes, type Call, pullCalls } from './pull-calls.js';
import { reason } from './reason.js';

const listRoute = jsonRoute(
  {
    method: 'get',
    path: '/actions',
    summary: 'What can be done, with the JSON Schema of each action’s arguments',
  },
  z.object({
    actions: z.array(
      z.object({
        name: z.string(),
        title: z.string(),
        about: z.string(),
        scope: z.enum(['instance', 'queue', 'job', 'worker']),
        role: z.enum(['operator', 'admin']),
        isDestructive: z.boolean(),
        args: z.record(z.string(), z.unknown()),
      }),
    ),
  }),
);

const pullRoute = actionRoute({
  method: 'post',
  path: '/actions/{action}',
  summary: 'Pull an action on an instance, on queues by id or glob, or on a job',
  request: {
    params: z.object({ action: z.string().openapi({ example: 'queue.pause' }) }),
    query: dryRunQuery,
    body: jsonBody(
      z.strictObject({
        instance: z.string().default('default'),
        queues: z.array(z.string()).max(5_000).default([]),
        match: z.string().min(1).max(200).optional(),
        jobId: z.string().min(1).max(1_000).optional(),
        workers: z.array(z.string().min(1).max(300)).max(500).optional(),
        args: z.record(z.string(), z.unknown()).default({}),
        reason,
      }),
    ),
  },
});

const change = z.strictObject({
  paused: z.boolean().optional(),
  concurrency: z.number().nullable().optional(),
  rateLimit: z.strictObject({ max: z.number(), durationMs: z.number() }).nullable().optional(),
  reason,
});

const patchRoute = actionRoute({
  method: 'patch',
  path: '/instances/{instance}/queues/{queue}',
  summary: 'Set the desired state of one queue; idempotent',
  request: { params: queueParam, query: dryRunQuery, body: jsonBody(change) },
});

const patchGroupRoute = actionRoute({
  method: 'patch',
  path: '/instances/{instance}/queues',
  summary: 'Set the desired state of all queues that a glob matches; a result for each',
  request: {
    params: instanceParam,
    query: groupQuery,
    body: jsonBody(change),
  },
});

const reliefRoute = actionRoute({
  method: 'post',
  path: '/instances/{instance}/relief',
  summary: 'Make room in Redis',
  request: {
    params: instanceParam,
    query: dryRunQuery,
    body: jsonBody(
      z.discriminatedUnion('action', [
        z.strictObject({
          action: z.literal('trim-events'),
          match: z.string().min(1).default('*'),
          keep: z.number().optional(),
          reason,
        }),
        z.strictObject({
          action: z.literal('clean-finished'),
          match: z.string().min(1).default('*'),
          state: z.enum(['completed', 'failed'], 'must be completed or failed'),
          olderThanMs: z.number().optional(),
          keep: z.number().optional(),
          reason,
        }),
        z.strictObject({ action: z.literal('raise-maxmemory'), maxBytes: z.number(), reason }),
      ]),
    ),
  },
});

/** The desired state of queues as the action calls that bring it about. */
function callsFor(body: z.infer<typeof change>): readonly Call[] {
  const calls: Call[] = [];
  // A pause comes first and a resume last, so that nothing starts under a setting that is about to change.
  if (body.paused === true) calls.push({ action: 'queue.pause', args: {} });
  if (body.concurrency !== undefined)
    calls.push({ action: 'queue.concurrency', args: { value: body.concurrency } });
  if (body.rateLimit !== undefined)
    calls.push({ action: 'queue.rate-limit', args: body.rateLimit ?? { max: null } });
  if (body.paused === false) calls.push({ action: 'queue.resume', args: {} });
  return calls;
}

function reliefCall(
  body: z.infer<(typeof reliefRoute)['request']['body']['content']['application/json']['schema']>,
) {
  const { action, reason: why, ...rest } = body;
  if (action === 'raise-maxmemory') return { action: 'redis.raise-maxmemory', args: rest, reason: why };
  const { match, ...args } = rest as { match: string } & Record<string, unknown>;
  return { action: `queue.${action}`, match, args, reason: why };
}

export function actionsApi(deps: AppDeps) {
  const change = async (
    actor: Actor,
    target: { readonly instance: string; readonly queues: readonly string[]; readonly match?: string },
    body: z.infer<(typeof patchRoute.request.body.content)['application/json']['schema']>,
    dryRun: boolean,
  ): Promise<readonly Outcome[]> =>
    pullCalls(deps, actor, { ...target, reason: body.reason, dryRun }, callsFor(body));

  return apiPart()
    .openapi(listRoute, (c) =>
      c.json(
        {
          actions: ACTIONS.map((action) => ({
            name: action.name,
            title: action.title,
            about: action.about,
            scope: action.scope,
            role: action.role,
            isDestructive: action.isDestructive,
            args: z.toJSONSchema(action.schema, { io: 'input' }),
          })),
        },
        200,
      ),
    )
    .openapi(pullRoute, async (c) => {
      const { match, jobId, workers, ...body } = c.req.valid('json');
      const outcomes = await deps.runAction(c.get('actor'), {
        ...body,
        ...(match === undefined ? {} : { match }),
        ...(jobId === undefined ? {} : { jobId }),
        ...(workers === undefined ? {} : { workers }),
        action: c.req.valid('param').action,
        dryRun: c.req.valid('query').dryRun === 'true',
      });
      return answerOutcomes(c, outcomes);
    })
    .openapi(patchRoute, async (c) => {
      const { instance, queue } = c.req.valid('param');
      const target = { instance, queues: [queueIn(snapshotOf(deps, instance), queue).id] };
      const outcomes = await change(
        c.get('actor'),
        target,
        c.req.valid('json'),
        c.req.valid('query').dryRun === 'true',
      );
      return answerOutcomes(c, outcomes);
    })
    .openapi(patchGroupRoute, async (c) => {
      const { match, dryRun } = c.req.valid('query');
      const target = { instance: c.req.valid('param').instance, queues: [], match };
      return answerOutcomes(c, await change(c.get('actor'), target, c.req.valid('json'), dryRun === 'true'));
    })
    .openapi(reliefRoute, async (c) => {
      const call = reliefCall(c.req.valid('json'));
      const dryRun = c.req.valid('query').dryRun === 'true';
      const outcomes = await deps.runAction(c.get('actor'), {
        instance: c.req.valid('param').instance,
        queues: [],
        ...call,
        dryRun,
      });
      return answerOutcomes(c, outcomes);
    });
}
