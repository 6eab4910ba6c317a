import { z } from '@hono/zod-openapi';
import { ActionCallSchema } from '../../model/action.js';
import { isoTime } from '../../model/json.js';
import type { DryRun } from '../../replay/job-source.js';
import { withoutJobData } from '../../replay/replay-log.js';
import type { ReplayQueueView } from '../../replay/replay-queues.js';
import type { OrderOutcome } from '../../replay/replay-request.js';
import type { ReplayFilter, ReplaySpec } from '../../replay/replay-spec.js';
import { RateSchema, SpecSchema } from '../../replay/replay-spec.js';
import type { ReplayView } from '../../replay/replay-view.js';
import type { TimeRange } from '../../replay/report.js';
import { coveragesOf } from '../../replay/report.js';
import { Problem } from '../problem.js';
import { callJson } from './outcomes.js';

const counts = z.record(z.string(), z.number());

const part = z
  .object({
    from: z.string().nullable().openapi({ description: 'null: from the first job on' }),
    until: z.string(),
  })
  .nullable();

export const ReplaySchema = z
  .object({
    id: z.string(),
    instance: z.string(),
    queues: z.array(z.string()),
    state: z.enum(['running', 'paused', 'done', 'aborted', 'failed']),
    pausedBy: z.enum(['person', 'guard']).nullable(),
    actor: z.string(),
    createdAt: z.string(),
    endedAt: z.string().nullable(),
    spec: z.record(z.string(), z.unknown()),
    ratePerSecond: z.number().openapi({ description: 'As set by a person' }),
    pacePerSecond: z
      .number()
      .openapi({ description: 'What the guard allows now; 0 while it rests or stands' }),
    paceReason: z.string(),
    movedPerSecond: z.number().openapi({ description: 'Measured over the last seconds' }),
    remainingSeconds: z.number().nullable(),
    account: z
      .object({
        matched: z.number(),
        isCounted: z.boolean(),
        moved: z.number(),
        skipped: z.number(),
        skippedBecause: counts,
        remaining: z.number(),
        succeeded: z.number(),
        failedAgain: z.number(),
        gone: z.number().openapi({ description: 'Ended or removed, kept nowhere' }),
        toRun: z.number(),
      })
      .openapi({
        description:
          'matched = moved + skipped + remaining; moved = succeeded + failedAgain + gone + toRun: at any time',
      }),
    isRangeCovered: z.boolean(),
    coverage: z.array(z.object({ queue: z.string(), covered: part, missing: part })).openapi({
      description:
        'Which part of the time range has had its turn, and which has not, by queue; null: none of it',
    }),
  })
  .openapi('Replay');

const group = z.object({ name: z.string(), jobs: z.number() });

export const DryRunSchema = z
  .object({
    matched: z.number(),
    lookedAt: z.number(),
    inRange: z.number(),
    isComplete: z.boolean().openapi({ description: 'false: more jobs are in range than were looked at' }),
    estimatedMatched: z.number(),
    predictedSeconds: z.number(),
    warnings: z.array(z.string()),
    byType: z.array(group),
    byError: z.array(group),
    sample: z.array(
      z.object({ queue: z.string(), id: z.string(), name: z.string(), finishedAt: z.string() }),
    ),
  })
  .openapi('ReplayDryRun');

export const ReplayBodySchema = SpecSchema.extend({
  instance: z.string().default('default'),
  queues: z
    .array(z.string())
    .max(100, 'must be at most 100 queues')
    .default([])
    .openapi({
      description: 'Queue ids, or bare names that are unique',
      example: ['bull:mail'],
    }),
  match: z.string().max(500).optional().openapi({ description: 'A glob instead of queues' }),
});

export const ReplayOrderSchema = z
  .strictObject({
    state: z
      .enum(['running', 'paused', 'aborted'], 'must be running, paused or aborted')
      .optional()
      .openapi({ description: 'paused: nothing is moved any more once this is answered' }),
    ratePerSecond: RateSchema.optional(),
    reason: z.string().trim().max(500, 'must be at most 500 characters').default('not given'),
  })
  .refine(({ state, ratePerSecond }) => state !== undefined || ratePerSecond !== undefined, {
    message: 'give state or ratePerSecond',
  });

