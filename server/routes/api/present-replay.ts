import type { z } from '@hono/zod-openapi';
import { withoutJobData } from '../../replay/audit-replay.js';
import { coveragesOf } from '../../replay/coverage.js';
import type { DryRun } from '../../replay/dry-run.js';
import type { TimeRange } from '../../replay/replay-coverage.js';
import type { ReplayFilter } from '../../replay/replay-filter.js';
import type { OrderOutcome } from '../../replay/replay-order.js';
import type { ReplayQueueView } from '../../replay/replay-queues.js';
import type { ReplaySpec } from '../../replay/replay-spec.js';
import type { ReplayView } from '../../replay/replay-view.js';
import { Problem } from '../problem.js';
import { isoTime } from './iso-time.js';
import { presentCall } from './present.js';
import type { DryRunSchema, OrderOutcomeSchema, ReplayQueueSchema, ReplaySchema } from './replay-schemas.js';

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
    undo: outcome.undo && presentCall(outcome.undo),
  };
}

function withoutAbsent(counts: Readonly<Partial<Record<string, number>>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).flatMap(([key, count]) => (count ? [[key, count]] : [])));
}
