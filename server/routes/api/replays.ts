import { z } from '@hono/zod-openapi';
import { isoTime, jsonWriter, TimeSchema } from '../../model/json.js';
import { memoryAfter, tooMuchInWords } from '../../model/queue-verdict.js';
import {
  type DryRun,
  DryRunFacts,
  OrderOutcomeSchema,
  ReplayNowSchema,
  ReplayQueueSchema,
  type ReplayView,
} from '../../model/replay.js';
import { type ReplayFilter, type ReplaySpec, SpecSchema } from '../../model/replay-spec.js';
import { type Actor, includesRole } from '../../model/role.js';
import type { Snapshot } from '../../model/snapshot.js';
import { withoutJobData } from '../../replay/replay-log.js';
import { changeAllReplays } from '../../replay/replay-queues.js';
import { ReplayOrderSchema, type ReplayRequest } from '../../replay/replay-request.js';
import { coveragesOf, replayReport, type TimeRange } from '../../replay/report.js';
import type { AppDeps } from '../app-deps.js';
import { Problem } from '../problem.js';
import { apiPart, changeQuery, documentText, dryRunQuery, isDryRun, jsonBody, jsonRoute } from './env.js';
import { actionRoute, statusOf } from './outcomes.js';

const idParam = z.object({ id: z.string() });
const part = z
  .object({
    from: TimeSchema.nullable().describe('null: from the first job on'),
    until: TimeSchema,
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
    createdAt: TimeSchema,
    endedAt: TimeSchema.nullable(),
    spec: z.record(z.string(), z.unknown()),
    ratePerSecond: z.number().describe('As set by a person'),
    ...ReplayNowSchema.shape,
    isRangeCovered: z.boolean(),
    coverage: z
      .array(z.object({ queue: z.string(), covered: part, missing: part }))
      .describe(
        'Which part of the time range has had its turn, and which has not, by queue; null: none of it',
      ),
  })
  .openapi('Replay');

const DryRunSchema = DryRunFacts.extend({
  estimatedMatched: z.number(),
  predictedSeconds: z.number(),
  memory: z
    .object({ usedBytes: z.number(), afterBytes: z.number(), limitBytes: z.number() })
    .nullable()
    .describe('What the fullest node holds, now and once all are back, of its limit; null: it has none'),
  warnings: z.array(z.string()),
}).openapi('ReplayDryRun');

export const ReplayBodySchema = SpecSchema.extend({
  instance: z.string().default('default'),
  queues: z
    .array(z.string())
    .max(100, 'must be at most 100 queues')
    .default([])
    .openapi({ description: 'Queue ids, or bare names that are unique', example: ['bull:mail'] }),
  match: z.string().max(500).optional().describe('A glob instead of queues'),
});

const write = jsonWriter(ReplaySchema);
const writeDryRun = jsonWriter(DryRunSchema);
const writeOutcome = jsonWriter(OrderOutcomeSchema);
const writeQueue = jsonWriter(ReplayQueueSchema);

/** @param showsData false: without what its filter holds of job data and errors. */
function replayJson({ record, ...now }: ReplayView, showsData: boolean) {
  const { filter, ...spec } = record.spec;
  return write(
    { ...record, ...now },
    {
      spec: { ...spec, filter: showsData ? filter : withoutJobData(filter) },
      isRangeCovered: record.isSwept,
      coverage: coveragesOf(record).map(({ queue, covered, missing }) => ({
        queue,
        covered: rangeJson(covered),
        missing: rangeJson(missing),
      })),
    },
  );
}

function rangeJson(range: TimeRange | null) {
  return range && { from: range.fromMs === 0 ? null : isoTime(range.fromMs), until: isoTime(range.toMs) };
}

