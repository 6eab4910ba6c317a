import { createRoute, OpenAPIHono, type RouteConfig, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { ChangeBy, Role } from '../../model/role.js';
import type { QueueState, Snapshot } from '../../model/snapshot.js';
import type { AppDeps } from '../app-deps.js';
import type { GateEnv } from '../gate.js';
import { Problem } from '../problem.js';

export interface ApiEnv extends GateEnv {
  readonly Variables: GateEnv['Variables'] & {
    /** The body of an import, where it is looked at on its way. */
    importBody?: ReadableStream<Uint8Array>;
  };
}

/** A part of the API. What its routes answer is not in its type, where nobody looks and the compiler would carry all of it along. */
export type ApiPart = OpenAPIHono<ApiEnv, never>;

/** An empty API part whose refusals name field, value and what would be right. */
export function apiPart(): ApiPart {
  return new OpenAPIHono<ApiEnv, never>({
    defaultHook: (result) => {
      if (result.success) return;
      const errors = result.error.issues.flatMap((issue) =>
        issue.code === 'unrecognized_keys'
          ? issue.keys.map((key) => ({
              field: [...issue.path, key].join('.'),
              problem: 'is not a field of this request',
            }))
          : [{ field: issue.path.join('.') || 'body', value: issue.input, problem: issue.message }],
      );
      const detail = errors.map((error) => `${error.field}: ${error.problem}`).join('; ');
      throw new Problem(422, 'invalid-request', detail, {}, errors);
    },
  });
}

/** Who may call an operation, as the document has it: a token or a session, of at least this role. */
function securityOf(method: RouteConfig['method']) {
  const role: Role = method === 'get' ? 'viewer' : 'operator';
  return [{ bearer: [role] }, { session: [role] }];
}

const ProblemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number(),
    detail: z.string(),
    instance: z.string().optional(),
    errors: z
      .array(z.object({ field: z.string(), value: z.unknown().optional(), problem: z.string() }))
      .optional(),
  })
  .openapi('Problem', { description: 'RFC 9457' });

export const refused = {
  description: 'Refused',
  content: { 'application/problem+json': { schema: ProblemSchema } },
};

/** Puts a route that answers text into the document: what a path with an ending, or a stream, can't do by itself. */
export function documentText(
  part: ApiPart,
  type: string,
  route: Pick<RouteConfig, 'path' | 'summary' | 'request'>,
): void {
  const text = { description: route.summary ?? 'OK', content: { [type]: { schema: z.string() } } };
  part.openAPIRegistry.registerPath({
    ...route,
    ...calledBy(`get ${route.path}`),
    responses: { 200: text, default: refused },
  });
}

const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header' as const,
  schema: { type: 'string' as const, maxLength: 200 },
  description: 'A repeat with the same key gets the first answer and changes nothing; kept for 24 hours',
};

const ABOUT = new Set(['queues', 'workers', 'jobs', 'job-types', 'memory', 'plan']);

/** What a path is about, for the reference: `/instances/{instance}/queues/{queue}/jobs` is `jobs`, `/audit` is `audit`. */
function tagOf(path: string): string {
  const named = path.split('/').filter((part) => part !== '' && !part.startsWith('{'));
  const about = named.filter((part) => ABOUT.has(part)).at(-1);
  return about ?? named[0] ?? 'console';
}

/** Method and path of a route, and what every route of a method has: what it is about, who may call it, and where it changes something, the key of a repeat. */
export function calledBy<const M extends RouteConfig['method'], const P extends string>(name: `${M} ${P}`) {
  const [method, path] = name.split(' ') as [M, P];
  const parameters = method === 'get' ? [] : [IDEMPOTENCY_KEY];
  return { method, path, tags: [tagOf(path)], security: securityOf(method), parameters };
}

/** A route that answers JSON of one schema, or a problem. @param name such as "get /incidents/{id}" */
export function jsonRoute<
  const M extends RouteConfig['method'],
  const P extends string,
  S extends z.ZodType,
  const R extends NonNullable<RouteConfig['request']> = Record<never, never>,
>(name: `${M} ${P}`, summary: string, schema: S, request?: R) {
  return createRoute({
    ...calledBy(name),
    ...{ summary, request: (request ?? {}) as R },
    responses: {
      200: { description: summary, content: { 'application/json': { schema } } },
      default: refused,
    },
  });
}

export function jsonBody<S extends z.ZodType>(schema: S) {
  return { required: true as const, content: { 'application/json': { schema } } };
}

export const instanceParam = z.object({
  instance: z.string().openapi({ description: 'Configured name of a Redis', example: 'default' }),
});
export const queueParam = instanceParam.extend({
  queue: z.string().openapi({
    description: 'Queue id, percent-encoded, or a bare name that is unique',
    example: 'bull%3Amail',
  }),
});
export const dryRunQuery = z.object({
  dryRun: z
    .enum(['true', 'false'], 'must be true or false')
    .optional()
    .describe('true: tell what it would do, change nothing'),
});
/** Is it only asked what a change would do? */
export function isDryRun(c: Context): boolean {
  return c.req.query('dryRun') === 'true';
}

/** Who asks for a change, why, and whether it is only asked what it would do. */
export function changeBy(c: Context<ApiEnv>, reason: string): ChangeBy {
  return { actor: c.get('actor'), reason, isDryRun: isDryRun(c) };
}

/** Of a change of all queues that a glob matches. */
export const groupQuery = dryRunQuery.extend({
  match: z.string('must be a glob over queue ids and names').min(1).max(200),
});

/** How many of a list one answer has. */
export const limitOf = (max: number, usual: number) =>
  z.coerce
    .number('must be a number')
    .int('must be a whole number')
    .min(1, 'must be at least 1')
    .max(max, `must be at most ${max}`)
    .default(usual);
export const cursorQuery = z.coerce.number('must be a nextCursor of an answer').int().min(0).default(0);

/** Why somebody changes something. */
export const reason = z
  .string()
  .max(500, 'must be at most 500 characters')
  .default('')
  .describe('Why: kept in the audit with the change.');

/** Of a change that has no body. */
export const changeQuery = dryRunQuery.extend({ reason });

/** The Snapshot of an instance. @throws Problem 404 naming those that there are. */
export function snapshotOf({ watch }: Pick<AppDeps, 'watch'>, instance: string): Snapshot {
  const snapshot = watch.snapshot(instance);
  if (snapshot) return snapshot;
  const names = watch
    .snapshots()
    .map((known) => known.instance)
    .join(', ');
  throw new Problem(404, 'not-found', `there is no Redis named ${instance}; there are ${names}`);
}

/** A queue by id, or by a bare name that one queue alone has. */
export function queueIn(snapshot: Snapshot, idOrName: string): QueueState {
  const exact = snapshot.queues.find((queue) => queue.id === idOrName);
  if (exact) return exact;
  const named = snapshot.queues.filter((queue) => queue.name === idOrName);
  const lost = snapshot.unread.queues.find(
    ({ id, name }) => id === idOrName || (named.length === 0 && name === idOrName),
  );
  if (lost)
    throw new Problem(
      503,
      'unavailable',
      `${lost.id} can not be read now: ${lost.problem}; GET …/queues has what it last held`,
    );
  if (named.length === 1 && named[0]) return named[0];
  if (named.length > 1) {
    throw new Problem(
      409,
      'ambiguous',
      `${named.length} queues are named ${idOrName}: use one of ${named
        .map((queue) => queue.id)
        .sort()
        .join(', ')}`,
    );
  }
  throw new Problem(404, 'not-found', `there is no queue ${idOrName} in ${snapshot.instance}`);
}
