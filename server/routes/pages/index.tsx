import { Hono } from 'hono';
import type { AppDeps } from '../../app-deps.js';
import type { GateEnv } from '../../auth/gate.js';

/** Everything a person sees in the browser. */
export function pageRoutes(_deps: AppDeps): Hono<GateEnv> {
  return new Hono<GateEnv>();
}
