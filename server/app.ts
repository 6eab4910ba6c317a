import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { compress } from 'hono/compress';
import { requestId } from 'hono/request-id';
import { secureHeaders } from 'hono/secure-headers';
import { getPath } from 'hono/utils/url';
import { originReader, withoutBase } from './auth/request-origin.js';
import type { Config } from './config/config.js';
import { apiRoutes } from './routes/api/index.js';
import type { AppDeps } from './routes/app-deps.js';
import { underBase } from './routes/base-path.js';
import { endUnread, readBody } from './routes/bounded-body.js';
import { byGrants } from './routes/by-grants.js';
import { type Authenticate, createGate, type GateEnv } from './routes/gate.js';
import { PICTURE_STYLE } from './routes/incident-picture.js';
import { liveRoutes } from './routes/live.js';
import { healthRoutes, metricsRoutes } from './routes/metrics.js';
import { staticRoutes } from './routes/pages/assets.js';
import { pageRoutes } from './routes/pages/index.js';
import { problemPage } from './routes/pages/problem.js';
import { Problem, problemHandler } from './routes/problem.js';
import { signInRoutes } from './routes/sign-in.js';

interface AppParts {
  readonly config: Config;
  readonly deps: AppDeps;
  /** Called with what was not foreseen: the part, and what it threw. */
  readonly noteFault: (part: string, error: unknown) => void;
  /** The sign-in of the application that the console is part of; null: it is by itself. */
  readonly authenticate?: Authenticate | null;
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** Puts the parts together: what everyone may see, then the gate, then everything else. */
export function createApp({ config, deps, noteFault, authenticate = null }: AppParts): Hono<GateEnv> {
  const gate = createGate({ ...deps, config, authenticate });
  const readOrigin = originReader(config);
  const originOf = (request: Request, env: unknown) => readOrigin(request, peerOf(env));
  const app = new Hono<GateEnv>({
    getPath: (request, options) =>
      withoutBase(getPath(request), [originOf(request, options?.env).base, config.basePath]),
  });
  app.use(async (c, next) => {
    c.set('origin', originOf(c.req.raw, c.env));
    await next();
  });
  app.use(endUnread());
  app.use(requestId());
  app.use(secureHeaders(HEADERS));
  app.use(compress());
  app.use(underBase());
  const answer = problemHandler(
    noteFault,
    problemPage(deps, { publicUrl: config.publicUrl, hasSignIn: !authenticate }),
  );
  app.onError(answer);
  app.notFound((c) => answer(nothingAt(app, c), c));
  // Before the host is looked at: a page that says it is wrong looks like one of ours.
  app.route('/', staticRoutes());
  app.use(gate.checkHost);
  app.route('/', healthRoutes(deps));
  if (!authenticate) app.route('/', signInRoutes({ ...deps, gate }));
  app.use(gate.identify);
  app.use(gate.checkOrigin);
  app.use(readBody());
  app.use(byGrants(deps, routesOver, noteFault));
  app.route('/', routesOver(deps));
  return app;
}

/** No such path, or one that takes other methods only. */
function nothingAt({ router }: Hono<GateEnv>, { req: { method, path } }: Context): Problem {
  const shown = path.slice(0, 200);
  const taken = METHODS.filter((one) =>
    router.match(one, path)[0].some(([[, route]]) => route.method === one),
  );
  if (taken.length === 0) return new Problem(404, 'not-found', `there is nothing at ${shown}`);
  const Allow = taken.join(', ');
  return new Problem(405, 'method-not-allowed', `${shown} takes ${Allow}, and not ${method}`, { Allow });
}

/** Address of the other end of the socket; null: there is none, as the request came from the application itself. */
function peerOf(env: unknown): string | null {
  const { incoming } = (env ?? {}) as Partial<HttpBindings>;
  return incoming?.socket?.remoteAddress ?? null;
}

/** All that is behind the gate, over what somebody sees. */
function routesOver(deps: AppDeps): Hono<GateEnv> {
  const api = apiRoutes(deps);
  // The live part before the API, whose own answer for unknown paths would take it.
  return new Hono<GateEnv>()
    .route('/', liveRoutes(deps))
    .route('/api/v1', api)
    .route('/', metricsRoutes(deps))
    .route('/', pageRoutes(deps));
}

/** Nothing inline but a picture's looks, nothing from elsewhere. No HSTS: the console often runs on plain HTTP behind a tunnel. */
const HEADERS: Parameters<typeof secureHeaders>[0] = {
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'", PICTURE_STYLE],
    imgSrc: ["'self'", 'data:'],
    connectSrc: ["'self'"],
    fontSrc: ["'self'"],
    formAction: ["'self'"],
    baseUri: ["'none'"],
    frameAncestors: ["'none'"],
  },
  strictTransportSecurity: false,
  referrerPolicy: 'same-origin',
};
