import { Hono } from 'hono';
import type { AppDeps } from '../app-deps.js';
import type { GateEnv } from '../auth/gate.js';

/** /live for pages and /api/v1/live for automation. */
export function liveRoutes(_deps: AppDeps): Hono<GateEnv> {
  return new Hono<GateEnv>();
}

/** Ends all streams. */
export function closeLive(): void {}
