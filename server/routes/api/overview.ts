import { z } from '@hono/zod-openapi';
import type { AppDeps } from '../app-deps.js';
import { apiPart, jsonRoute } from './env.js';
import { FindingSchema, presentFindings } from './finding-schemas.js';
import { isoTime } from './iso-time.js';
import { presentInstance } from './present.js';
import { OverviewSchema } from './schemas.js';

const overviewRoute = jsonRoute(
  { method: 'get', path: '/overview', summary: 'Instances with memory, totals and findings' },
  OverviewSchema,
);
const findingsRoute = jsonRoute(
  { method: 'get', path: '/findings', summary: 'All findings, worst first' },
  z.object({ at: z.string(), findings: z.array(FindingSchema) }),
);

export function overviewApi(deps: AppDeps) {
  return apiPart()
    .openapi(overviewRoute, (c) =>
      c.json(
        {
          at: isoTime(deps.now()),
          storeProblem: deps.storeProblem,
          instances: deps.watch.snapshots().map(presentInstance),
          findings: presentFindings(deps, c.get('actor').role),
        },
        200,
      ),
    )
    .openapi(findingsRoute, (c) =>
      c.json({ at: isoTime(deps.now()), findings: presentFindings(deps, c.get('actor').role) }, 200),
    );
}
