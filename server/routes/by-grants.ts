import { type Context, Hono, type MiddlewareHandler } from 'hono';
import { roleOn } from '../model/grants.js';
import { READ_ONLY } from '../model/permits.js';
import { type Actor, includesRole } from '../model/role.js';
import type { AppDeps } from './app-deps.js';
import { callersView } from './callers-view.js';
import type { GateEnv } from './gate.js';
import { Problem, problemHandler } from './problem.js';

type Build = (deps: AppDeps) => Hono<GateEnv>;
type NoteFault = Parameters<typeof problemHandler>[0];

/** Grants that differ, for which routes are held; those asked for longest ago go first, and come back when they are. */
const MAX_VIEWS = 100;

/** Who is bound to some of what is watched has routes over that alone: no page, stream or answer of theirs is made from more. */
export function byGrants(deps: AppDeps, build: Build, noteFault: NoteFault): MiddlewareHandler<GateEnv> {
  const views = new Map<string, Hono<GateEnv>>();
  const viewOf = ({ role, grants }: Actor): Hono<GateEnv> => {
    const key = JSON.stringify([role, grants]);
    const view = views.get(key) ?? boundRoutes(seenBy(deps, { role, grants }), build, noteFault);
    views.delete(key);
    views.set(key, view);
    const [oldest] = views.keys();
    if (views.size > MAX_VIEWS && oldest !== undefined) views.delete(oldest);
    return view;
  };
  return async (c, next) => {
    const actor = c.get('actor');
    if (deps.isReadOnly && c.req.method !== 'GET' && c.req.method !== 'HEAD')
      throw new Problem(403, 'forbidden', READ_ONLY);
    if (actor.grants === undefined && !deps.isReadOnly) return next();
    return viewOf(actor).fetch(c.req.raw, { ...(c.env as object), outer: c });
  };
}

/** What somebody sees. Where nothing can be changed they are viewers, who see job data as they otherwise would. */
function seenBy(deps: AppDeps, who: Pick<Actor, 'role' | 'grants'>): AppDeps {
  const { grants, role } = who;
  const roles = grants?.map((grant) => grant.role) ?? [role];
  const showsData = roles.every((one) => includesRole(one, deps.jobDataRole));
  const seen: AppDeps = deps.isReadOnly ? { ...deps, jobDataRole: showsData ? 'viewer' : 'admin' } : deps;
  return grants === undefined ? seen : callersView(seen, who);
}

/** The routes of somebody whose role is bound. Where a request is about one queue, their role is what it is there. */
function boundRoutes(view: AppDeps, build: Build, noteFault: NoteFault): Hono<GateEnv> {
  const routes = new Hono<GateEnv>({ getPath: (_, options) => outerOf(options?.env).req.path });
  routes.onError(problemHandler(noteFault));
  routes.use(async (c, next) => {
    const outer = outerOf(c.env);
    const actor = outer.get('actor');
    const place = queueOf(c, view);
    const role = place && roleOn(actor, place.instance, place.queue);
    // No control is drawn for whoever is a viewer.
    c.set('actor', { ...actor, role: view.isReadOnly ? 'viewer' : (role ?? actor.role) });
    for (const name of ['origin', 'session', 'isOver', 'requestId'] as const)
      c.set(name as 'origin', outer.get(name as 'origin'));
    await next();
    outer.error = c.error;
  });
  return routes.route('/', build(view));
}

/** What the gate has made of a request, before it came here. */
function outerOf(env: unknown): Context<GateEnv> {
  return (env as { readonly outer: Context<GateEnv> }).outer;
}

/** The queue that a request is about, by its path or, of a stream, its query; null: none, or several. */
function queueOf(
  c: Context,
  { watch }: AppDeps,
): { readonly instance: string; readonly queue: string } | null {
  const [, ofPage = '', is, ofIs = ''] = /^\/i\/([^/]+)\/([qw])\/([^/]+)/.exec(c.req.path) ?? [];
  const [, ofApi = '', asked = ''] = /^\/api\/v1\/instances\/([^/]+)\/queues\/([^/]+)/.exec(c.req.path) ?? [];
  const { instance: ofQuery = '', queue = '', worker = '' } = c.req.path === '/live' ? c.req.query() : {};
  const instance = decoded(ofPage || ofApi) || ofQuery;
  const name = decoded((is === 'q' && ofIs) || asked) || queue;
  const pid = decoded((is === 'w' && ofIs) || '') || worker;
  const snapshot = watch.snapshot(instance);
  const found =
    snapshot?.queues.find(({ id }) => id === name) ??
    snapshot?.queues.find((one) => one.name === name) ??
    snapshot?.queues.find(({ id }) => snapshot.workers.some((one) => one.id === pid && one.queueId === id));
  return found ? { instance, queue: found.id } : null;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
