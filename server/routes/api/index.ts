import { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { SESSION_COOKIE } from '../../auth/session-cookie.js';
import type { AppDeps } from '../app-deps.js';
import { isImport } from '../bounded-body.js';
import { requireRole } from '../gate.js';
import { Problem, problemResponse } from '../problem.js';
import { actionsApi } from './actions.js';
import { alertRulesApi } from './alert-rules.js';
import { alertsApi } from './alerts.js';
import { auditApi } from './audit.js';
import { canaryApi } from './canary.js';
import { changesApi } from './changes.js';
import { channelsApi } from './channels.js';
import { type ApiPart, documentText } from './env.js';
import { historyApi } from './history.js';
import { idempotent } from './idempotent.js';
import { incidentsApi } from './incidents.js';
import { jobTypesApi } from './job-types.js';
import { jobsApi } from './jobs.js';
import { markersApi } from './markers.js';
import { memoryApi } from './memory.js';
import { overviewApi } from './overview.js';
import { parkingsApi } from './parkings.js';
import { planApi } from './plan.js';
import { queuesApi } from './queues.js';
import { replaysApi } from './replays.js';
import { sessionsApi } from './sessions.js';
import { timelineApi } from './timeline.js';
import { workersApi } from './workers.js';

/**
 * Everything under /api/v1, with its OpenAPI document. A part is a file: its routes with their schemas, and the handlers.
 * What an answer says of a thing of the model stands in the schema beside its type (model/json.ts); begin with queues.ts
 * to see one read, and with actions.ts and outcomes.ts to see one change. Routes read Snapshots and call what they are
 * given in AppDeps; they never speak to Redis.
 */
export function apiRoutes(deps: AppDeps): ApiPart {
  const api: ApiPart = new OpenAPIHono();
  api.use('*', async (c, next) => {
    c.header('Cache-Control', 'no-store');
    await next();
  });
  api.use('*', methodNotAllowed({ app: api, onMethodNotAllowed: refuseMethod }));
  // Reading takes a viewer; every other method an operator. What needs an admin is asked by the action itself.
  api.use('*', requireRole('viewer'));
  api.use('*', async (c, next) =>
    c.req.method === 'GET' || c.req.method === 'HEAD' ? next() : requireRole('operator')(c, next),
  );
  // It makes jobs of any content.
  api.use('/parkings/import', requireRole('admin'));
  api.use('*', requireJson());
  api.use('*', idempotent(deps));
  for (const part of [
    overviewApi(deps),
    // Before the queues: …/queues/{queue}/workers is theirs.
    workersApi(deps),
    jobTypesApi(deps),
    queuesApi(deps),
    planApi(deps),
    memoryApi(deps),
    actionsApi(deps),
    changesApi(deps),
    jobsApi(deps),
    auditApi(deps),
    timelineApi(deps),
    historyApi(deps),
    markersApi(deps),
    incidentsApi(deps),
    parkingsApi(deps),
    replaysApi(deps),
    channelsApi(deps),
    canaryApi(deps),
    alertsApi(deps),
    alertRulesApi(deps),
    sessionsApi(deps),
  ])
    api.route('/', part);
  documentText(api, 'text/event-stream', {
    path: '/live',
    summary: 'Server-sent events: `overview` at each tick, with every Redis and what is wrong',
  });
  api.openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    description: 'A token of `spillway token`. Each operation names the least role.',
  });
  api.openAPIRegistry.registerComponent('securitySchemes', 'session', {
    ...{ type: 'apiKey', in: 'cookie', name: SESSION_COOKIE },
    description: 'What a browser has after /sign-in',
  });
  api.doc31('/openapi.json', (c) => ({
    openapi: '3.1.0',
    info: {
      title: 'Spillway',
      version: deps.version,
      description: 'Operator console for BullMQ back-pressure.',
    },
    servers: [{ url: `${c.get('origin').base}/api/v1` }],
  }));
  api.notFound((c) =>
    problemResponse(c, new Problem(404, 'not-found', `there is nothing at ${c.req.path}; see /docs`)),
  );
  return api;
}

/** A change carries JSON: also what keeps another site's plain form from being one. */
function requireJson() {
  return async (c: Parameters<ReturnType<typeof requireRole>>[0], next: () => Promise<void>) => {
    const hasBody = c.req.method === 'POST' || c.req.method === 'PATCH' || c.req.method === 'PUT';
    const type = c.req.header('content-type') ?? '';
    if (isImport(c.req.path)) {
      if (/^application\/x-ndjson\b/i.test(type)) return next();
      throw new Problem(415, 'unsupported-media-type', 'send Content-Type: application/x-ndjson');
    }
    if (hasBody && !/^application\/json\b/i.test(type)) {
      throw new Problem(
        415,
        'unsupported-media-type',
        `send Content-Type: application/json${type ? ` and not ${type.slice(0, 80)}` : ''}`,
      );
    }
    await next();
  };
}

/** RFC 9110 asks for Allow beside a 405. */
function refuseMethod(c: Context, methods: readonly string[]): Response {
  const allowed = methods.join(', ');
  return problemResponse(
    c,
    new Problem(405, 'method-not-allowed', `${c.req.path} takes ${allowed}, and not ${c.req.method}`, {
      Allow: allowed,
    }),
  );
}
