import { z } from '@hono/zod-openapi';
import { includesRole } from '../../model/role.js';
import type { AppDeps } from '../app-deps.js';
import { Problem } from '../problem.js';
import { apiPart, jsonRoute } from './env.js';
import { presentAuditRecord } from './present.js';
import { AuditRecordSchema } from './schemas.js';

const listRoute = jsonRoute(
  {
    method: 'get',
    path: '/audit',
    summary: 'Every change and every attempt at one, newest first',
    request: {
      query: z.object({
        instance: z.string().optional(),
        queue: z.string().optional(),
        action: z.string().max(200, 'is too long').optional().openapi({
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
  z.object({ nextCursor: z.string().nullable(), actions: z.array(AuditRecordSchema) }),
);

export function auditApi(deps: AppDeps) {
  return apiPart().openapi(listRoute, async (c) => {
    const { instance, queue, action, cursor, limit } = c.req.valid('query');
    if (action?.split('.')[0] === 'access' && !includesRole(c.get('actor').role, 'operator'))
      throw new Problem(403, 'forbidden', 'action: who came through the door is shown to operators');
    const records = await deps.audit.list({
      limit,
      ...(instance === undefined ? {} : { instance }),
      ...(queue === undefined ? {} : { queue }),
      ...(action === undefined ? {} : { action }),
      ...(cursor === undefined ? {} : { cursor }),
    });
    const last = records.length === limit ? records[records.length - 1] : undefined;
    return c.json({ nextCursor: last?.id ?? null, actions: records.map(presentAuditRecord) }, 200);
  });
}
