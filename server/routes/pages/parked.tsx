import { type Context, Hono } from 'hono';
import { z } from 'zod';
import {
  PARKING_ORDERS,
  Parked,
  type ParkedProps,
  type ParkingOrder,
  parkingOrderInWords,
} from '../../../views/parked.js';
import type { Role } from '../../model/role.js';
import { auditParking } from '../api/audit.js';
import type { AppDeps } from '../app-deps.js';
import { type GateEnv, requireRole } from '../gate.js';
import { html, type Part, swapPart } from '../live/hub.js';
import { Problem } from '../problem.js';

/** Parkings that are shown; the API has all. */
const MAX_SHOWN = 20;
/** The file is asked once for all who look. */
const READ_EVERY_MS = 900;

/** Which parkings a page shows, to whom. */
export interface ParkedPlace {
  readonly role: Role;
  readonly back: string;
  /** null: of all queues. */
  readonly of: { readonly instance: string; readonly queue: string } | null;
}

/** What is parked, newest first. Without a place to park there is nothing to show. */
export async function parkedOf(deps: AppDeps, { role, back, of }: ParkedPlace): Promise<ParkedProps> {
  const { parkings: desk, jobDataRole } = deps;
  const look = { role, jobDataRole, nowMs: deps.now(), back, isOfQueue: of !== null };
  const parkings = await desk.list({ ...(of ?? {}), limit: MAX_SHOWN });
  return { parkings, disk: parkings.length === 0 ? null : await desk.disk(), look };
}

/**
 * The same as a part of a live page. Rendering waits for nothing and the file has to be waited for: so each rendering sends
 * what was read last, and has it read again.
 */
export function parkedLive(deps: AppDeps, place: ParkedPlace): () => readonly Part[] {
  const latest = lastRead(deps.now, () => parkedOf(deps, place));
  return () => {
    const parked = latest();
    return parked === null ? [] : [swapPart('parked', html(<Parked {...parked} />))];
  };
}

/** What was read last, and has it read again; null: nothing yet. */
function lastRead<T>(now: () => number, read: () => Promise<T>): () => T | null {
  let latest: T | null = null;
  let readAtMs = Number.NEGATIVE_INFINITY;
  return () => {
    if (now() - readAtMs >= READ_EVERY_MS) {
      readAtMs = now();
      read().then(
        (found) => {
          latest = found;
        },
        // A disk that can't be read now: what is shown stays, and is tried again.
        () => undefined,
      );
    }
    return latest;
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

/** @throws Problem for a button that is none of ours, ActionError for an order that can't be. */
async function order(deps: AppDeps, c: Context<GateEnv>, id: string): Promise<Response> {
  const { back, ...form } = await c.req.parseBody();
  const parsed = OrderSchema.safeParse(form);
  if (!parsed.success)
    throw new Problem(422, 'invalid-request', 'the rate must be a number above 0 and at most 100,000');
  const { data } = parsed;
  const patch = 'guard' in data ? { guard: data.guard === 'on' } : data;
  const done: ParkingOrder = 'state' in data ? data.state : 'guard' in data ? 'guard' : 'rate';
  const parking = await deps.parkings.change(id, patch);
  await auditParking(
    deps,
    c.get('actor'),
    'by hand, on the page',
    parking,
    parkingOrderInWords(done, parking),
  );
  const page = typeof back === 'string' && /^\/i\/[^/\\]+\/q\/[^/\\]+$/.test(back) ? back : '/replays';
  return c.redirect(`${page}?${new URLSearchParams({ parking: id, done })}#parked-outcome`, 303);
}

/** What was just done to a parking, from the address that its button led to; null: nothing. */
export function lastOfParked({ parking, done }: Readonly<Record<string, string | undefined>>) {
  const order = PARKING_ORDERS.find((name) => name === done);
  return parking === undefined || order === undefined ? null : { parking, order };
}