export const ReplayQueueSchema = z
  .object({
    instance: z.string(),
    queue: z.string(),
    name: z.string(),
    state: z
      .enum(['running', 'paused-by-spillway', 'paused'])
      .openapi({ description: 'paused: by this console. paused: by the application itself' }),
    backlog: z.number(),
    active: z.number(),
    perSecond: z.number().nullable().openapi({ description: 'Jobs that leave it in a second' }),
    rateLimit: z.object({ max: z.number(), durationMs: z.number() }).nullable(),
  })
  .openapi('ReplayQueue', {
    description:
      'A queue of a replay service of your own (`replayQueues` in the config file). One alone is changed by PATCH …/queues/{queue}.',
  });

export const OrderOutcomeSchema = z
  .object({
    replay: z.string().nullable().openapi({ description: 'null: a replay queue' }),
    instance: z.string(),
    queues: z.array(z.string()),
    status: z.enum(['applied', 'unchanged', 'unverified', 'failed', 'refused']),
    summary: z.string(),
    warnings: z.array(z.string()),
    auditId: z.string().nullable(),
    undo: ActionCallSchema.nullable(),
    isDryRun: z.boolean(),
  })
  .openapi('ReplayOrderOutcome');

/** A replay as the API tells it. @param showsData false: without what its filter holds of job data and errors. */
export function presentReplay(view: ReplayView, showsData: boolean): z.infer<typeof ReplaySchema> {
  const { record, account } = view;
  const { filter, ...spec } = record.spec;
  return {
    id: record.id,
    instance: record.instance,
    queues: [...record.queues],
    state: record.state,
    pausedBy: record.pausedBy,
    actor: record.actor,
    createdAt: isoTime(record.createdAtMs),
    endedAt: record.endedAtMs === null ? null : isoTime(record.endedAtMs),
    spec: { ...spec, filter: showsData ? filter : withoutJobData(filter) },
    ratePerSecond: record.ratePerSecond,
    pacePerSecond: view.pacePerSecond,
    paceReason: view.paceReason,
    movedPerSecond: view.movedPerSecond,
    remainingSeconds: view.remainingSeconds,
    account: { ...account, skippedBecause: withoutAbsent(account.skippedBecause) },
    isRangeCovered: record.isSwept,
    coverage: coveragesOf(record).map(({ queue, covered, missing }) => ({
      queue,
      covered: presentRange(covered),
      missing: presentRange(missing),
    })),
  };
}

function presentRange(range: TimeRange | null) {
  if (range === null) return null;
  return { from: range.fromMs === 0 ? null : isoTime(range.fromMs), until: isoTime(range.toMs) };
}

/** Whoever does not see data and errors can't look for them either: what matches would tell. @throws Problem 403 */
export function requireSeen({ dataField, errorText }: ReplayFilter, showsData: boolean): void {
  const field = dataField !== undefined ? 'dataField' : errorText ? 'errorText' : null;
  if (field === null || showsData) return;
  throw new Problem(403, 'forbidden', `filter.${field}: your role does not see job data and errors`);
}

/** A dry run with what follows from it. @param showsData false: without errors. */
export function presentDryRun(
  found: DryRun,
  spec: ReplaySpec,
  showsData: boolean,
): z.infer<typeof DryRunSchema> {
  const estimated = found.isComplete
    ? found.matched
    : Math.round((found.matched / Math.max(1, found.lookedAt)) * found.inRange);
  return {
    matched: found.matched,
    lookedAt: found.lookedAt,
    inRange: found.inRange,
    isComplete: found.isComplete,
    estimatedMatched: estimated,
    predictedSeconds: estimated / spec.ratePerSecond,
    warnings: [
      ...(spec.from === 'completed'
        ? ['These jobs have completed: what they do is done once more. Be sure that it may be.']
        : []),
      ...(spec.guard ? [] : ['The guard is off: nothing slows this down when live traffic suffers.']),
    ],
    byType: [...found.byType],
    byError: showsData ? [...found.byError] : [],
    sample: found.sample.map(({ finishedAtMs, ...job }) => ({ ...job, finishedAt: isoTime(finishedAtMs) })),
  };
}

/** A replay queue as the API tells it. */
export function presentReplayQueue({ id, ...queue }: ReplayQueueView): z.infer<typeof ReplayQueueSchema> {
  return { ...queue, queue: id };
}

/** What one order made of one replay or replay queue. */
export function presentOrderOutcome(outcome: OrderOutcome): z.infer<typeof OrderOutcomeSchema> {
  return {
    ...outcome,
    queues: [...outcome.queues],
    warnings: [...outcome.warnings],
    undo: outcome.undo && callJson(outcome.undo),
  };
}

function withoutAbsent(counts: Readonly<Partial<Record<string, number>>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).flatMap(([key, count]) => (count ? [[key, count]] : [])));
}
