import { z } from 'zod';
import { ActionError } from '../model/action.js';
import { findQueue, matchQueues, requireBullmq } from '../model/find-queue.js';
import { whyReadOnly } from '../model/queue-kind.js';
import type { Redactor } from '../model/redact.js';
import type { ReplayRecord } from '../model/replay.js';
import { NO_COUNTS } from '../model/replay.js';
import { MAX_REPLAY_QUEUES, RateSchema, ReasonSchema, type ReplaySpec } from '../model/replay-spec.js';
import type { Snapshot } from '../model/snapshot.js';
import { globMatcher } from '../model/text.js';
import { LoadSampler } from './load-sample.js';

/** What a person changes of a replay. */
export const ReplayOrderSchema = z
  .strictObject({
    state: z
      .enum(['running', 'paused', 'aborted'], 'must be running, paused or aborted')
      .optional()
      .describe('paused: nothing is moved any more once this is answered'),
    ratePerSecond: RateSchema.optional(),
    reason: ReasonSchema,
  })
  .refine(({ state, ratePerSecond }) => state !== undefined || ratePerSecond !== undefined, {
    message: 'give state or ratePerSecond',
  });
export type ReplayOrder = Readonly<z.output<typeof ReplayOrderSchema>>;

/** What a person asks for, with the queues still as they were named. */
export interface ReplayRequest {
  readonly instance: string;
  /** Ids, or bare names that are unique. */
  readonly queues: readonly string[];
  /** A glob instead. */
  readonly match?: string | undefined;
  readonly spec: ReplaySpec;
}

/** Which running replays one action is about: those with this queue, or with one that matches any of the globs. */
export interface ReplaySelection {
  readonly instance?: string | undefined;
  /** This one alone: an id may hold characters that mean more in a glob. */
  readonly queueId?: string | undefined;
  readonly globs: readonly string[];
}

/** Ids of the queues of a request. @throws ActionError for none, too many, or a name that is no queue. */
export function queuesOf(snapshot: Snapshot, { queues, match }: ReplayRequest): readonly string[] {
  const found =
    match !== undefined ? matchQueues(snapshot, match) : queues.map((name) => findQueue(snapshot, name));
  const those = match === undefined ? found : found.filter((queue) => whyReadOnly(queue) === null);
  for (const queue of those.length === 0 ? found : those) requireBullmq(queue);
  const ids = [...new Set(those.map(({ id }) => id))];
  if (ids.length === 0) throw new ActionError('invalid', 'queues: name at least one queue, or give match');
  if (ids.length > MAX_REPLAY_QUEUES)
    throw new ActionError(
      'invalid',
      `queues: ${ids.length} queues; a replay takes at most ${MAX_REPLAY_QUEUES}`,
    );
  return ids;
}

/**
 * @throws ActionError naming a part of the filter that makes no sense for where the jobs come from, or that asks for what is
 * hidden: a filter is kept, and tells by its matches what a field holds.
 */
export function checkFilter({ from, filter }: ReplaySpec, redactor: Redactor | null): void {
  const refuse = (field: string, value: string, problem: string): never => {
    throw new ActionError('invalid', `${field}: ${problem}`, [{ field, value, problem }]);
  };
  const { errorText, dataField } = filter;
  if (from === 'parked' && errorText)
    refuse('filter.errorText', errorText, 'parked jobs have not run: they have no error; leave it out');
  if (dataField !== undefined && redactor?.hides(dataField.path))
    refuse('filter.dataField', dataField.path, `${dataField.path} is hidden by redact; leave it out`);
}

/** Is a replay one of those that an action is about? */
export function isSelected(
  record: Pick<ReplayRecord, 'instance' | 'queues'>,
  { instance, queueId, globs }: ReplaySelection,
): boolean {
  if (instance !== undefined && record.instance !== instance) return false;
  if (queueId !== undefined) return record.queues.includes(queueId);
  const tests = globs.map(globMatcher);
  return record.queues.some((id) =>
    tests.some((test) => test(id) || test(id.slice(id.lastIndexOf(':') + 1))),
  );
}

/** A replay as it begins: what ends after `nowMs` does not belong to it, and things stand as in `snapshot`. */
export function newRecord(
  id: string,
  actor: string,
  { spec, instance }: Pick<ReplayRequest, 'spec' | 'instance'>,
  queues: readonly string[],
  snapshot: Snapshot | null,
  nowMs: number,
): ReplayRecord {
  return {
    id,
    instance,
    spec,
    queues,
    actor,
    createdAtMs: nowMs,
    cutoffMs: nowMs,
    endedAtMs: null,
    state: 'running',
    pausedBy: null,
    ratePerSecond: spec.ratePerSecond,
    reason: 'Begun.',
    counts: NO_COUNTS,
    cursors: {},
    isSwept: false,
    needsResweep: false,
    lastSeq: 0,
    baseline: snapshot && new LoadSampler().baseline(snapshot, queues),
    canaryFrom: { moved: 0, succeeded: 0, failedAgain: 0, gone: 0 },
  };
}
