import { type Context, Hono } from 'hono';
import { ReplayAbort } from '../../../views/replay-abort.js';
import type { ReplayFormProps, ReplayFoundProps } from '../../../views/replay-form.js';
import { ReplaysPage } from '../../../views/replays-page.js';
import { ActionError } from '../../model/action.js';
import { formatCount, formatDuration } from '../../model/format.js';
import { includesRole } from '../../model/role.js';
import { plainName } from '../../model/words.js';
import { changeAllReplays } from '../../replay/replay-queues.js';
import { dryRunJson, ReplayBodySchema, requireSeen } from '../api/replays.js';
import type { AppDeps } from '../app-deps.js';
import { type GateEnv, requireRole } from '../gate.js';
import { Problem } from '../problem.js';
import { chromeOf } from './chrome.js';
import { parkedOf } from './parked.js';
import { orderOf, orderToAll, untilSeen } from './replay-orders.js';
import { pauseAllOf, replayQueuesOf, replayScopeOf } from './replay-summary-view-model.js';
import { keepTold, toldTo } from './replay-told.js';
import { MAX_CARDS, replayAbortOf, replayCardOf } from './replay-view-model.js';
import { parkedPlace } from './replays-live.js';

/** What was typed into the form of a replay, as the API would be asked. `problems` is empty where it fits. */
type ReplayAsk =
  | { readonly body: ReturnType<typeof ReplayBodySchema.parse>; readonly problems: readonly [] }
  | { readonly body: null; readonly problems: readonly string[] };

