import { z } from '@hono/zod-openapi';
import { type Actor, includesRole } from '../../model/role.js';
import { changeAllReplays } from '../../replay/replay-queues.js';
import type { ReplayRequest } from '../../replay/replay-request.js';
import type { ReplayView } from '../../replay/replay-view.js';
import { replayReport } from '../../replay/report.js';
import type { AppDeps } from '../app-deps.js';
import { Problem } from '../problem.js';
import { apiPart, documentText, dryRunQuery, jsonBody, jsonRoute } from './env.js';
import { actionRoute, statusOf } from './outcomes.js';
import {
  DryRunSchema,
  OrderOutcomeSchema,
  presentDryRun,
  presentOrderOutcome,
  presentReplay,
  presentReplayQueue,
  ReplayBodySchema,
  ReplayOrderSchema,
  ReplayQueueSchema,
  ReplaySchema,
  requireSeen,
} from './replay-schemas.js';

const idParam = z.object({ id: z.string() });
const ListSchema = z.object({
  replays: z.array(ReplaySchema),
  replayQueues: z.array(ReplayQueueSchema),
});
const ChangedSchema = z
  .object({
    replays: z.array(ReplaySchema).openapi({ description: 'As they are afterwards' }),
    outcomes: z.array(OrderOutcomeSchema),
  })
  .openapi('ReplaysChanged', { description: 'An outcome for each replay and each replay queue' });

const listRoute = jsonRoute(
  {
    method: 'get',
    path: '/replays',
    summary: 'Replays, newest first, each with its account; and replay queues',
  },
  ListSchema,
);
const beginRoute = jsonRoute(
  {
    method: 'post',
    path: '/replays',
    summary:
      'Move finished or parked jobs back to waiting, at a pace that live traffic can bear; dryRun: what it would take',
    request: { query: dryRunQuery, body: jsonBody(ReplayBodySchema) },
  },
  z.union([ReplaySchema, DryRunSchema]),
);
const changeAllRoute = actionRoute(
  {
    method: 'patch',
    path: '/replays',
    summary:
      'Pause, resume, abort or re-rate all replays under way, and pause, resume or re-rate replay queues: of some queues, a group or everywhere; each with its outcome',
    request: {
      query: dryRunQuery.extend({
        match: z
          .string()
          .max(500)
          .optional()
          .openapi({ description: 'A glob of queue ids or names; * is everywhere' }),
        group: z.string().optional().openapi({ description: 'A configured group of queues' }),
        instance: z.string().optional(),
      }),
      body: jsonBody(ReplayOrderSchema),
    },
  },
  ChangedSchema,
);
const oneRoute = jsonRoute(
  { method: 'get', path: '/replays/{id}', summary: 'One replay', request: { params: idParam } },
  ReplaySchema,
);
const changeRoute = jsonRoute(
  {
    method: 'patch',
    path: '/replays/{id}',
    summary: 'Pause, resume, abort or re-rate a replay',
    request: { params: idParam, body: jsonBody(ReplayOrderSchema) },
  },
  ReplaySchema,
);
const removeRoute = jsonRoute(
  {
    method: 'delete',
    path: '/replays/{id}',
    summary: 'Forget a replay that has ended',
    request: { params: idParam },
  },
  z.object({ removed: z.string() }),
);
const reportRoute = jsonRoute(
  {
    method: 'get',
    path: '/replays/{id}/report',
    summary: 'The account of a replay; /report.md is the same as Markdown',
    request: { params: idParam },
  },
  z.object({ replay: ReplaySchema, markdown: z.string() }),
);

export function replaysApi(deps: AppDeps) {
  const { replays } = deps;
  const showsData = (actor: Actor) => includesRole(actor.role, deps.jobDataRole);
  const shown = (actor: Actor, view: ReplayView) => presentReplay(view, showsData(actor));
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
          replayQueues: deps.replayQueues.list().map(presentReplayQueue),
        },
        200,
      ),
    )
    .openapi(beginRoute, async (c) => {
      const { instance, queues, match, ...spec } = c.req.valid('json');
      const actor = c.get('actor');
      requireSeen(spec.filter, showsData(actor));
      const request: ReplayRequest = { instance, queues, match, spec };
      if (c.req.valid('query').dryRun === 'true')
        return c.json(presentDryRun(await replays.dryRun(request), spec, showsData(actor)), 200);
      return c.json(shown(actor, await replays.begin(actor, request)), 200);
    })
    .openapi(changeAllRoute, async (c) => {
      const { match, group, instance, dryRun } = c.req.valid('query');
      const outcomes = await changeAllReplays(
        deps,
        c.get('actor'),
        { instance, globs: globsOf(deps, match, group) },
        c.req.valid('json'),
        dryRun === 'true',
      );
      const views = outcomes.flatMap(({ replay }) => (replay === null ? [] : (replays.get(replay) ?? [])));
      return c.json(
        {
          replays: views.map((view) => shown(c.get('actor'), view)),
          outcomes: outcomes.map(presentOrderOutcome),
        },
        statusOf(outcomes),
      );
    })
    .openapi(oneRoute, (c) => c.json(shown(c.get('actor'), found(c.req.valid('param').id)), 200))
    .openapi(changeRoute, async (c) => {
      const { id } = c.req.valid('param');
      await replays.change(c.get('actor'), id, c.req.valid('json'));
      return c.json(shown(c.get('actor'), found(id)), 200);
    })
    .openapi(removeRoute, async (c) => {
      const { id } = c.req.valid('param');
      await replays.remove(c.get('actor'), id, 'forgotten');
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
function globsOf(deps: AppDeps, match: string | undefined, group: string | undefined): readonly string[] {
  if (match !== undefined) return [match];
  if (group === undefined)
    throw new Problem(422, 'invalid-request', 'match: give a glob of queues (* is everywhere), or a group');
  const globs = Object.hasOwn(deps.groups, group) ? deps.groups[group] : undefined;
  if (!globs) throw new Problem(404, 'not-found', `there is no group ${group.slice(0, 100)}`);
  return globs;
}