/** A dry run with what follows from it. @param showsData false: without errors. */
export function dryRunJson(found: DryRun, spec: ReplaySpec, showsData: boolean, snapshot: Snapshot | null) {
  const { isComplete, matched, lookedAt, inRange } = found;
  const estimatedMatched = isComplete ? matched : Math.round((matched / Math.max(1, lookedAt)) * inRange);
  const addedBytes = found.addedBytes * (estimatedMatched / Math.max(1, matched));
  const memory = snapshot && memoryAfter(snapshot, addedBytes);
  const tooMuch = memory && addedBytes > 0 ? tooMuchInWords(memory) : null;
  return writeDryRun(found, {
    byError: showsData ? [...found.byError] : [],
    estimatedMatched,
    predictedSeconds: estimatedMatched / spec.ratePerSecond,
    memory,
    warnings: [
      ...(tooMuch === null ? [] : [tooMuch]),
      ...(spec.from === 'completed'
        ? ['These jobs have completed: what they do is done once more. Be sure that it may be.']
        : []),
      ...(spec.guard ? [] : ['Auto-throttle is off: nothing slows this down when live traffic suffers.']),
    ],
  });
}

/** Whoever does not see data and errors can't look for them either: what matches would tell. @throws Problem 403 */
export function requireSeen({ dataField, errorText }: ReplayFilter, showsData: boolean): void {
  const field = dataField !== undefined ? 'dataField' : errorText ? 'errorText' : null;
  if (field === null || showsData) return;
  throw new Problem(403, 'forbidden', `filter.${field}: your role does not see job data and errors`);
}

const ListSchema = z.object({
  replays: z.array(ReplaySchema),
  replayQueues: z.array(ReplayQueueSchema),
});
const ChangedSchema = z
  .object({
    replays: z.array(ReplaySchema).describe('As they are afterwards'),
    outcomes: z.array(OrderOutcomeSchema),
  })
  .openapi('ReplaysChanged', { description: 'An outcome for each replay and each replay queue' });

const listRoute = jsonRoute(
  'get /replays',
  'Replays, newest first, each with its account; and replay queues',
  ListSchema,
);
const beginRoute = jsonRoute(
  'post /replays',
  'Move finished or parked jobs back to waiting, at a pace that live traffic can bear; dryRun: what it would take',
  z.union([ReplaySchema, DryRunSchema]),
  { query: dryRunQuery, body: jsonBody(ReplayBodySchema) },
);
const changeAllRoute = actionRoute(
  'patch /replays',
  'Pause, resume, abort or re-rate all replays under way, and pause, resume or re-rate replay queues: of some queues, a group or everywhere; each with its outcome',
  {
    query: dryRunQuery.extend({
      match: z.string().max(500).optional().describe('A glob of queue ids or names; * is everywhere'),
      group: z.string().optional().describe('A configured group of queues'),
      instance: z.string().optional(),
    }),
    body: jsonBody(ReplayOrderSchema),
  },
  ChangedSchema,
);
const oneRoute = jsonRoute('get /replays/{id}', 'One replay', ReplaySchema, { params: idParam });
const changeRoute = jsonRoute(
  'patch /replays/{id}',
  'Pause, resume, abort or re-rate a replay; dryRun: what that would come to',
  z.union([ReplaySchema, OrderOutcomeSchema]),
  { params: idParam, query: dryRunQuery, body: jsonBody(ReplayOrderSchema) },
);
const removeRoute = jsonRoute(
  'delete /replays/{id}',
  'Forget a replay that has ended',
  z.object({ removed: z.string() }),
  { params: idParam, query: changeQuery },
);
const reportRoute = jsonRoute(
  'get /replays/{id}/report',
  'The account of a replay; /report.md is the same as Markdown',
  z.object({ replay: ReplaySchema, markdown: z.string() }),
  { params: idParam },
);

type Deps = Pick<AppDeps, 'replays' | 'replayQueues' | 'groups' | 'jobDataRole' | 'watch'>;

