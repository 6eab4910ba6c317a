import { createHash } from 'node:crypto';
import type { Context, MiddlewareHandler } from 'hono';
import type { Claim } from '../../store/idempotency.js';
import type { AppDeps } from '../app-deps.js';
import { isImport } from '../bounded-body.js';
import { Problem } from '../problem.js';
import type { ApiEnv } from './env.js';

const MAX_KEY_CHARS = 200;
/** They set a desired state: twice comes to the same. What POST begins a second time may be there twice. */
const REPEATABLE: readonly string[] = ['PATCH', 'PUT', 'DELETE'];

/**
 * Idempotency-Key: the first request of an actor with a key is carried out, and its answer kept for 24 hours; a repeat
 * gets that answer and changes nothing. A key belongs to one method, path, query and body.
 *
 * Where the console was killed between the two, a change that sets a desired state is carried out again, and of any other
 * the answer is that its end is not known (`outcome-unknown`): never done twice, never "ask again" for a day.
 * A store that can't be written takes no action away: it is applied, and `notRecorded` says that the key protects nothing.
 */
export function idempotent(deps: Pick<AppDeps, 'idempotency' | 'now'>): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const key = c.req.header('idempotency-key');
    if (key === undefined || c.req.method === 'GET') return next();
    if (key === '' || key.length > MAX_KEY_CHARS) {
      throw new Problem(422, 'invalid-request', `Idempotency-Key: must be 1 to ${MAX_KEY_CHARS} characters`);
    }
    const actor = c.var.actor.name;
    const { fingerprint, digest } = await fingerprintOf(c);
    const claim = await deps.idempotency
      .claim(actor, key, fingerprint, deps.now(), REPEATABLE.includes(c.req.method))
      .catch(() => null);
    if (claim !== null && claim.kind !== 'new') return replayed(claim, digest && (await digest.ofRest()));
    let isKept = claim !== null;
    let hasAnswered = false;
    try {
      await next();
      hasAnswered = true;
    } finally {
      // What was refused for its form changed nothing and may be sent again, corrected, under the same key.
      const isDone = hasAnswered && c.res.status >= 200 && c.res.status < 300;
      const { status } = c.res;
      if (claim !== null)
        isKept = await (isDone
          ? deps.idempotency.finish(actor, key, {
              status,
              body: await c.res.clone().text(),
              ...(digest ? { bodyDigest: await digest.ofRest() } : {}),
            })
          : deps.idempotency.release(actor, key)
        ).then(
          () => true,
          () => false,
        );
      if (isDone && !isKept) await addNotRecorded(c);
    }
  };
}

/** The answer to a request that is not carried out. @throws Problem where there is none to give. */
function replayed(claim: Exclude<Claim, { kind: 'new' }>, bodyDigest: string | null): Response {
  if (claim.kind === 'under-way')
    throw new Problem(
      409,
      'conflict',
      'a request with this Idempotency-Key is under way: ask again in a moment',
      {
        'Retry-After': '1',
      },
    );
  if (claim.kind === 'interrupted')
    throw new Problem(
      409,
      'outcome-unknown',
      'the console ended while it carried out the request with this Idempotency-Key: it may be done, or not. Look at what is so now (GET /api/v1/audit has what was completed), and send it with a new key where it is still needed',
    );
  if (claim.kind === 'other-request' || claim.bodyDigest !== bodyDigest)
    throw new Problem(
      422,
      'invalid-request',
      'Idempotency-Key: was used for another request; take a new one',
    );
  return new Response(claim.body, {
    status: claim.status,
    headers: {
      'Content-Type': 'application/json',
      'Cache-Control': 'no-store',
      'Idempotency-Replayed': 'true',
    },
  });
}

interface BodyDigest {
  /** Reads what is left of the body, and gives the SHA-256 of all of it. */
  ofRest(): Promise<string>;
}

/** An import may be as large as the disk allows: it is hashed on its way to whoever reads it, and held by nobody. */
async function fingerprintOf(
  c: Context<ApiEnv>,
): Promise<{ readonly fingerprint: string; readonly digest: BodyDigest | null }> {
  const { method } = c.req;
  const { pathname, search } = new URL(c.req.url);
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
  if (!isImport(c.req.path))
    return {
      fingerprint: sha256([method, pathname, search, await c.req.text()].join('\n')),
      digest: null,
    };
  const hash = createHash('sha256');
  const body = (c.req.raw.body ?? new Blob([]).stream()).pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        hash.update(chunk);
        controller.enqueue(chunk);
      },
    }),
  );
  c.set('importBody', body);
  return {
    fingerprint: sha256([method, pathname, search].join('\n')),
    digest: {
      async ofRest() {
        if (!body.locked) for await (const chunk of body) void chunk;
        return hash.copy().digest('hex');
      },
    },
  };
}

/** Every change answers with an object: one field of it is the same everywhere. */
async function addNotRecorded(c: Context<ApiEnv>): Promise<void> {
  if (!/\bjson\b/.test(c.res.headers.get('content-type') ?? '')) return;
  const body = (await c.res.clone().json()) as { readonly notRecorded?: readonly string[] };
  const notRecorded = [...(body.notRecorded ?? []), 'idempotency-key'];
  c.res = new Response(JSON.stringify({ ...body, notRecorded }), c.res);
}
