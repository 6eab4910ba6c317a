import { type Context, Hono } from 'hono';
import type { HtmlEscapedString } from 'hono/utils/html';
import { LeverForecast } from '../../../views/lever-forecast.js';
import { LeverField, LeverForm } from '../../../views/lever-form.js';
import { LeverGroup } from '../../../views/lever-group.js';
import { LeverOutcome } from '../../../views/lever-outcome.js';
import { LeverPage } from '../../../views/lever-page.js';
import { LeverPreview, type PreviewProps } from '../../../views/lever-preview.js';
import type { AppDeps } from '../../app-deps.js';
import { type GateEnv, requireRole } from '../../auth/gate.js';
import { includesRole } from '../../auth/role.js';
import { changeOf, hasForecast } from '../../levers/change-of.js';
import { knownInstance, knownLever } from '../../levers/check-request.js';
import { LeverError, type Outcome } from '../../levers/lever.js';
import { findQueue, matchQueues } from '../../levers/targets.js';
import { planBasisOf } from '../../model/plan/input-of.js';
import { chromeOf } from './chrome.js';
import { type Foreseen, forecastOf } from './forecast-view-model.js';
import { argsOf, askOfForm, askOfLink, type LeverAsk } from './lever-ask.js';
import { groupOf } from './lever-group.js';
import { confirmWord, fieldsOf, formOf, type Targeted } from './lever-view-model.js';
import { presentArgs } from './lever-words.js';
import { outcomeOf } from './outcome-view-model.js';
import { previewOf, previewOfError } from './preview-view-model.js';

type PageContext = Context<GateEnv>;

/** The drawer: a form for each lever, its preview, and what came of it. It pulls by the same function as the API. */
export function leverRoutes(deps: AppDeps): Hono<GateEnv> {
  const routes = new Hono<GateEnv>();
  routes.use('/lever/*', requireRole('operator'));
  routes.use('/lever', requireRole('operator'));
  routes.get('/lever/group', (c) => {
    const { instance = '', match = '', search = '' } = c.req.query();
    const group = groupOf(deps, c.get('actor').role, {
      instance,
      match: match.slice(0, 200),
      search: search.slice(0, 198),
    });
    return respond(deps, c, <LeverGroup {...group} />);
  });
  routes.get('/lever', (c) => open(deps, c, new Map(Object.entries(c.req.queries()))));
  routes.get('/lever/forecast', (c) => forecast(deps, c, new Map(Object.entries(c.req.queries()))));
  routes.post('/lever/open', async (c) => open(deps, c, await formValues(c)));
  routes.post('/lever/preview', async (c) => preview(deps, c, await formValues(c)));
  routes.post('/lever', async (c) => pull(deps, c, await formValues(c)));
  return routes;
}

type Values = ReadonlyMap<string, readonly string[]>;

async function open(deps: AppDeps, c: PageContext, values: Values): Promise<Response> {
  const lever = knownLever(values.get('lever')?.[0] ?? '');
  const ask = askOfLink(lever, values, deps.watch.findings(), (instance, queues, workers) => {
    const snapshot = knownInstance(deps.watch, instance);
    const [only] = queues;
    return presentArgs(
      lever.name,
      snapshot,
      only !== undefined && queues.length === 1 ? findQueue(snapshot, only) : null,
      snapshot.workers.find(({ id }) => id === workers[0]) ?? null,
    );
  });
  const targeted = target(deps, c, lever.name, ask);
  const { shown, errors } = await dryRun(deps, c, targeted);
  const told = await foresee(deps, targeted);
  return respond(deps, c, <LeverForm {...formOf(targeted, shown, isUntouched(ask) ? [] : errors, told)} />);
}

/** Boxes that are empty because nothing was typed yet are no mistake yet. */
function isUntouched(ask: LeverAsk): boolean {
  return Object.values(ask.typed).every((typed) => typed.text === '' && !typed.isNone);
}

/** The preview, and the fields with what is wrong in them; what is being typed stays as it is. */
async function preview(deps: AppDeps, c: PageContext, values: Values): Promise<Response> {
  const lever = knownLever(values.get('lever')?.[0] ?? '');
  const ask = askOfForm(lever, values);
  const targeted = target(deps, c, lever.name, ask);
  const { shown, errors } = await dryRun(deps, c, targeted);
  const fields = fieldsOf(lever, ask, errors, await foresee(deps, targeted));
  return c.html(
    <>
      <LeverPreview {...shown} hasFields={fields.length > 0} />
      {fields.map((field) => (
        <hx-partial hx-target={`#${field.id}`} hx-swap="outerMorph">
          <LeverField {...field} />
        </hx-partial>
      ))}
    </>,
    errors.length > 0 ? 422 : 200,
  );
}

