import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { stream } from 'hono/streaming';
import { jobTypeOf } from '../../../agent/job-type-of.js';
import { requirePermitted } from '../../model/action.js';
import { jsonWriter } from '../../model/json.js';
import { DiskUseSchema, PARKABLE_STATES, type Parking, ParkingSchema } from '../../model/parking.js';
import { ReasonSchema } from '../../model/replay-spec.js';
import { includesRole } from '../../model/role.js';
import { ParkEstimateSchema, ParkedTypeSchema, RestoreRateSchema } from '../../replay/parking/parking.js';
import type { AppDeps } from '../app-deps.js';
import { Problem } from '../problem.js';
import { auditParking } from './audit.js';
import {
  type ApiEnv,
  apiPart,
  calledBy,
  changeQuery,
  documentText,
  dryRunQuery,
  isDryRun,
  jsonBody,
  jsonRoute,
  queueIn,
  snapshotOf,
} from './env.js';

const idParam = z.object({ id: z.string().max(100) });
const guard = z.boolean('must be true or false');

export const ParkingAnswerSchema = ParkingSchema.extend({
  types: z.array(ParkedTypeSchema).nullable().describe('What remains, by type; null in lists and dry runs'),
}).openapi('Parking');
const write = jsonWriter(ParkingAnswerSchema);
const writeEstimate = jsonWriter(ParkEstimateSchema);

const postRoute = jsonRoute(
  'post /parkings',
  'Take waiting, delayed or prioritized jobs of a queue out of Redis to disk',
  z.object({ parking: ParkingAnswerSchema.nullable(), estimate: ParkEstimateSchema.nullable() }),
  {
    query: dryRunQuery,
    body: jsonBody(
      z.strictObject({
        instance: z.string(),
        queue: z.string().describe('Queue id, or a bare name that is unique'),
        states: z
          .array(z.enum(PARKABLE_STATES))
          .min(1)
          .default([...PARKABLE_STATES]),
        jobTypes: z.array(z.string().max(1_000).overwrite(jobTypeOf)).min(1).max(50).optional(),
        most: z.int('must be a whole number').min(1, 'must be at least 1').optional(),
        reason: ReasonSchema,
      }),
    ),
  },
);

const listRoute = jsonRoute(
  'get /parkings',
  'Parkings, newest first, and what they take of the disk',
  z.object({
    problem: z.string().nullable(),
    disk: DiskUseSchema.nullable(),
    parkings: z.array(ParkingAnswerSchema),
  }),
  {
    query: z.object({
      instance: z.string().optional(),
      queue: z.string().optional().describe('Queue id'),
      limit: z.coerce.number('must be a number').int().min(1).max(500).default(100),
    }),
  },
);

const oneRoute = jsonRoute('get /parkings/{id}', 'One parking and its account', ParkingAnswerSchema, {
  params: idParam,
});

const patchRoute = jsonRoute(
  'patch /parkings/{id}',
  'Pause it, let it go on, abort it, or set the rate at which it brings back',
  ParkingAnswerSchema,
  {
    params: idParam,
    query: dryRunQuery,
    body: jsonBody(
      z.strictObject({
        state: z.enum(['running', 'paused', 'aborted'], 'must be running, paused or aborted').optional(),
        ratePerSecond: RestoreRateSchema.nullable().optional(),
        guard: guard.optional(),
        reason: ReasonSchema,
      }),
    ),
  },
);

const restoreRoute = jsonRoute(
  'post /parkings/{id}/restore',
  'Bring its jobs back as they were, oldest first',
  ParkingAnswerSchema,
  {
    params: idParam,
    query: dryRunQuery,
    body: jsonBody(
      z.strictObject({
        ratePerSecond: RestoreRateSchema.optional().describe(
          'At most; unless given 1,000, or as fast as it goes where guard is false',
        ),
        guard: guard
          .default(true)
          .describe('Slow down, rest or pause by itself when live jobs or Redis suffer'),
        reason: ReasonSchema,
      }),
    ),
  },
);

const importRoute = createRoute({
  ...calledBy('post /parkings/import'),
  security: [{ bearer: ['admin'] }, { session: ['admin'] }],
  summary: 'Take an export as a parking of its own; its jobs come back by a restore',
  description:
    'Admin only. Into a queue that the console knows, and with no id that BullMQ keeps for itself. A line may have 16 MiB, all of it twice parking.maxBytes.',
  request: { query: changeQuery, body: { content: { 'application/x-ndjson': { schema: z.string() } } } },
  responses: {
    200: { description: 'The parking', content: { 'application/json': { schema: ParkingAnswerSchema } } },
  },
});

