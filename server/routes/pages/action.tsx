import { type Context, Hono } from 'hono';
import type { HtmlEscapedString } from 'hono/utils/html';
import { ActionForecast } from '../../../views/action-forecast.js';
import { ActionConfirm, ActionField, ActionForm, ActionSubmit } from '../../../views/action-form.js';
import { ActionGroup } from '../../../views/action-group.js';
import { ActionOutcome } from '../../../views/action-outcome.js';
import { ActionPage } from '../../../views/action-page.js';
import { ActionPreview, type PreviewProps } from '../../../views/action-preview.js';
import { ActionProgress, ActionWatch } from '../../../views/action-watch.js';
import { actionPath } from '../../../views/links.js';
import { knownAction, knownInstance } from '../../actions/request.js';
import { planBasisOf } from '../../forecast/plan-basis.js';
import { ActionError } from '../../model/action.js';
import { findQueue, matchQueues } from '../../model/find-queue.js';
import { includesRole } from '../../model/role.js';
import { capitalized } from '../../model/words.js';
import type { AppDeps } from '../app-deps.js';
import { type GateEnv, requireRole } from '../gate.js';
import { type ActionAsk, argsOf, askOfForm, askOfLink, presentArgs } from './action-ask.js';
import { actionFieldsOf, confirmOf, confirmWord, formOf, type Targeted, verbOf } from './action-fields.js';
import { type Foreseen, forecastOf } from './action-forecast.js';
import { groupOf } from './action-group.js';
import { doneSince, progressPath, watchedFrom, watchedOf, watchOf } from './action-watch.js';
import { chromeOf } from './chrome.js';
import { remedyButton } from './remedy-button.js';

type PageContext = Context<GateEnv>;

/** The drawer: a form for each action, its preview, and what came of it. It applies by the same function as the API. */
export function actionRoutes(deps: AppDeps): Hono<GateEnv> {
  const routes = new Hono<GateEnv>();
  routes.use('/action/*', requireRole('operator'));
  routes.use('/action', requireRole('operator'));
  routes.get('/action/group', (c) => {
    const { instance = '', match = '', search = '' } = c.req.query();
    const group = groupOf(deps, c.get('actor').role, {
      instance,
      match: match.slice(0, 200),
      search: search.slice(0, 198),
    });
    return respond(deps, c, <ActionGroup {...group} />);
  });
  routes.get('/action', (c) => open(deps, c, new Map(Object.entries(c.req.queries()))));
  routes.get('/action/forecast', (c) => forecast(deps, c, new Map(Object.entries(c.req.queries()))));
  routes.get('/action/watch', (c) =>
    c.html(<ActionWatch {...watchOf(deps, c.get('actor').role, watchedOf(c.req.queries()))} />),
  );
  routes.get('/action/progress', (c) => {
    const { instance = '', since = '0' } = c.req.query();
    const done = doneSince(deps, instance, Number(since));
    return c.html(<ActionProgress url={progressPath(instance, Number(since))} done={done} />);
  });
  routes.post('/action/open', async (c) => open(deps, c, await formValues(c)));
  routes.post('/action/preview', async (c) => preview(deps, c, await formValues(c)));
  routes.post('/action', async (c) => applyAction(deps, c, await formValues(c)));
  return routes;
}

/** Fewer jobs wait after these, and none of them has run. */
const TAKES_JOBS_AWAY: ReadonlySet<string> = new Set(['queue.park', 'sequence', 'job.remove']);

type Values = ReadonlyMap<string, readonly string[]>;

async function open(deps: AppDeps, c: PageContext, values: Values): Promise<Response> {
  const action = knownAction(values.get('action')?.[0] ?? '');
  const ask = askOfLink(action, values, deps.watch.findings(), (instance, queues, workers) => {
    const snapshot = knownInstance(deps.watch, instance);
    const [only] = queues;
    return presentArgs(
      action.name,
      snapshot,
      only !== undefined && queues.length === 1 ? findQueue(snapshot, only) : null,
      snapshot.workers.find(({ id }) => id === workers[0]) ?? null,
    );
  });
  const targeted = target(deps, c, action.name, ask);
  const { shown, errors } = await dryRun(deps, c, targeted);
  const foreseen = await foresee(deps, targeted);
  return respond(
    deps,
    c,
    <ActionForm {...formOf(targeted, shown, isUntouched(ask) ? [] : errors, foreseen, deps.now())} />,
  );
}

