import { z } from '@hono/zod-openapi';
import type { AppDeps } from '../../app-deps.js';
import { apiPart, jsonRoute } from './env.js';
import { isoTime } from './iso-time.js';

const listRoute = jsonRoute(
  {
    method: 'get',
    path: '/timeline',
    summary:
      'What happened: deploys and notes, failovers, restarts, workers come, gone and crashed, deafness; newest first',
    request: {
      query: z.object({
        instance: z.string().optional(),
        before: z.iso.datetime({ error: 'must be a time such as 2026-01-31T03:00:00Z' }).optional(),
        limit: z.coerce
          .number('must be a number')
          .int()
          .min(1, 'must be at least 1')
          .max(500, 'must be at most 500')
          .default(100),
      }),
    },
  },
  z.object({
    entries: z.array(
      z.object({
        id: z.string(),
        at: z.string(),
        instance: z.string().openapi({ description: '*: every Redis' }),
        kind: z.string(),
        queue: z.string().nullable(),
        worker: z.string().nullable(),
        text: z.string(),
        actor: z.string().nullable().openapi({ description: 'null: the console noticed it' }),
      }),
    ),
  }),
);

export function timelineApi(deps: AppDeps) {
  return apiPart().openapi(listRoute, async (c) => {
    const { instance, before, limit } = c.req.valid('query');
    const entries = await deps.timeline.list({
      limit,
      ...(instance === undefined ? {} : { instance }),
      ...(before === undefined ? {} : { beforeMs: Date.parse(before) }),
    });
    return c.json(
      {
        entries: entries.map(({ atMs, actor = null, ...entry }) => ({ ...entry, actor, at: isoTime(atMs) })),
      },
      200,
    );
  });
}
