import { z } from '@hono/zod-openapi';
import { ActionError } from '../../model/action.js';
import type { AppDeps } from '../app-deps.js';
import {
  apiPart,
  dryRunQuery,
  groupQuery,
  instanceParam,
  jsonBody,
  queueIn,
  queueParam,
  reason,
  snapshotOf,
} from './env.js';
import { actionRoute, applyCalls, type Call } from './outcomes.js';

/**
 * Shorter ways to say what POST /actions/{action} does: PATCH of a queue, of workers or of a job type as a desired state,
 * and /relief. Each becomes action calls, and those go the one way (outcomes.ts).
 */

const queueChange = z.strictObject({
  paused: z.boolean().optional(),
  concurrency: z.number().nullable().optional(),
  rateLimit: z.strictObject({ max: z.number(), durationMs: z.number() }).nullable().optional(),
  reason,
});

const queueRoute = actionRoute(
  'patch /instances/{instance}/queues/{queue}',
  'Set the desired state of one queue; idempotent',
  { params: queueParam, query: dryRunQuery, body: jsonBody(queueChange) },
);

const queuesRoute = actionRoute(
  'patch /instances/{instance}/queues',
  'Set the desired state of all queues that a glob matches; a result for each',
  { params: instanceParam, query: groupQuery, body: jsonBody(queueChange) },
);