/** Reads the form. A time is UTC unless it says otherwise. */
function askOfReplay(values: Readonly<Record<string, string>>): ReplayAsk {
  const text = (name: string): string | undefined => {
    const typed = values[name]?.trim() ?? '';
    return typed === '' ? undefined : typed;
  };
  const number = (name: string): number | undefined => {
    const typed = text(name);
    return typed === undefined ? undefined : Number(typed);
  };
  const queues = text('queues') ?? '';
  const isGlob = /[*?]/.test(queues);
  const dataPath = text('dataPath');
  const filter = {
    jobTypes: values.jobTypes?.split(/\r?\n/).filter((name) => name.trim() !== ''),
    errorText: text('errorText'),
    fromMs: timeOf(text('from_time')),
    toMs: timeOf(text('to_time')),
    attemptsMin: number('attemptsMin'),
    attemptsMax: number('attemptsMax'),
    dataField:
      dataPath === undefined ? undefined : { path: dataPath, equals: typedValue(values.dataEquals ?? '') },
  };
  const parsed = ReplayBodySchema.safeParse({
    instance: text('instance'),
    queues: isGlob ? [] : queues.split(/\s+/).filter((name) => name !== ''),
    match: isGlob ? queues : undefined,
    from: text('from'),
    filter: Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)),
    order: text('order'),
    ratePerSecond: number('ratePerSecond'),
    mostInFlight: number('mostInFlight') ?? null,
    guard: values.guard === 'on',
    resetAttempts: values.resetAttempts === 'on',
    reason: values.reason ?? '',
  });
  if (parsed.success) return { body: parsed.data, problems: [] };
  return {
    body: null,
    problems: parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`),
  };
}

function timeOf(typed: string | undefined): number | undefined {
  if (typed === undefined) return undefined;
  return Date.parse(/[zZ]$|[+-]\d\d:?\d\d$/.test(typed) ? typed : `${typed}Z`);
}

/** `42`, `true` and `null` are what they look like; a number in quotes is a text. */
function typedValue(typed: string): string | number | boolean | null {
  try {
    const value: unknown = JSON.parse(typed);
    if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) return value as string;
  } catch {
    // Not JSON: a text.
  }
  return typed;
}

const FIRST_VALUES = { from: 'failed', order: 'oldest', ratePerSecond: '50' };

type PageContext = Context<GateEnv>;
type Values = Readonly<Record<string, string>>;

/** The page of replays, its form, and its buttons; they act by the same functions as the API. */
export function replayRoutes(deps: AppDeps): Hono<GateEnv> {
  const routes = new Hono<GateEnv>();
  routes.get('/replays', (c) => page(deps, c, { ...FIRST_VALUES, ...c.req.query() }, [], null));
  routes.post('/replays', requireRole('operator'), async (c) => submit(deps, c, await valuesOf(c), false));
  // It changes nothing, so its address can be passed on and loaded again.
  routes.get('/replays/look', requireRole('operator'), (c) => submit(deps, c, c.req.query(), true));
  routes.post('/replays/all', requireRole('operator'), async (c) => {
    const values = await valuesOf(c);
    const { label, order, selection } = orderToAll(deps, values);
    const actor = c.get('actor');
    const outcomes = await changeAllReplays(deps, actor, selection, order, false);
    await untilSeen(deps, outcomes, order);
    return c.redirect(keepTold(deps.newId(), actor, label, outcomes, backOf(values)), 303);
  });
  routes.post('/replays/:id/order', requireRole('operator'), async (c) => {
    const values = await valuesOf(c);
    const actor = c.get('actor');
    const outcome = await deps.replays.change(actor, c.req.param('id'), orderOf(values));
    return c.redirect(keepTold(deps.newId(), actor, 'Replay', [outcome], backOf(values)), 303);
  });
  routes.get('/replays/:id/abort', requireRole('operator'), (c) => {
    const view = deps.replays.get(c.req.param('id'));
    if (!view) throw new Problem(404, 'not-found', `there is no replay ${c.req.param('id').slice(0, 100)}`);
    const frame = {
      actor: c.get('actor'),
      nowMs: deps.now(),
      current: '/replays',
      subject: 'Abort a replay',
    };
    const chrome = chromeOf(deps, { ...frame, liveUrl: '/live?view=frame' });
    return c.html(<ReplayAbort chrome={chrome} view={replayAbortOf(view)} />);
  });
  return routes;
}

async function submit(deps: AppDeps, c: PageContext, values: Values, isLook: boolean): Promise<Response> {
  const ask = askOfReplay(values);
  const typed = { ...values, guard: values.guard ?? 'off', resetAttempts: values.resetAttempts ?? 'off' };
  if (!ask.body) return page(deps, c, typed, ask.problems, null);
  const { instance, queues, match, ...spec } = ask.body;
  const actor = c.get('actor');
  const showsData = includesRole(actor.role, deps.jobDataRole);
  requireSeen(spec.filter, showsData);
  try {
    const request = { instance, queues, match, spec };
    if (isLook)
      return page(
        deps,
        c,
        typed,
        [],
        foundOf(dryRunJson(await deps.replays.dryRun(request), spec, showsData)),
      );
    await deps.replays.begin(actor, request);
    return c.redirect('/replays', 303);
  } catch (error) {
    if (!(error instanceof ActionError)) throw error;
    return page(deps, c, typed, [error.message], null);
  }
}

async function page(
  deps: AppDeps,
  c: PageContext,
  values: Values,
  problems: readonly string[],
  found: ReplayFoundProps | null,
): Promise<Response> {
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
  const queues = deps.replayQueues.list();
  const view = {
    told: toldTo(actor, c.req.query('told')),
    all: pauseAllOf(views, queues, actor.role, '/replays'),
    scope: replayScopeOf(views, queues, deps.groups, actor.role, '/replays'),
    queues: replayQueuesOf(queues, actor.role),
    replays: views.slice(0, MAX_CARDS).map((one) => replayCardOf(one, actor.role, nowMs, '/replays')),
    parked: await parkedOf(deps, parkedPlace(actor.role), c.req.query()),
    form: includesRole(actor.role, 'operator') ? form : null,
  };
  const content = <ReplaysPage chrome={chromeOf(deps, frame)} view={view} />;
  return c.html(content, problems.length > 0 ? 422 : 200);
}

function foundOf(found: ReturnType<typeof dryRunJson>): ReplayFoundProps {
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

/** One of our two pages, whatever is sent. */
function backOf({ back }: Values): string {
  return back === '/' ? '/' : '/replays';
}

async function valuesOf(c: PageContext): Promise<Values> {
  const form = await c.req.parseBody();
  return Object.fromEntries(
    Object.entries(form).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