export function replaysApi(deps: Deps) {
  const { replays } = deps;
  const showsData = (actor: Actor) => includesRole(actor.role, deps.jobDataRole);
  const shown = (actor: Actor, view: ReplayView) => replayJson(view, showsData(actor));
  const report = (actor: Actor, id: string) => replayReport(found(id), showsData(actor));
  const found = (id: string): ReplayView => {
    const view = replays.get(id);
    if (!view) throw new Problem(404, 'not-found', `there is no replay ${id.slice(0, 100)}`);
    return view;
  };
  const part = apiPart()
    .openapi(listRoute, (c) =>
      c.json(
        {
          replays: replays.list().map((view) => shown(c.get('actor'), view)),
          replayQueues: deps.replayQueues.list().map((queue) => writeQueue(queue)),
        },
        200,
      ),
    )
    .openapi(beginRoute, async (c) => {
      const { instance, queues, match, ...spec } = c.req.valid('json');
      const actor = c.get('actor');
      requireSeen(spec.filter, showsData(actor));
      const request: ReplayRequest = { instance, queues, match, spec };
      if (isDryRun(c)) {
        const taken = await replays.dryRun(request);
        return c.json(dryRunJson(taken, spec, showsData(actor), deps.watch.snapshot(instance)), 200);
      }
      return c.json(shown(actor, await replays.begin(actor, request)), 200);
    })
    .openapi(changeAllRoute, async (c) => {
      const { match, group, instance } = c.req.valid('query');
      const outcomes = await changeAllReplays(
        deps,
        c.get('actor'),
        { instance, globs: globsOf(deps, match, group) },
        c.req.valid('json'),
        isDryRun(c),
      );
      const views = outcomes.flatMap(({ replay }) => (replay === null ? [] : (replays.get(replay) ?? [])));
      return c.json(
        {
          replays: views.map((view) => shown(c.get('actor'), view)),
          outcomes: outcomes.map((outcome) => writeOutcome(outcome)),
        },
        statusOf(outcomes),
      );
    })
    .openapi(oneRoute, (c) => c.json(shown(c.get('actor'), found(c.req.valid('param').id)), 200))
    .openapi(changeRoute, async (c) => {
      const { id } = c.req.valid('param');
      const outcome = await replays.change(c.get('actor'), id, c.req.valid('json'), isDryRun(c));
      if (outcome.isDryRun) return c.json(writeOutcome(outcome), 200);
      return c.json(shown(c.get('actor'), found(id)), 200);
    })
    .openapi(removeRoute, async (c) => {
      const { id } = c.req.valid('param');
      await replays.remove(c.get('actor'), id, c.req.valid('query').reason, isDryRun(c));
      return c.json({ removed: id }, 200);
    })
    .openapi(reportRoute, (c) => {
      const { id } = c.req.valid('param');
      const actor = c.get('actor');
      return c.json({ replay: shown(actor, found(id)), markdown: report(actor, id) }, 200);
    });
  documentText(part, 'text/markdown', {
    path: '/replays/{id}/report.md',
    summary: 'The account of a replay in Markdown',
    request: { params: idParam },
  });
  part.get('/replays/:id/report.md', (c) =>
    c.body(report(c.get('actor'), c.req.param('id')), 200, {
      'Content-Type': 'text/markdown; charset=utf-8',
    }),
  );
  return part;
}

/** @throws Problem where neither a glob nor a group that there is was given. */
function globsOf(
  deps: Pick<Deps, 'groups'>,
  match: string | undefined,
  group: string | undefined,
): readonly string[] {
  if (match !== undefined) return [match];
  if (group === undefined)
    throw new Problem(422, 'invalid-request', 'match: give a glob of queues (* is everywhere), or a group');
  const globs = Object.hasOwn(deps.groups, group) ? deps.groups[group] : undefined;
  if (!globs) throw new Problem(404, 'not-found', `there is no group ${group.slice(0, 100)}`);
  return globs;
}