function queueCalls(body: z.infer<typeof queueChange>): readonly Call[] {
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

const typeRoute = actionRoute(
  'patch /instances/{instance}/queues/{queue}/job-types/{type}',
  'Set the run time from which a job type is called slow, or null for none; idempotent',
  {
    params: queueParam.extend({
      type: z
        .string()
        .openapi({ description: 'Name of the job type, percent-encoded', example: 'send-digest' }),
    }),
    query: dryRunQuery,
    body: jsonBody(
      z.strictObject({
        slowThresholdMs: z.number().nullable().openapi({ description: '1 to 86,400,000', example: 10_000 }),
        reason,
      }),
    ),
  },
);

const forMs = z.number().optional().describe('How long it holds; without it until it is reverted.');

const workerChange = z.strictObject({
  concurrency: z.number().nullable().optional().describe('null: as deployed'),
  paused: z.boolean().optional(),
  limiter: z
    .strictObject({ max: z.number(), durationMs: z.number() })
    .nullable()
    .optional()
    .describe('null: none'),
  revert: z.literal(true).optional().describe('Takes back every order for this worker alone'),
  reconnect: z
    .literal(true)
    .optional()
    .describe('New connections for one that takes nothing; last of what is asked for'),
  forMs,
  reason,
});

const workerRoute = actionRoute(
  'patch /instances/{instance}/workers/{worker}',
  'Change one running worker (agent)',
  {
    params: instanceParam.extend({
      worker: z.string().describe('Id of a worker, as GET …/workers has it'),
    }),
    query: dryRunQuery,
    body: jsonBody(workerChange),
  },
);

const NO_TIME =
  'forMs: revert and paused: false take orders back for good: send them by themselves, without forMs';

function workerCalls(body: z.infer<typeof workerChange>): readonly Call[] {
  const time = body.forMs === undefined ? {} : { forMs: body.forMs };
  const isOrder = body.paused === true || body.concurrency !== undefined || body.limiter !== undefined;
  if (body.forMs !== undefined && (!isOrder || body.paused === false))
    throw new ActionError('invalid', NO_TIME);
  const calls: Call[] = [];
  if (body.revert) calls.push({ action: 'worker.revert', args: {} });
  if (body.paused === true) calls.push({ action: 'worker.pause', args: time });
  if (body.concurrency !== undefined)
    calls.push({ action: 'worker.concurrency', args: { value: body.concurrency, ...time } });
  if (body.limiter !== undefined)
    calls.push({ action: 'worker.limiter', args: { ...(body.limiter ?? { max: null }), ...time } });
  if (body.paused === false) calls.push({ action: 'worker.resume', args: {} });
  if (body.reconnect) calls.push({ action: 'worker.reconnect', args: {} });
  if (calls.length > 0) return calls;
  throw new ActionError(
    'invalid',
    'body: give at least one of concurrency, paused, limiter, revert and reconnect',
  );
}

const workersChange = z.strictObject({
  concurrency: z.number().nullable().optional().describe('For each worker; null: as deployed'),
  factor: z.number().optional().describe('Times what each was deployed with'),
  drainWithinSeconds: z.number().optional(),
  revert: z.literal(true).optional().describe('Takes back every order of the queue'),
  forMs,
  reason,
});

const workersOfQueueRoute = actionRoute(
  'patch /instances/{instance}/queues/{queue}/workers',
  'Change all running workers of a queue (agent)',
  { params: queueParam, query: dryRunQuery, body: jsonBody(workersChange) },
);

const workersRoute = actionRoute(
  'patch /instances/{instance}/workers',
  'Change all running workers of the queues that a glob matches (agent)',
  { params: instanceParam, query: groupQuery, body: jsonBody(workersChange) },
);

function workersCalls({
  reason: _,
  revert,
  concurrency,
  ...rest
}: z.infer<typeof workersChange>): readonly Call[] {
  const given = [concurrency, rest.factor, rest.drainWithinSeconds, revert].filter(
    (one) => one !== undefined,
  );
  if (given.length !== 1)
    throw new ActionError(
      'invalid',
      'body: give exactly one of concurrency, factor, drainWithinSeconds and revert',
    );
  if (revert && rest.forMs !== undefined) throw new ActionError('invalid', NO_TIME);
  if (revert) return [{ action: 'workers.revert', args: {} }];
  const value = concurrency === undefined ? {} : { value: concurrency };
  return [{ action: 'workers.concurrency', args: { ...rest, ...value } }];
}

const match = z.string().min(1).default('*');
const reliefRoute = actionRoute('post /instances/{instance}/relief', 'Make room in Redis', {
  params: instanceParam,
  query: dryRunQuery,
  body: jsonBody(
    z.discriminatedUnion('action', [
      z.strictObject({ action: z.literal('trim-events'), match, keep: z.number().optional(), reason }),
      z.strictObject({
        action: z.literal('clean-finished'),
        match,
        state: z.enum(['completed', 'failed'], 'must be completed or failed'),
        olderThanMs: z.number().optional(),
        keep: z.number().optional(),
        reason,
      }),
      z.strictObject({ action: z.literal('raise-maxmemory'), maxBytes: z.number(), reason }),
    ]),
  ),
});

export function changesApi(deps: Pick<AppDeps, 'watch' | 'runAction'>) {
  /** One queue, by id or a bare name. */
  const oneQueue = ({ instance, queue }: { readonly instance: string; readonly queue: string }) => ({
    instance,
    queues: [queueIn(snapshotOf(deps, instance), queue).id],
  });
  return apiPart()
    .openapi(queueRoute, (c) => {
      const body = c.req.valid('json');
      const target = { ...oneQueue(c.req.valid('param')), reason: body.reason };
      return applyCalls(c, deps, target, queueCalls(body));
    })
    .openapi(queuesRoute, (c) => {
      const body = c.req.valid('json');
      const target = { ...c.req.valid('param'), match: c.req.valid('query').match, reason: body.reason };
      return applyCalls(c, deps, target, queueCalls(body));
    })
    .openapi(typeRoute, (c) => {
      const { type, ...param } = c.req.valid('param');
      const { slowThresholdMs, reason } = c.req.valid('json');
      const call = { action: 'jobtype.threshold', args: { type, slowThresholdMs } };
      return applyCalls(c, deps, { ...oneQueue(param), reason }, [call]);
    })
    .openapi(workerRoute, (c) => {
      const { instance, worker } = c.req.valid('param');
      const body = c.req.valid('json');
      return applyCalls(c, deps, { instance, workers: [worker], reason: body.reason }, workerCalls(body));
    })
    .openapi(workersOfQueueRoute, (c) => {
      const body = c.req.valid('json');
      const target = { ...oneQueue(c.req.valid('param')), reason: body.reason };
      return applyCalls(c, deps, target, workersCalls(body));
    })
    .openapi(workersRoute, (c) => {
      const body = c.req.valid('json');
      const target = { ...c.req.valid('param'), match: c.req.valid('query').match, reason: body.reason };
      return applyCalls(c, deps, target, workersCalls(body));
    })
    .openapi(reliefRoute, (c) => {
      const body = c.req.valid('json');
      const { instance } = c.req.valid('param');
      if (body.action === 'raise-maxmemory') {
        const call = { action: 'redis.raise-maxmemory', args: { maxBytes: body.maxBytes } };
        return applyCalls(c, deps, { instance, reason: body.reason }, [call]);
      }
      const { action, match, reason, ...args } = body;
      return applyCalls(c, deps, { instance, match, reason }, [{ action: `queue.${action}`, args }]);
    });
}
