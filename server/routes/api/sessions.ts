import { z } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import { jsonWriter } from '../../model/json.js';
import type { ChangeBy } from '../../model/role.js';
import { type ListedSession, SessionSchema } from '../../model/session.js';
import type { AppDeps } from '../app-deps.js';
import { type GateEnv, requireRole } from '../gate.js';
import { Problem } from '../problem.js';
import { auditOwn } from './audit.js';
import { apiPart, changeBy, changeQuery, jsonRoute } from './env.js';

type Deps = Pick<AppDeps, 'accounts' | 'sessions' | 'audit' | 'now' | 'newId'>;

/** Whoever is an admin of some queues alone must not learn of others, nor end what they do. */
export const adminOfAll: readonly MiddlewareHandler<GateEnv>[] = [
  requireRole('admin'),
  async (c, next) => {
    const actor = c.get('actor');
    if (actor.grants !== undefined)
      throw new Problem(
        403,
        'forbidden',
        `this needs an admin of everything, and ${actor.name} is bound to some of it`,
      );
    await next();
  },
];

/** More than that many are not listed. */
const MAX_LISTED = 1_000;

/** Who is signed in now, newest first, as API and page list them. */
export async function listSessions(
  { accounts, sessions }: Deps,
  own: string | null,
): Promise<ListedSession[]> {
  const rows = (await sessions.list()).slice(0, MAX_LISTED);
  return rows.flatMap((row) => {
    const identity = accounts.identityOf(row);
    return identity ? [{ ...row, role: identity.role, isOwn: row.id === own }] : [];
  });
}

/** Ends a session, and what it has open within seconds; the audit keeps by whom. @throws Problem 404 */
export async function endSession(deps: Deps, by: ChangeBy, id: string): Promise<void> {
  const row = (await deps.sessions.list()).find((one) => one.id === id);
  if (!row) throw new Problem(404, 'not-found', 'there is no such session: it may have ended');
  if (by.isDryRun) return;
  await deps.sessions.end([id]);
  const { name, address } = row;
  const began = new Date(row.createdAtMs).toISOString();
  const summary = `Ended the session of ${name} that began ${began} at ${address}.`;
  await auditOwn(deps, by, { action: 'session.end', args: { name, address, began }, summary });
}

const byAdmin = { security: [{ bearer: ['admin'] }, { session: ['admin'] }] };
const ListSchema = z.object({ sessions: z.array(SessionSchema) });
const listRoute = jsonRoute('get /sessions', 'Who is signed in, newest first', ListSchema);
const endRoute = jsonRoute('delete /sessions/{id}', 'End a session', z.object({ id: z.string() }), {
  params: z.object({ id: z.string().max(100) }),
  query: changeQuery,
});
const write = jsonWriter(ListSchema);

/** Who is signed in: for admins alone. */
export function sessionsApi(deps: Deps) {
  const api = apiPart();
  api.use('/sessions', ...adminOfAll);
  api.use('/sessions/*', ...adminOfAll);
  api.openapi({ ...listRoute, ...byAdmin }, async (c) =>
    c.json(write({ sessions: await listSessions(deps, c.get('session')) }), 200),
  );
  api.openapi({ ...endRoute, ...byAdmin }, async (c) => {
    const { id } = c.req.valid('param');
    await endSession(deps, changeBy(c, c.req.valid('query').reason), id);
    return c.json({ id }, 200);
  });
  return api;
}
