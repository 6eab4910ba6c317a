import { createRoute, type RouteConfig, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { unansweredOf } from '../../actions/order-answers.js';
import { checkRequest, knownAction } from '../../actions/request.js';
import {
  type ActionStep,
  type Outcome,
  OutcomeFacts,
  PreviewFacts,
  StepSchema,
  WorkerResultSchema,
} from '../../model/action.js';
import { jsonWriter } from '../../model/json.js';
import { type Actor, includesRole } from '../../model/role.js';
import type { AppDeps } from '../app-deps.js';
import { type ApiEnv, calledBy, isDryRun, refused } from './env.js';
import { RemedySchema, remedyJson } from './findings.js';
import { ForecastSchema, forecastJson } from './plan.js';

/** Every change of a Redis goes this way: action calls in, an outcome for each target out, and a status that sums them up. */

const PreviewSchema = PreviewFacts.extend({
  warnings: z.array(
    z.object({ text: z.string(), instead: z.array(RemedySchema.partial({ predictedFreedBytes: true })) }),
  ),
  forecast: ForecastSchema.nullable(),
  steps: z.array(StepSchema).describe('Where it is several actions: each of them. Else empty'),
}).openapi('Preview');

const OutcomeSchema = OutcomeFacts.extend({
  predictedFreedBytes: z.number().nullable(),
  preview: PreviewSchema.nullable(),
  steps: z.array(StepSchema).describe('What came of each of several actions. Else empty'),
  aim: z
    .object({
      isReached: z
        .boolean()
        .nullable()
        .describe('Do writes pass for ten minutes? null: they pass, and for how long is not known'),
      summary: z.string(),
      next: RemedySchema.nullable(),
    })
    .nullable()
    .describe('Of what makes room in a Redis that needs some: was it enough, and what is next?'),
}).openapi('Outcome');

export const OutcomesSchema = z
  .object({
    outcomes: z.array(OutcomeSchema),
    applied: z.number(),
    unverified: z.number(),
    failed: z.number().describe('Targets of which nothing was changed'),
    unanswered: z
      .array(
        WorkerResultSchema.extend({ instance: z.string(), queue: z.string().nullable() }).openapi(
          'UnansweredWorker',
        ),
      )
      .describe('Workers that have not answered an order yet; at most 500'),
    notRecorded: z
      .array(z.enum(['audit', 'idempotency-key']))
      .optional()
      .describe(
        'Done, but the store could not be written (a full disk, say): of this no record was kept. A repeat with this Idempotency-Key is then carried out again',
      ),
    predictedFreedBytes: z.number().nullable(),
    freedBytes: z.number().nullable(),
  })
  .openapi('Outcomes');

const MAX_UNANSWERED = 500;

const write = jsonWriter(OutcomeSchema);
const writeStep = jsonWriter(StepSchema);
const writePreview = jsonWriter(PreviewSchema);

function outcomesJson(outcomes: readonly Outcome[]): z.infer<typeof OutcomesSchema> {
  const shown = outcomes.map(outcomeJson);
  const count = (...wanted: readonly Outcome['status'][]): number =>
    outcomes.filter(({ status }) => wanted.includes(status)).length;
  return {
    outcomes: shown,
    applied: count('applied'),
    unverified: count('unverified'),
    failed: count('failed', 'refused'),
    unanswered: outcomes
      .flatMap(({ instance, queue, workers }) =>
        unansweredOf(workers).map((result) => ({ instance, queue, ...result })),
      )
      .slice(0, MAX_UNANSWERED),
    ...(outcomes.some(({ isAuditLost }) => isAuditLost) ? { notRecorded: ['audit' as const] } : {}),
    predictedFreedBytes: sumOfKnown(shown.map((outcome) => outcome.predictedFreedBytes)),
    freedBytes: sumOfKnown(shown.map((outcome) => outcome.freedBytes)),
  };
}

function outcomeJson(outcome: Outcome): z.infer<typeof OutcomeSchema> {
  const { preview } = outcome;
  return write(outcome, {
    predictedFreedBytes: preview?.predictedFreedBytes ?? null,
    preview:
      preview &&
      writePreview(preview, {
        warnings: preview.warnings.map(({ text, instead }) => ({ text, instead: instead.map(remedyJson) })),
        forecast: preview.forecast ? forecastJson(preview.forecast) : null,
        steps: stepsJson(preview.steps),
      }),
    steps: stepsJson(outcome.steps),
    aim: outcome.aim ? { ...outcome.aim, next: outcome.aim.next && remedyJson(outcome.aim.next) } : null,
  });
}

function stepsJson(steps: readonly ActionStep[] = []): z.infer<typeof StepSchema>[] {
  return steps.map((step) => writeStep(step));
}

/** null: none is known. */
function sumOfKnown(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
}

/** An action with its arguments, as one part of a desired state. */
export interface Call {
  readonly action: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** What the calls are about, and why. */
interface Target {
  readonly instance: string;
  readonly queues?: readonly string[];
  readonly match?: string | undefined;
  readonly jobId?: string | undefined;
  readonly workers?: readonly string[] | undefined;
  readonly reason: string;
}

/**
 * Applies the actions that bring about one desired state, one after the other, and answers with what came of it. All are
 * checked before the first is applied: a bad value in the last part must not leave the first one done.
 * @throws ActionError for a request that makes no sense; then nothing was changed.
 */
export async function applyCalls(
  c: Context<ApiEnv>,
  { runAction }: Pick<AppDeps, 'runAction'>,
  asked: Target,
  calls: readonly Call[],
) {
  const actor: Actor = c.get('actor');
  const { match, jobId, workers } = asked;
  const target = {
    instance: asked.instance,
    queues: asked.queues ?? [],
    ...(match === undefined ? {} : { match }),
    ...(jobId === undefined ? {} : { jobId }),
    ...(workers === undefined ? {} : { workers }),
    reason: asked.reason,
    dryRun: isDryRun(c),
  };
  for (const call of calls) {
    const action = knownAction(call.action);
    // Whoever may not is refused by the action itself, and that is kept in the audit.
    if (includesRole(actor.role, action.roleFor(call.args))) checkRequest(action, { ...target, ...call });
  }
  const outcomes: Outcome[] = [];
  for (const call of calls) outcomes.push(...(await runAction(actor, { ...target, ...call })));
  const status = statusOf(outcomes);
  const body = outcomesJson(outcomes);
  return status === 200 ? c.json(body, 200) : c.json(body, status);
}

/**
 * What a program can tell by the status alone. 200: every target is as asked, and was read back so. 202: in force, but not
 * confirmed by all, or not at every target. 409: nothing was changed. A dry run: 200, or 409 where all would be refused.
 */
export function statusOf(outcomes: readonly Pick<Outcome, 'status' | 'isDryRun'>[]): 200 | 202 | 409 {
  const count = (...wanted: readonly Outcome['status'][]): number =>
    outcomes.filter(({ status }) => wanted.includes(status)).length;
  const verified = count('applied', 'unchanged');
  if (verified === outcomes.length) return 200;
  if (count('failed', 'refused') === outcomes.length) return 409;
  return outcomes.every(({ isDryRun }) => isDryRun) ? 200 : 202;
}

/** A route that applies actions; see `statusOf` for what 200, 202 and 409 say of its outcomes. */
export function actionRoute<
  const M extends RouteConfig['method'],
  const P extends string,
  const R extends NonNullable<RouteConfig['request']>,
  S extends z.ZodType = typeof OutcomesSchema,
>(name: `${M} ${P}`, summary: string, request: R, schema?: S) {
  const content = { 'application/json': { schema: (schema ?? OutcomesSchema) as S } };
  return createRoute({
    ...calledBy(name),
    ...{ summary, request },
    responses: {
      200: {
        description:
          'An outcome for each target: all are as asked, and were read back so; or what a dry run forecasts',
        content,
      },
      202: {
        description:
          'In force, but not confirmed by all (unverified; `unanswered` names the workers), or not at every target (refused, failed). What was not confirmed is kept: look before you repeat it',
        content,
      },
      409: {
        description: 'Every target was refused or failed, each with its reason; nothing was changed',
        content,
      },
      default: refused,
    },
  });
}