/** Parking, over HTTP. What begins or ends by it is in the audit under the names of its actions. */
export function parkingsApi(
  deps: Pick<AppDeps, 'parkings' | 'jobDataRole' | 'watch' | 'audit' | 'now' | 'newId'>,
) {
  const { parkings } = deps;
  const withTypes = async (parking: Parking) =>
    write(parking, { types: [...(await parkings.types(parking.id))] });
  /** What somebody did, in the audit, and the parking as it is then. */
  const done = async (c: Context<ApiEnv>, reason: string, parking: Parking, what: string) => {
    await auditParking(deps, c.get('actor'), reason, parking, `Parking ${parking.id} ${what}.`);
    return withTypes(parking);
  };
  const part = apiPart();
  documentText(part, 'application/x-ndjson', {
    path: '/parkings/{id}.ndjson',
    summary: 'Export: its jobs line by line, for who sees job data',
    request: { params: idParam },
  });
  // Before the one with an id, which would take its path.
  part.get('/parkings/:file{.+\\.ndjson}', async (c) => {
    if (!includesRole(c.get('actor').role, deps.jobDataRole))
      throw new Problem(403, 'forbidden', `job data need the role ${deps.jobDataRole}`);
    const id = c.req.param('file').replace(/\.ndjson$/, '');
    const { instance } = await parkings.get(id);
    if (deps.watch.link(instance)?.redactor)
      throw new Problem(
        403,
        'forbidden',
        'an export holds its jobs whole, and redact hides fields of them: take a backup of the data directory instead',
      );
    const lines = await parkings.exportLines(id);
    c.header('Content-Type', 'application/x-ndjson; charset=utf-8');
    c.header('Content-Disposition', `attachment; filename="parking-${id.replace(/[^\w-]/g, '')}.ndjson"`);
    return stream(c, async (out) => {
      for await (const chunk of lines) await out.write(chunk);
    });
  });
  return (
    part
      .openapi(postRoute, async (c) => {
        const { instance, queue, jobTypes, most, ...rest } = c.req.valid('json');
        const snapshot = snapshotOf(deps, instance);
        requirePermitted(snapshot.permits, 'queue.park');
        const request = {
          ...rest,
          instance: snapshot.instance,
          queue: queueIn(snapshot, queue).id,
          jobTypes: jobTypes ?? null,
          most: most ?? null,
          actor: c.get('actor').name,
          origin: 'person' as const,
        };
        if (isDryRun(c))
          return c.json({ parking: null, estimate: writeEstimate(await parkings.estimate(request)) }, 200);
        const begun = await parkings.begin(request);
        return c.json({ parking: await done(c, request.reason, begun, 'has begun'), estimate: null }, 200);
      })
      .openapi(listRoute, async (c) => {
        const { instance, queue, limit } = c.req.valid('query');
        const found = await parkings.list({
          limit,
          ...(instance === undefined ? {} : { instance }),
          ...(queue === undefined ? {} : { queue }),
        });
        const { problem } = parkings;
        const disk = problem === null ? await parkings.disk() : null;
        return c.json({ problem, disk, parkings: found.map((one) => write(one, { types: null })) }, 200);
      })
      // Before the one with an id, which would take its path.
      .openapi(importRoute, async (c) => {
        const body = c.get('importBody') ?? c.req.raw.body;
        if (!body) throw new Problem(422, 'invalid-request', 'body: is missing: send what an export gave');
        const parking = await parkings.importLines(body, c.get('actor').name, isDryRun(c));
        if (isDryRun(c)) return c.json(write(parking, { types: null }), 200);
        const why = c.req.valid('query').reason || parking.reason;
        return c.json(await done(c, why, parking, 'was imported'), 200);
      })
      .openapi(oneRoute, async (c) =>
        c.json(await withTypes(await parkings.get(c.req.valid('param').id)), 200),
      )
      .openapi(patchRoute, async (c) => {
        const { reason, state, ratePerSecond, guard: isGuarded } = c.req.valid('json');
        const patch = {
          ...(state === undefined ? {} : { state }),
          ...(ratePerSecond === undefined ? {} : { ratePerSecond }),
          ...(isGuarded === undefined ? {} : { guard: isGuarded }),
        };
        const parking = await parkings.change(c.req.valid('param').id, patch, isDryRun(c));
        if (isDryRun(c)) return c.json(write(parking, { types: null }), 200);
        const rate = parking.ratePerSecond === null ? '' : ` at ${parking.ratePerSecond} a second`;
        return c.json(await done(c, reason, parking, `is ${parking.state}${rate}`), 200);
      })
      .openapi(restoreRoute, async (c) => {
        const { reason, ratePerSecond = null, guard: isGuarded } = c.req.valid('json');
        const terms = { ratePerSecond, guard: isGuarded };
        const parking = await parkings.restore(c.req.valid('param').id, terms, isDryRun(c));
        if (isDryRun(c)) return c.json(write(parking, { types: null }), 200);
        return c.json(await done(c, reason, parking, 'is brought back'), 200);
      })
  );
}