/** Boxes that are empty because nothing was typed yet are no mistake yet. */
function isUntouched(ask: ActionAsk): boolean {
  return Object.values(ask.typed).every((typed) => typed.text === '' && !typed.isNone);
}

/** The preview, and the fields with what is wrong in them; what is being typed stays as it is. */
async function preview(deps: AppDeps, c: PageContext, values: Values): Promise<Response> {
  const action = knownAction(values.get('action')?.[0] ?? '');
  const ask = askOfForm(action, values);
  const targeted = target(deps, c, action.name, ask);
  const { shown, errors } = await dryRun(deps, c, targeted);
  const fields = actionFieldsOf(action, ask, errors, await foresee(deps, targeted));
  return c.html(
    <>
      <ActionPreview {...shown} hasFields={fields.length > 0} />
      <hx-partial hx-target="#action-confirm-part" hx-swap="outerMorph">
        <ActionConfirm confirm={confirmOf(targeted, [])} />
      </hx-partial>
      <hx-partial hx-target="#action-submit" hx-swap="outerMorph">
        <ActionSubmit verb={verbOf(targeted)} confirm={confirmOf(targeted, [])} shown={shown} />
      </hx-partial>
      {fields.map((field) => (
        <hx-partial hx-target={`#${field.id}`} hx-swap="outerMorph">
          <ActionField {...field} />
        </hx-partial>
      ))}
    </>,
    errors.length > 0 ? 422 : 200,
  );
}

/** The forecast for what is being typed, by what is known already: redrawn while a slider moves. */
async function forecast(deps: AppDeps, c: PageContext, values: Values): Promise<Response> {
  const action = knownAction(values.get('action')?.[0] ?? '');
  const foreseen = await foresee(deps, target(deps, c, action.name, askOfForm(action, values)));
  if (!foreseen) throw new ActionError('invalid', `${action.title}: nothing is forecast of this`);
  return c.html(<ActionForecast {...forecastOf(foreseen, deps.now())} />);
}

async function foresee(deps: AppDeps, { action, ask }: Targeted): Promise<Foreseen | null> {
  const [only] = ask.queues;
  if (action.change === null || only === undefined || ask.queues.length > 1 || ask.match !== null)
    return null;
  const snapshot = knownInstance(deps.watch, ask.instance);
  const basis = planBasisOf(snapshot, only);
  if (!basis) return null;
  const score = await deps.predictions.score({ instance: ask.instance });
  return { basis, change: action.change(argsOf(ask), basis, snapshot), score };
}

async function applyAction(deps: AppDeps, c: PageContext, values: Values): Promise<Response> {
  const action = knownAction(values.get('action')?.[0] ?? '');
  const ask = askOfForm(action, values);
  const targeted = target(deps, c, action.name, ask);
  const missing = problemsBefore(targeted);
  try {
    if (missing.length > 0) throw new ActionError('invalid', 'not confirmed', missing);
    const watched = watchedFrom(deps, ask, TAKES_JOBS_AWAY.has(action.name));
    const outcomes = await deps.runAction(c.get('actor'), requestOf(targeted, false));
    const watch = watchOf(deps, c.get('actor').role, watched);
    return respond(
      deps,
      c,
      <ActionOutcome verb={verbOf(targeted)} outcomes={outcomes} goOn={ask.goOn} watch={watch} />,
    );
  } catch (error) {
    if (!(error instanceof ActionError)) throw error;
    const { shown, errors } = await dryRun(deps, c, targeted);
    const all = [
      ...errors,
      ...error.fields.filter((field) => !errors.some((known) => known.field === field.field)),
    ];
    const trouble = all.length > 0 ? null : error.message;
    return respond(
      deps,
      c,
      <ActionForm {...formOf(targeted, shown, all, await foresee(deps, targeted), deps.now(), trouble)} />,
      422,
    );
  }
}

