import { z } from '@hono/zod-openapi';
import type { AppDeps } from '../../app-deps.js';
import { includesRole } from '../../auth/role.js';
import { Problem } from '../problem.js';
import { apiPart, jsonRoute } from './env.js';
import { presentAction } from './present.js';
import { ActionSchema } from './schemas.js';

const listRoute = jsonRoute(
  {
    method: 'get',
    path: '/actions',
    summary: 'Every change and every attempt at one, newest first',
    request: {
      query: z.object({
        instance: z.string().optional(),
        queue: z.string().optional(),
        lever: z.string().max(200, 'is too long').optional().openapi({
          description:
            'One, or what stands before a dot in several. `access`: sign-ins, wrong tokens and refused changes, which are listed only where they are asked for, to operators',
        }),
        cursor: z.string().optional().openapi({ description: 'id of the last action of the page before' }),
        limit: z.coerce
          .number('must be a number')
          .int()
          .min(1, 'must be at least 1')
          .max(500, 'must be at most 500')
          .default(100),
      }),
    },
  },
  z.object({ nextCursor: z.string().nullable(), actions: z.array(ActionSchema) }),
);

export function actionsApi(deps: AppDeps) {
  return apiPart().openapi(listRoute, async (c) => {
    const { instance, queue, lever, cursor, limit } = c.req.valid('query');
    if (lever?.split('.')[0] === 'access' && !includesRole(c.get('actor').role, 'operator'))
      throw new Problem(403, 'forbidden', 'lever: who came through the door is shown to operators');
    const records = await deps.audit.list({
      limit,
      ...(instance === undefined ? {} : { instance }),
      ...(queue === undefined ? {} : { queue }),
      ...(lever === undefined ? {} : { lever }),
      ...(cursor === undefined ? {} : { cursor }),
    });
    const last = records.length === limit ? records[records.length - 1] : undefined;
    return c.json({ nextCursor: last?.id ?? null, actions: records.map(presentAction) }, 200);
  });
}
