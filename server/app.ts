import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
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
import { type Authenticate, createGate, type GateEnv } from './routes/gate.js';
import { PICTURE_STYLE } from './routes/incident-picture.js';
import { liveRoutes } from './routes/live.js';
import { healthRoutes, metricsRoutes } from './routes/metrics.js';
import { staticRoutes } from './routes/pages/assets.js';
import { pageRoutes } from './routes/pages/index.js';
import { Problem, problemHandler, problemResponse } from './routes/problem.js';
import { signInRoutes } from './routes/sign-in.js';

interface AppParts {
  readonly config: Config;
  readonly deps: AppDeps;
  /** Called with what was not foreseen: the part, and what it threw. */
  readonly noteFault: (part: string, error: unknown) => void;
  /** The sign-in of the application that the console is part of; null: it is by itself. */
  readonly authenticate?: Authenticate | null;
}

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
  app.onError(problemHandler(noteFault));
  app.notFound((c) =>
    problemResponse(c, new Problem(404, 'not-found', `there is nothing at ${c.req.path.slice(0, 200)}`)),
  );
  app.use(gate.checkHost);
  app.route('/', healthRoutes(deps));
  app.route('/', staticRoutes());
  if (!authenticate) app.route('/', signInRoutes({ ...deps, gate }));
  app.use(gate.identify);
  app.use(gate.checkOrigin);
  app.use(readBody());
  const api = apiRoutes(deps);
  // Before the API, whose own answer for unknown paths would take it.
  app.route('/', liveRoutes(deps));
  app.route('/api/v1', api);
  app.route('/', metricsRoutes(deps));
  app.route('/', pageRoutes(deps));
  return app;
}

/** Address of the other end of the socket; null: there is none, as the request came from the application itself. */
function peerOf(env: unknown): string | null {
  const { incoming } = (env ?? {}) as Partial<HttpBindings>;
  return incoming?.socket?.remoteAddress ?? null;
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
