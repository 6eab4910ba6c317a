import { z } from '@hono/zod-openapi';
import { ACTIONS } from '../../actions/index.js';
import type { AppDeps } from '../app-deps.js';
import { apiPart, dryRunQuery, jsonBody, jsonRoute, reason } from './env.js';
import { actionRoute, applyCalls } from './outcomes.js';

const listRoute = jsonRoute(
  'get /actions',
  'What can be done, with the JSON Schema of each action’s arguments',
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

const applyRoute = actionRoute(
  'post /actions/{action}',
  'Apply an action to an instance, to queues by id or glob, or to a job',
  {
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
);

export function actionsApi(deps: Pick<AppDeps, 'runAction'>) {
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
    .openapi(applyRoute, (c) => {
      const { args, ...body } = c.req.valid('json');
      return applyCalls(c, deps, body, [{ action: c.req.valid('param').action, args }]);
    });
}
