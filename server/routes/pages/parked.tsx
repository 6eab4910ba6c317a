import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { actionPath, encodePart, queuePath, replayFormPath } from '../../../views/links.js';
import type { ParkedCardProps } from '../../../views/parked.js';
import { Parked, type ParkedProps } from '../../../views/parked.js';
import { coarseAge, elementId } from '../../../views/words.js';
import { formatBytes, formatCount, formatRate } from '../../model/format.js';
import type { DiskUse, Parking } from '../../model/parking.js';
import { type ParkSkipReason, SKIP_WORDS } from '../../model/parking.js';
import { saidBy } from '../../model/replay-spec.js';
import { includesRole, type Role } from '../../model/role.js';
import { plainName, plainSentence } from '../../model/words.js';
import { auditParking } from '../api/audit.js';
import type { AppDeps } from '../app-deps.js';
import { type GateEnv, requireRole } from '../gate.js';
import { html, type Part, swapPart } from '../live/part.js';
import { Problem } from '../problem.js';

import { controlsOf, DONE, type Done, outcomeInWords } from './parked-controls.js';
import { reasonInWords } from './replay-view-model.js';

/** Who looks, at what, from which page. */
interface ParkedLook {
  readonly role: Role;
  readonly jobDataRole: Role;
  readonly nowMs: number;
  /** The page that it stands on. */
  readonly back: string;
  /** That page is of one queue, which need not be named. */
  readonly isOfQueue: boolean;
  /** What was just done to one of them; null: nothing. */
  readonly last: { readonly parking: string; readonly done: Done } | null;
}

/** Parkings as the page shows them. Pure. */
function parkedPropsOf(parkings: readonly Parking[], disk: DiskUse, look: ParkedLook): ParkedProps {
  const last = parkings.find(({ id }) => id === look.last?.parking);
  return {
    outcome: look.last && last ? `${titleOf(last, look)}: ${outcomeInWords(look.last.done, last)}` : null,
    cards: parkings.map((parking) => parkedCardOf(parking, look)),
    disk: `Parked jobs of all queues take ${formatBytes(disk.usedBytes)} of the ${formatBytes(disk.maxBytes)} that they may; the disk has ${formatBytes(disk.freeBytes)} free.`,
  };
}

/** One parking as a card. Pure. */
function parkedCardOf(parking: Parking, look: ParkedLook): ParkedCardProps {
  const { id, instance, queue, remaining } = parking;
  const mayAct = includesRole(look.role, 'operator');
  const isComingBack = parking.phase === 'restore' && parking.state === 'running';
  const rests = mayAct && remaining > 0 && parking.state !== 'running';
  return {
    id: elementId('parking', id),
    title: titleOf(parking, look),
    queueHref: look.isOfQueue ? null : queuePath(instance, queue),
    when: `${coarseAge(Math.max(0, look.nowMs - parking.startedAtMs) / 1000)} ago`,
    why: [saidBy(plainName(parking.actor), plainSentence(parking.reason)), leftInWords(parking)]
      .filter((text) => text !== '')
      .join('. '),
    ...stateOf(parking),
    reason: reasonInWords(parking.paceReason ?? parking.because ?? ''),
    progress: progressOf(parking, isComingBack),
    account: accountOf(parking),
    controls: mayAct ? controlsOf(parking, look.back) : null,
    restoreHref: rests
      ? actionPath({ action: 'queue.unpark', instance, queues: [queue], args: { parking: id } })
      : null,
    replayHref: rests ? replayFormPath({ instance, queue, from: 'parked' }) : null,
    exportHref:
      includesRole(look.role, look.jobDataRole) && remaining > 0
        ? `/api/v1/parkings/${encodePart(id)}.ndjson`
        : null,
  };
}

function titleOf({ jobTypes, queue }: Parking, { isOfQueue }: ParkedLook): string {
  const types = jobTypes === null ? 'All types' : jobTypes.map(plainName).join(', ');
  return isOfQueue ? types : `${types} of ${plainName(queue)}`;
}

function stateOf(parking: Parking): Pick<ParkedCardProps, 'state' | 'icon' | 'stateWord'> {
  const { phase, state, pausedBy, remaining, restored } = parking;
  if (state === 'paused' && pausedBy === 'guard')
    return { state: 'critical', icon: 'paused', stateWord: 'paused by the guard' };
  if (state === 'paused')
    return {
      state: 'warning',
      icon: 'paused',
      stateWord: pausedBy === 'policy' ? 'held by the policy' : 'paused',
    };
  if (state === 'aborted') return { state: 'info', icon: 'paused', stateWord: 'aborted' };
  if (state === 'running' && phase === 'restore')
    return { state: 'calm', icon: 'flowing', stateWord: `comes back${paceInWords(parking)}` };
  if (state === 'running') return { state: 'calm', icon: 'flowing', stateWord: 'is being parked' };
  const isBack = remaining === 0 && restored > 0;
  return { state: 'calm', icon: 'calm', stateWord: isBack ? 'back' : 'parked' };
}

function paceInWords({ pacePerSecond, ratePerSecond }: Parking): string {
  if (pacePerSecond === null) return '';
  const set =
    ratePerSecond !== null && ratePerSecond > pacePerSecond ? ` of ${formatRate(ratePerSecond)}` : '';
  return pacePerSecond === 0
    ? `, at rest${set === '' ? '' : ` (0${set})`}`
    : ` at ${formatRate(pacePerSecond)}${set}`;
}

function progressOf(parking: Parking, isComingBack: boolean): ParkedCardProps['progress'] {
  const { phase, parked, remaining, pacePerSecond } = parking;
  if (phase === 'park' && parking.restored === 0) return null;
  const done = parked - remaining;
  const left = isComingBack && pacePerSecond ? ` · about ${coarseAge(remaining / pacePerSecond)} to go` : '';
  return { done, total: parked, text: `${formatCount(done)} of ${formatCount(parked)} off the disk${left}` };
}

function accountOf(parking: Parking): ParkedCardProps['account'] {
  const { parked, freedBytes, remaining, restored, existed, fellBack } = parking;
  const there = existed + fellBack;
  const held = parked === 0 ? 0 : (freedBytes * remaining) / parked;
  return [
    ['parked', formatCount(parked)],
    ['freed in Redis', formatBytes(freedBytes)],
    ['back', formatCount(restored)],
    ...(there > 0 ? [['were there already', formatCount(there)]] : []),
    ['on disk', formatCount(remaining)],
    ...(remaining > 0 ? [['would take in Redis', `about ${formatBytes(held)}`]] : []),
  ].map(([label = '', value = '']) => ({ label, value }));
}

function leftInWords({ skipped }: Parking): string {
  const left = (Object.entries(skipped) as [ParkSkipReason, number][]).map(
    ([reason, jobs]) => `${formatCount(jobs)} ${SKIP_WORDS[reason]}`,
  );
  return left.length === 0 ? '' : `Left in Redis: ${left.join(', ')}`;
}

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

/** @throws Problem for a button that is none of ours, ActionError for an order that can't be. */
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