/** What the page asks for beyond the action itself: where jobs are lost for good, the name of what is hit. */
function problemsBefore(targeted: Targeted): ActionError['fields'] {
  const { ask } = targeted;
  const word = confirmWord(targeted);
  const problems: { field: string; value: unknown; problem: string }[] = [];
  if (word !== null && ask.confirm.trim() !== word) {
    problems.push({ field: 'confirm', value: ask.confirm, problem: `This has to read ${word}.` });
  }
  return problems;
}

function target(deps: AppDeps, c: PageContext, actionName: string, ask: ActionAsk): Targeted {
  const action = knownAction(actionName);
  const { role, name } = c.get('actor');
  const needed = action.roleFor(argsOf(ask));
  if (!includesRole(role, needed)) {
    throw new ActionError('forbidden', `${action.title} needs the role ${needed}, and ${name} is ${role}`);
  }
  const snapshot = knownInstance(deps.watch, ask.instance);
  const names =
    action.scope === 'instance'
      ? []
      : action.scope === 'worker'
        ? ask.workers.map((id) => snapshot.workers.find((worker) => worker.id === id)?.label ?? id)
        : ask.match !== null
          ? matchQueues(snapshot, ask.match).map((queue) => queue.name)
          : ask.queues.map((id) => snapshot.queues.find((queue) => queue.id === id)?.name ?? id);
  return { action, ask, names, role };
}

function requestOf({ action, ask }: Targeted, dryRun: boolean) {
  return {
    action: action.name,
    instance: ask.instance,
    queues: ask.queues,
    ...(ask.match === null ? {} : { match: ask.match }),
    ...(ask.jobId === null ? {} : { jobId: ask.jobId }),
    ...(action.scope === 'worker' ? { workers: ask.workers } : {}),
    args: argsOf(ask),
    reason: ask.reason,
    dryRun,
  };
}

async function dryRun(
  deps: AppDeps,
  c: PageContext,
  targeted: Targeted,
): Promise<{ readonly shown: PreviewProps; readonly errors: ActionError['fields'] }> {
  const { ask, role } = targeted;
  const then = wayBackTo(targeted);
  const more = { why: ask.reason, ...(then === null ? {} : { then }) };
  const buttonOf: PreviewProps['buttonOf'] = (remedy) => remedyButton(remedy, ask.instance, role, more);
  try {
    const outcomes = await deps.runAction(c.get('actor'), requestOf(targeted, true));
    return { shown: { outcomes, problem: null, buttonOf }, errors: [] };
  } catch (error) {
    if (!(error instanceof ActionError)) throw error;
    const problem =
      error.code === 'invalid' && error.fields.length > 0
        ? 'Put right what is marked, and this says what it would do.'
        : capitalized(error.message);
    return { shown: { outcomes: [], problem, buttonOf }, errors: error.fields };
  }
}

/** The same action with what was typed so far, to come back to once room was made; null where it is too long to carry. */
function wayBackTo({ action, ask }: Targeted): string | null {
  if (ask.queues.length > 5) return null;
  return actionPath({
    ...{
      action: action.name,
      instance: ask.instance,
      queues: ask.queues,
      args: argsOf(ask),
      why: ask.reason,
    },
    ...(ask.match === null ? {} : { match: ask.match }),
    ...(ask.jobId === null ? {} : { jobId: ask.jobId }),
  });
}

/** Into the drawer where a script asked for it, else a page of its own. */
function respond(
  deps: AppDeps,
  c: PageContext,
  content: HtmlEscapedString | Promise<HtmlEscapedString>,
  status: 200 | 422 = 200,
): Response | Promise<Response> {
  if (c.req.header('hx-request')) return c.html(content, status);
  const chrome = chromeOf(deps, {
    actor: c.get('actor'),
    nowMs: deps.now(),
    current: '',
    subject: 'action',
    liveUrl: null,
  });
  return c.html(<ActionPage chrome={chrome}>{content}</ActionPage>, status);
}

async function formValues(c: PageContext): Promise<Values> {
  const form = await c.req.parseBody({ all: true });
  return new Map(
    Object.entries(form).map(([name, value]) => [
      name,
      (Array.isArray(value) ? value : [value]).filter((item) => typeof item === 'string'),
    ]),
  );
}
