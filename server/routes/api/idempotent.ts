import { createHash } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import type { AppDeps } from '../../app-deps.js';
import { Problem } from '../problem.js';
import type { ApiEnv } from './env.js';

const MOST_KEY_LETTERS = 200;

/**
 * Idempotency-Key: the first request of an actor with a key is carried out, and its answer kept for 24 hours; a repeat
 * gets that answer and changes nothing. A key belongs to one method, path, query and body.
 */
export function idempotent(deps: AppDeps): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const key = c.req.header('idempotency-key');
    if (key === undefined || c.req.method === 'GET') return next();
    if (key === '' || key.length > MOST_KEY_LETTERS) {
      throw new Problem(422, 'invalid-request', `Idempotency-Key: must be 1 to ${MOST_KEY_LETTERS} letters`);
    }
    const { actor } = c.var;
    const url = new URL(c.req.url);
    const request = [c.req.method, url.pathname, url.search, await c.req.text()].join('\n');
    const fingerprint = createHash('sha256').update(request).digest('hex');
    const claim = await deps.idempotency.claim(actor.name, key, fingerprint, deps.now());
    if (claim.kind === 'under-way')
      throw new Problem(
        409,
        'conflict',
        'a request with this Idempotency-Key is under way: ask again in a moment',
        { 'Retry-After': '1' },
      );
    if (claim.kind === 'other-request')
      throw new Problem(
        422,
        'invalid-request',
        'Idempotency-Key: was used for another request; take a new one',
      );
    if (claim.kind === 'done') {
      return new Response(claim.body, {
        status: claim.status,
        headers: {
          'Content-Type': 'application/json',
          'Cache-Control': 'no-store',
          'Idempotency-Replayed': 'true',
        },
      });
    }
    await next();
    // What was refused for its form changed nothing and may be sent again, corrected, under the same key.
    if (c.res.status >= 200 && c.res.status < 300) {
      await deps.idempotency.finish(actor.name, key, c.res.status, await c.res.clone().text());
    } else {
      await deps.idempotency.release(actor.name, key);
    }
  };
}
