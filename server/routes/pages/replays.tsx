import { type Context, Hono } from 'hono';
import { ReplayButtons, ReplayStatus } from '../../../views/replay-card.js';
import type { ReplayFormProps, ReplayFoundProps } from '../../../views/replay-form.js';
import { PauseAll } from '../../../views/replay-summary.js';
import { ReplaysPage } from '../../../views/replays-page.js';
import type { AppDeps } from '../../app-deps.js';
import { type GateEnv, requireRole } from '../../auth/gate.js';
import { includesRole, type Role } from '../../auth/role.js';
import { plainName } from '../../findings/words.js';
import { LeverError } from '../../levers/lever.js';
import { formatCount, formatDuration } from '../../model/format.js';
import { presentDryRun } from '../api/present-replay.js';
import { OrderSchema } from '../api/replay-schemas.js';
import type { LiveView } from '../live/hub.js';
import { swapPart } from '../live/part.js';
import { Problem } from '../problem.js';
import { chromeOf } from './chrome.js';
import { frameParts, html } from './overview.js';
import { askOfReplay } from './replay-ask.js';
import { pauseAllOf, replayCardOf } from './replay-view-model.js';

/** Cards shown; the API lists all. */
const MOST_CARDS = 30;
const FIRST_VALUES = { from: 'failed', order: 'oldest', ratePerSecond: '50' };

type PageContext = Context<GateEnv>;
type Values = Readonly<Record<string, string>>;

/** The page of replays, its form, and its buttons; they act by the same functions as the API. */
export function replayRoutes(deps: AppDeps): Hono<GateEnv> {
  const routes = new Hono<GateEnv>();
  routes.get('/replays', (c) => page(deps, c, { ...FIRST_VALUES, ...c.req.query() }, [], null));
  routes.post('/replays', requireRole('operator'), (c) => submit(deps, c, false));
  routes.post('/replays/look', requireRole('operator'), (c) => submit(deps, c, true));
  routes.post('/replays/all', requireRole('operator'), async (c) => {
    const { back, order } = await orderOf(c);
    await deps.replays.changeAll(c.get('actor'), { globs: ['*'] }, order);
    return c.redirect(back, 303);
  });
  routes.post('/replays/:id/order', requireRole('operator'), async (c) => {
    const { back, order } = await orderOf(c);
    await deps.replays.change(c.get('actor'), c.req.param('id'), order);
    return c.redirect(back, 303);
  });
  return routes;
}

/** What changes on the page of replays. */
export function replaysLive(deps: AppDeps, role: Role): LiveView {
  return {
    key: `replays|${role}`,
    render: () => {
      const nowMs = deps.now();
      const views = deps.replays.list();
      const cards = views.slice(0, MOST_CARDS).map((view) => replayCardOf(view, role, nowMs, '/replays'));
      return [
        ...frameParts(deps, nowMs, 'Replays'),
        swapPart('replays-all', html(<PauseAll {...pauseAllOf(views, role, '/replays')} />)),
        ...cards.flatMap((card) => [
          swapPart(card.status.id, html(<ReplayStatus {...card.status} />)),
          swapPart(card.buttons.id, html(<ReplayButtons {...card.buttons} />)),
        ]),
      ];
    },
  };
}

async function submit(deps: AppDeps, c: PageContext, isLook: boolean): Promise<Response> {
  const values = await valuesOf(c);
  const ask = askOfReplay({ ...values, ...(isLook && !values.reason ? { reason: 'look' } : {}) });
  const typed = { ...values, guard: values.guard ?? 'off', resetAttempts: values.resetAttempts ?? 'off' };
  if (!ask.body) return page(deps, c, typed, ask.problems, null);
  const { instance, queues, match, ...spec } = ask.body;
  const actor = c.get('actor');
  if (spec.filter.dataField !== undefined && !includesRole(actor.role, deps.jobDataRole))
    throw new Problem(403, 'forbidden', 'your role does not see job data');
  try {
    const request = { instance, queues, match, spec };
    if (isLook)
      return page(deps, c, typed, [], foundOf(presentDryRun(await deps.replays.dryRun(request), spec)));
    await deps.replays.begin(actor, request);
    return c.redirect('/replays', 303);
  } catch (error) {
    if (!(error instanceof LeverError)) throw error;
    return page(deps, c, typed, [error.message], null);
  }
}

function page(
  deps: AppDeps,
  c: PageContext,
  values: Values,
  problems: readonly string[],
  found: ReplayFoundProps | null,
): Response | Promise<Response> {
  const actor = c.get('actor');
  const nowMs = deps.now();
  const views = deps.replays.list();
  const frame = { actor, nowMs, current: '/replays', subject: 'Replays', liveUrl: '/live?view=replays' };
  const form: ReplayFormProps = {
    instances: deps.watch.snapshots().map(({ instance }) => instance),
    values,
    problems,
    found,
    canFilterData: includesRole(actor.role, deps.jobDataRole),
  };
  const view = {
    all: pauseAllOf(views, actor.role, '/replays'),
    replays: views.slice(0, MOST_CARDS).map((one) => replayCardOf(one, actor.role, nowMs, '/replays')),
    form: includesRole(actor.role, 'operator') ? form : null,
  };
  const content = <ReplaysPage chrome={chromeOf(deps, frame)} view={view} />;
  return c.html(content, problems.length > 0 ? 422 : 200);
}

function foundOf(found: ReturnType<typeof presentDryRun>): ReplayFoundProps {
  const about = found.isComplete ? '' : `about (${formatCount(found.lookedAt)} looked at) `;
  const groups = (of: typeof found.byType) =>
    of.slice(0, 10).map(({ name, jobs }) => ({ name: plainName(name), jobs: formatCount(jobs) }));
  return {
    summary: `${about}${formatCount(found.estimatedMatched)} jobs match; at this rate ${formatDuration(found.predictedSeconds)}.`,
    warnings: found.warnings,
    types: groups(found.byType),
    errors: groups(found.byError),
    sample: found.sample.slice(0, 5).map(({ id }) => plainName(id)),
  };
}

/** @throws Problem for a button that is none of ours. Where to go afterwards is one of our two pages, whatever is sent. */
async function orderOf(c: PageContext) {
  const { back, state, ratePerSecond } = await valuesOf(c);
  const parsed = OrderSchema.safeParse({
    ...(state === undefined ? {} : { state }),
    ...(ratePerSecond === undefined ? {} : { ratePerSecond: Number(ratePerSecond) }),
    reason: 'by hand, on the page',
  });
  if (!parsed.success)
    throw new Problem(422, 'invalid-request', parsed.error.issues.map(({ message }) => message).join('; '));
  return { back: back === '/' ? '/' : '/replays', order: parsed.data };
}

async function valuesOf(c: PageContext): Promise<Values> {
  const form = await c.req.parseBody();
  return Object.fromEntries(
    Object.entries(form).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
