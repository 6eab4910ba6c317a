import { type Context, Hono } from 'hono';
import { replayPath } from '../../../views/links.js';
import { RecoveryStrip } from '../../../views/recovery-strip.js';
import type { ReplayLook } from '../../../views/replay.js';
import { ReplayList } from '../../../views/replay.js';
import type { ReplayFormProps, ReplayValues } from '../../../views/replay-form.js';
import { ReplayPreview } from '../../../views/replay-preview.js';
import { ReplayQueueList } from '../../../views/replay-queues.js';
import { ReplayAbort, ReplayNow, ReplayPage, ReplaysPage } from '../../../views/replays-page.js';
import { ActionError } from '../../model/action.js';
import { includesRole, type Role } from '../../model/role.js';
import { changeAllReplays } from '../../replay/replay-queues.js';
import { dryRunJson, requireSeen } from '../api/replays.js';
import type { AppDeps } from '../app-deps.js';
import { type GateEnv, requireRole } from '../gate.js';
import type { LiveView } from '../live/hub.js';
import { html, swapPart } from '../live/hub.js';
import { Problem } from '../problem.js';
import { actionOf } from './audit.js';
import { chromeOf } from './chrome.js';
import { frameParts } from './overview.js';
import { lastOfParked, type ParkedPlace, parkedLive, parkedOf } from './parked.js';
import {
  keepReceipt,
  orderToAll,
  receiptFor,
  replayAskOf,
  replayOrderOf,
  untilSeen,
} from './replay-orders.js';

/** Of replays since it began: those of others are left out. */
const MAX_AUDITED = 200;
const FIRST_VALUES = { from: 'failed', order: 'oldest', ratePerSecond: '50' };

type PageContext = Context<GateEnv>;

/** The page of replays, its form, and its buttons; they act by the same functions as the API. */
export function replayRoutes(deps: AppDeps): Hono<GateEnv> {
  const routes = new Hono<GateEnv>();
  routes.get('/replays', (c) => page(deps, c, { ...FIRST_VALUES, ...c.req.query() }, []));
  routes.post('/replays', requireRole('operator'), async (c) => start(deps, c, await valuesOf(c)));
  // It changes nothing, so its address can be passed on and loaded again.
  routes.get('/replays/look', requireRole('operator'), (c) =>
    look(deps, c, { ...FIRST_VALUES, ...c.req.query() }),
  );
  routes.post('/replays/all', requireRole('operator'), async (c) => {
    const values = await valuesOf(c);
    const { label, order, selection } = orderToAll(deps, values);
    const actor = c.get('actor');
    const outcomes = await changeAllReplays(deps, actor, selection, order, false);
    await untilSeen(deps, outcomes, order);
    return c.redirect(keepReceipt(deps.newId(), actor, { label, outcomes }, backOf(values)), 303);
  });
  routes.post('/replays/:id/order', requireRole('operator'), async (c) => {
    const values = await valuesOf(c);
    const actor = c.get('actor');
    const outcome = await deps.replays.change(actor, c.req.param('id'), replayOrderOf(values));
    const receipt = { label: 'Replay', outcomes: [outcome] };
    return c.redirect(keepReceipt(deps.newId(), actor, receipt, backOf(values)), 303);
  });
  routes.get('/replays/:id', async (c) => {
    const view = replayOf(deps, c);
    const { id, createdAtMs, instance } = view.record;
    const { role } = c.get('actor');
    const nowMs = deps.now();
    const query = { action: 'replay', instance, sinceMs: createdAtMs, limit: MAX_AUDITED };
    const records = (await deps.audit.list(query)).filter(({ args }) => args.replay === id);
    const chrome = frameOf(deps, c, 'Replay', `replay&id=${encodeURIComponent(id)}`);
    const actions = records.map((record) => actionOf(record, role, nowMs));
    const look = { role, nowMs, back: replayPath(id) };
    const receipt = receiptFor(c.get('actor'), c.req.query('receipt'));
    return c.html(<ReplayPage {...{ chrome, view, look, receipt, actions }} />);
  });
  routes.get('/replays/:id/abort', requireRole('operator'), (c) => {
    const view = replayOf(deps, c);
    return c.html(<ReplayAbort chrome={frameOf(deps, c, 'Abort a replay', 'frame')} view={view} />);
  });
  return routes;
}

function replayOf(deps: AppDeps, c: PageContext) {
  const id = c.req.param('id') ?? '';
  const view = deps.replays.get(id);
  if (!view) throw new Problem(404, 'not-found', `there is no replay ${id.slice(0, 100)}`);
  return view;
}

