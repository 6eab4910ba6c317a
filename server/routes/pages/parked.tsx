import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { Parked, type ParkedProps } from '../../../views/parked.js';
import type { Role } from '../../model/role.js';
import { auditParking } from '../api/audit-parking.js';
import type { AppDeps } from '../app-deps.js';
import { type GateEnv, requireRole } from '../gate.js';
import { type Part, swapPart } from '../live/part.js';
import { Problem } from '../problem.js';
import { html } from './overview.js';
import { DONE, type Done, outcomeInWords } from './parked-controls.js';
import { parkedPropsOf } from './parked-view-model.js';

/** Parkings that are shown; the API has all. */
const MAX_SHOWN = 20;
/** The file is asked once for all who look. */
const READ_EVERY_MS = 900;
const NOTHING: ParkedProps = { cards: [], disk: '', outcome: null };

/** Which parkings a page shows, to whom. */
export interface ParkedPlace {
  readonly role: Role;
  readonly back: string;
  /** null: of all queues. */
  readonly of: { readonly instance: string; readonly queue: string } | null;
}

/** What is parked, newest first. Without a place to park there is nothing to show. */
export async function parkedOf(
  deps: AppDeps,
  { role, back, of }: ParkedPlace,
  query: Readonly<Record<string, string | undefined>> = {},
): Promise<ParkedProps> {
  if (deps.parkings.problem !== null) return NOTHING;
  const parkings = await deps.parkings.list({ ...(of ?? {}), limit: MAX_SHOWN });
  if (parkings.length === 0) return NOTHING;
  return parkedPropsOf(parkings, await deps.parkings.disk(), {
    role,
    jobDataRole: deps.jobDataRole,
    nowMs: deps.now(),
    back,
    isOfQueue: of !== null,
    last: lastOf(query),
  });
}

/**
 * The same as a part of a live page. Rendering waits for nothing and the file has to be waited for: so each rendering sends
 * what was read last, and has it read again.
 */
export function parkedLive(deps: AppDeps, place: ParkedPlace): () => readonly Part[] {
  let latest: ParkedProps | null = null;
  let readAtMs = 0;
  return () => {
    const nowMs = deps.now();
    if (nowMs - readAtMs >= READ_EVERY_MS) {
      readAtMs = nowMs;
      parkedOf(deps, place).then(
        (props) => {
          latest = props;
        },
        // A disk that can't be read now: what is shown stays, and is tried again.
        () => undefined,
      );
    }
    return latest === null ? [] : [swapPart('parked', html(<Parked {...latest} />))];
  };
}

const OrderSchema = z.union([
  z.strictObject({ state: z.enum(['running', 'paused', 'aborted']) }),
  z.strictObject({ guard: z.enum(['on', 'off']) }),
  z.strictObject({ ratePerSecond: z.coerce.number().positive().max(100_000) }),
]);

/** The buttons of parkings; they act by the same functions as the API. */
export function parkedRoutes(deps: AppDeps): Hono<GateEnv> {
  const routes = new Hono<GateEnv>();
  routes.post('/parkings/:id/order', requireRole('operator'), async (c) => order(deps, c, c.req.param('id')));
  return routes;
}

/** @throws Problem for a button that is none of ours, ParkingError for an order that can't be. */
async function order(deps: AppDeps, c: Context<GateEnv>, id: string): Promise<Response> {
  const { back, ...form } = await c.req.parseBody();
  const parsed = OrderSchema.safeParse(form);
  if (!parsed.success)
    throw new Problem(422, 'invalid-request', 'the rate must be a number above 0 and at most 100,000');
  const { data } = parsed;
  const patch = 'guard' in data ? { guard: data.guard === 'on' } : data;
  const done: Done = 'state' in data ? data.state : 'guard' in data ? 'guard' : 'rate';
  const parking = await deps.parkings.change(id, patch);
  await auditParking(deps, c.get('actor'), 'by hand, on the page', parking, outcomeInWords(done, parking));
  const page = typeof back === 'string' && /^\/i\/[^/\\]+\/q\/[^/\\]+$/.test(back) ? back : '/replays';
  return c.redirect(`${page}?${new URLSearchParams({ parking: id, done })}#parked-outcome`, 303);
}

function lastOf({ parking, done }: Readonly<Record<string, string | undefined>>) {
  const known = DONE.find((name) => name === done);
  return parking === undefined || known === undefined ? null : { parking, done: known };
}