/** The forecast for what is being typed, by what is known already: redrawn while a slider moves. */
async function forecast(deps: AppDeps, c: PageContext, values: Values): Promise<Response> {
  const lever = knownLever(values.get('lever')?.[0] ?? '');
  const told = await foresee(deps, target(deps, c, lever.name, askOfForm(lever, values)));
  if (!told) throw new LeverError('invalid', `${lever.title}: nothing is foretold of this`);
  return c.html(<LeverForecast {...forecastOf(told)} />);
}

async function foresee(deps: AppDeps, { lever, ask }: Targeted): Promise<Foreseen | null> {
  const [only] = ask.queues;
  if (!hasForecast(lever.name) || only === undefined || ask.queues.length > 1 || ask.match !== null)
    return null;
  const snapshot = knownInstance(deps.watch, ask.instance);
  const basis = planBasisOf(snapshot, only);
  if (!basis) return null;
  const score = await deps.predictions.score({ instance: ask.instance });
  return { basis, change: changeOf(lever.name, argsOf(ask), basis, snapshot), score };
}

async function pull(deps: AppDeps, c: PageContext, values: Values): Promise<Response> {
  const lever = knownLever(values.get('lever')?.[0] ?? '');
  const ask = askOfForm(lever, values);
  const targeted = target(deps, c, lever.name, ask);
  const missing = problemsBefore(targeted);
  try {
    if (missing.length > 0) throw new LeverError('invalid', 'not confirmed', missing);
    const outcomes = await deps.runLever(c.get('actor'), requestOf(targeted, false));
    return respond(deps, c, <LeverOutcome {...outcomeOf(outcomes, targeted)} />);
  } catch (error) {
    if (!(error instanceof LeverError)) throw error;
    const { shown, errors } = await dryRun(deps, c, targeted);
    const all = [
      ...errors,
      ...error.fields.filter((field) => !errors.some((known) => known.field === field.field)),
    ];
    const trouble = all.length > 0 ? null : error.message;
    return respond(
      deps,
      c,
      <LeverForm {...formOf(targeted, shown, all, await foresee(deps, targeted), trouble)} />,
      422,
    );
  }
}

/** What the page asks for beyond the lever itself: why, and for what can't be taken back, the name of what is hit. */
function problemsBefore(targeted: Targeted): LeverError['fields'] {
  const { ask } = targeted;
  const word = confirmWord(targeted);
  const problems: { field: string; value: unknown; problem: string }[] = [];
  if (ask.reason.trim() === '') {
    problems.push({
      field: 'reason',
      value: '',
      problem: 'Say in a few words why: it is kept with the change.',
    });
  }
  if (word !== null && ask.confirm.trim() !== word) {
    problems.push({ field: 'confirm', value: ask.confirm, problem: `This has to read ${word}.` });
  }
  return problems;
}

function target(deps: AppDeps, c: PageContext, leverName: string, ask: LeverAsk): Targeted {
  const lever = knownLever(leverName);
  const { role, name } = c.get('actor');
  if (!includesRole(role, lever.role)) {
    throw new LeverError('forbidden', `${lever.title} needs the role ${lever.role}, and ${name} is ${role}`);
  }
  const snapshot = knownInstance(deps.watch, ask.instance);
  const names =
    lever.scope === 'instance'
      ? []
      : lever.scope === 'worker'
        ? ask.workers.map((id) => snapshot.workers.find((worker) => worker.id === id)?.label ?? id)
        : ask.match !== null
          ? matchQueues(snapshot, ask.match).map((queue) => queue.name)
          : ask.queues.map((id) => snapshot.queues.find((queue) => queue.id === id)?.name ?? id);
  return { lever, ask, names, role };
}

function requestOf({ lever, ask }: Targeted, dryRun: boolean) {
  return {
    lever: lever.name,
    instance: ask.instance,
    queues: ask.queues,
    ...(ask.match === null ? {} : { match: ask.match }),
    ...(ask.jobId === null ? {} : { jobId: ask.jobId }),
    ...(lever.scope === 'worker' ? { workers: ask.workers } : {}),
    args: argsOf(ask),
    reason: ask.reason,
    dryRun,
  };
}

async function dryRun(
  deps: AppDeps,
  c: PageContext,
  targeted: Targeted,
): Promise<{ readonly shown: PreviewProps; readonly errors: LeverError['fields'] }> {
  try {
    const outcomes: readonly Outcome[] = await deps.runLever(c.get('actor'), requestOf(targeted, true));
    return { shown: previewOf(outcomes, targeted), errors: [] };
  } catch (error) {
    if (!(error instanceof LeverError)) throw error;
    return { shown: previewOfError(error), errors: error.fields };
  }
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
    subject: 'lever',
    liveUrl: null,
  });
  return c.html(<LeverPage chrome={chrome}>{content}</LeverPage>, status);
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