/** What changes on the page of one replay. */
export function replayLive(deps: AppDeps, role: Role, id: string): LiveView {
  return {
    key: `replay|${role}|${id}`,
    render: () => {
      const look = { role, nowMs: deps.now(), back: replayPath(id) };
      return [
        ...frameParts(deps, look.nowMs, 'Replay'),
        swapPart('replay-now', html(<ReplayNow view={deps.replays.get(id)} look={look} />)),
      ];
    },
  };
}

/** What changes on the page of replays: also those that begin or are forgotten elsewhere. */
export function replaysLive(deps: AppDeps, role: Role): LiveView {
  const parked = parkedLive(deps, parkedPlace(role));
  return {
    key: `replays|${role}`,
    render: () => {
      const nowMs = deps.now();
      const [replays, replayQueues] = [deps.replays.list(), deps.replayQueues.list()];
      const look: ReplayLook = { role, nowMs, back: '/replays' };
      const strip = { replays, replayQueues, held: [], role, back: '/replays' };
      return [
        ...frameParts(deps, nowMs, 'Replays'),
        swapPart('recovery', html(<RecoveryStrip {...strip} />)),
        swapPart('replay-queue-list', html(<ReplayQueueList queues={replayQueues} role={role} />)),
        swapPart('replays', html(<ReplayList replays={replays} look={look} />)),
        ...parked(),
      ];
    },
  };
}

/** All that is parked, on the page of replays. */
function parkedPlace(role: Role): ParkedPlace {
  return { role, back: '/replays', of: null };
}

async function look(deps: AppDeps, c: PageContext, values: ReplayValues): Promise<Response> {
  const ask = replayAskOf(values);
  if (!ask.body) return page(deps, c, values, ask.problems);
  const { instance, queues, match, ...spec } = ask.body;
  const form = formOf(deps, c, values, []);
  requireSeen(spec.filter, form.showsData);
  try {
    const taken = await deps.replays.dryRun({ instance, queues, match, spec });
    const json = dryRunJson(taken, spec, form.showsData, deps.watch.snapshot(instance));
    const found = { ...taken, ...json, sample: taken.sample };
    const chrome = frameOf(deps, c, 'Preview of a replay', 'frame');
    return c.html(<ReplayPreview chrome={chrome} view={{ found, instance, form, nowMs: deps.now() }} />);
  } catch (error) {
    if (!(error instanceof ActionError)) throw error;
    return page(deps, c, values, [error.message]);
  }
}

async function start(deps: AppDeps, c: PageContext, values: ReplayValues): Promise<Response> {
  const ask = replayAskOf(values);
  if (!ask.body) return page(deps, c, values, ask.problems);
  const { instance, queues, match, ...spec } = ask.body;
  requireSeen(spec.filter, formOf(deps, c, values, []).showsData);
  try {
    await deps.replays.begin(c.get('actor'), { instance, queues, match, spec });
    return c.redirect('/replays', 303);
  } catch (error) {
    if (!(error instanceof ActionError)) throw error;
    return page(deps, c, values, [error.message]);
  }
}

async function page(
  deps: AppDeps,
  c: PageContext,
  values: ReplayValues,
  problems: readonly string[],
): Promise<Response> {
  const actor = c.get('actor');
  const view = {
    look: { role: actor.role, nowMs: deps.now(), back: '/replays' },
    receipt: receiptFor(actor, c.req.query('receipt')),
    replays: deps.replays.list(),
    replayQueues: deps.replayQueues.list(),
    groups: Object.keys(deps.groups),
    parked: await parkedOf(deps, parkedPlace(actor.role)),
    lastOfParked: lastOfParked(c.req.query()),
    form: formOf(deps, c, values, problems),
  };
  const content = <ReplaysPage chrome={frameOf(deps, c, 'Replays', 'replays')} view={view} />;
  return c.html(content, problems.length > 0 ? 422 : 200);
}

function frameOf(deps: AppDeps, c: PageContext, subject: string, live: string) {
  const frame = { actor: c.get('actor'), nowMs: deps.now(), current: '/replays', subject };
  return chromeOf(deps, { ...frame, liveUrl: `/live?view=${live}` });
}

function formOf(
  deps: AppDeps,
  c: PageContext,
  values: ReplayValues,
  problems: readonly string[],
): ReplayFormProps {
  const instances = deps.watch.snapshots().map(({ instance }) => instance);
  return { instances, values, problems, showsData: includesRole(c.get('actor').role, deps.jobDataRole) };
}

/** One of our pages, whatever is sent. */
function backOf({ back }: ReplayValues): string {
  return back === '/' || back === '/queues' || /^\/replays\/[\w-]+$/.test(back ?? '')
    ? String(back)
    : '/replays';
}

async function valuesOf(c: PageContext): Promise<ReplayValues> {
  const form = await c.req.parseBody();
  return Object.fromEntries(
    Object.entries(form).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
