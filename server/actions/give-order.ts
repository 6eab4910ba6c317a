import {
  EVERY_WORKER,
  type KeptOrders,
  keptOrderKey,
  type Order,
  type OrderedAct,
  type OrderedValue,
  type OrderHead,
  type SettingOrder,
  type WorkerAnswer,
} from '../../agent/protocol.js';
import type { WorkerResult } from '../model/action.js';
import { ActionError, Unconfirmed } from '../model/action.js';
import type { Snapshot } from '../model/snapshot.js';
import type { Override, WorkerState } from '../model/worker.js';
import {
  type GivenOrder,
  giveBack,
  keepOverrides,
  MAX_OVERRIDES,
  readOverrides,
  takeAllOverrides,
  takeOverrides,
} from '../redis/overrides.js';
import { describeRefusal } from '../redis/problems.js';
import type { ActionContext } from './action.js';
import { ANSWER_WITHIN_MS, refusedByAll, resultOf } from './order-answers.js';
import { handleOf, targetQueue, whyNoWrites } from './queue-target.js';

/** Who has not beaten for so long is not expected to answer. */
const LISTENING_MS = 10_000;
/** A console that has heard for so long knows every worker that is there. */
const KNOWS_ALL_MS = 60_000;
/** Ids of workers, as attach makes them; names hold an @. */
const WORKER_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Workers of the queue that hear orders. Pure. */
export function listeners(queueId: string, snapshot: Snapshot, nowMs: number): readonly WorkerState[] {
  return snapshot.workers.filter(
    (worker) =>
      worker.queueId === queueId &&
      worker.agent !== null &&
      worker.isConnected !== false &&
      nowMs - worker.agent.lastBeatAtMs < LISTENING_MS,
  );
}

/** Why nothing can be said to agents here; null where it can. Pure. */
export function whyDeaf(snapshot: Snapshot): string | null {
  const refusal = whyNoWrites(snapshot);
  if (refusal !== null) return refusal;
  if (snapshot.hearing.status === 'hearing') return null;
  return `the console does not hear agents now${snapshot.hearing.problem ? ` (${snapshot.hearing.problem})` : ''}`;
}

/** Why orders can't be given here; null where they can. Pure. */
export function whyNoOrders({ snapshot, target }: Pick<ActionContext, 'snapshot' | 'target'>): string | null {
  const refusal = whyDeaf(snapshot);
  if (refusal !== null) return refusal;
  if (target.worker && target.worker.agent === null)
    return `${target.worker.label} has no agent: add attach(worker) from spillway-agent to its process; until then use the queue's global concurrency, rate limit or pause`;
  if (target.queue && !snapshot.workers.some((one) => one.queueId === target.queue?.id && one.agent !== null))
    return `no worker of ${target.queue.name} has the agent: add attach(worker) from spillway-agent to their process; until then use the queue's global concurrency, rate limit or pause`;
  return null;
}

/** Orders that the queue keeps, as they stand in Redis now: a Snapshot may be a second older. @throws what Redis says. */
export function overridesOf(context: ActionContext): Promise<readonly Override[]> {
  return readOverrides(handleOf(context), context.nowMs);
}

/**
 * Keeps an order, publishes it, and gathers the answers. One that every worker refuses, or that Redis does not let out, is
 * taken away again, so that all is as it was.
 * @param scopes what it is kept under; several only for what takes orders back.
 * @param untilMs when it ends; null: when it is taken back.
 * @throws ActionError when every worker refuses, or too many are kept; what Redis says.
 */
export async function giveOrder(
  context: ActionContext,
  value: OrderedValue,
  scopes: readonly string[],
  untilMs: number | null,
): Promise<readonly WorkerResult[]> {
  const { worker } = context.target;
  const handle = handleOf(context);
  const given = scopes.map((scope) => sign(context, value, scope, untilMs));
  // Kept first: a worker that starts between the two finds it.
  let former = await keepOverrides(handle, given, context.nowMs);
  if (former === null && (await dropEnded(context)))
    former = await keepOverrides(handle, given, context.nowMs);
  if (former === null)
    throw new ActionError(
      'unavailable',
      `${targetQueue(context).name} keeps ${MAX_OVERRIDES} orders already, which is the most: revert workers that need theirs no more, or all of the queue; nothing was changed`,
    );
  const expected = worker ? [worker] : listeners(targetQueue(context).id, context.snapshot, context.nowMs);
  return deliver(context, given, await replaced(context, given, former), expected);
}

/** What orders have taken the place of. */
interface Former {
  readonly kept: KeptOrders;
  /** Of them, those that a console with this store has given: to be noted again where they are put back. */
  readonly known: readonly Order[];
}

/** Notes what is kept now, and what is not any more. */
async function replaced(
  context: ActionContext,
  given: readonly GivenOrder[],
  kept: KeptOrders,
): Promise<Former> {
  const ids = Object.values(kept).flatMap(({ body }) => idIn(body) ?? []);
  const known = await context.agents.noteTakenAway(ids);
  await context.agents.noteGiven(given.map(({ order }) => order));
  return { kept, known };
}

function idIn(body: string): string | null {
  try {
    const { id } = JSON.parse(body) as { readonly id?: unknown };
    return typeof id === 'string' ? id : null;
  } catch {
    return null;
  }
}

/**
 * Takes back every order of a queue, its workers' own included; where every worker refuses, all is as it was.
 * @throws ActionError when every worker refuses; what Redis says.
 */
export async function takeBackAll(context: ActionContext): Promise<readonly WorkerResult[]> {
  const former = await takeAllOverrides(handleOf(context), context.nowMs);
  // The one for every worker last: its answers tell what holds in the end.
  const own = new Set(Object.keys(former).map((key) => key.slice(0, key.lastIndexOf('|'))));
  own.delete(EVERY_WORKER);
  const given = [...own, EVERY_WORKER].map((scope) =>
    sign(context, { setting: 'all', value: null }, scope, null),
  );
  const expected = listeners(targetQueue(context).id, context.snapshot, context.nowMs);
  return deliver(context, given, await replaced(context, [], former), expected);
}

/**
 * Asks one worker to do something once: sent and not kept, and nothing is written to Redis.
 * @returns null as answer: none came in time.
 * @throws what Redis says where it can't be published.
 */
export async function askOnce(
  context: ActionContext,
  act: OrderedAct,
  worker: WorkerState,
  withinMs: number,
): Promise<{ readonly order: Order; readonly answer: WorkerAnswer | null }> {
  const order: Order = { ...act, ...headOf(context, worker.id, null) };
  const answers = await context.agents.send(order.queue, order, [worker.id], withinMs);
  return { order, answer: answers.get(worker.id) ?? null };
}

function sign(
  context: ActionContext,
  value: OrderedValue,
  scope: string,
  untilMs: number | null,
): GivenOrder {
  const order: SettingOrder = {
    ...value,
    ...headOf(context, scope, value.value === null ? null : untilMs),
  };
  return { order, signed: context.agents.sign(order) };
}

function headOf(context: ActionContext, scope: string, untilMs: number | null): OrderHead {
  const { worker } = context.target;
  return {
    id: context.newId(),
    atMs: context.nowMs,
    queue: targetQueue(context).id,
    workers: worker ? [worker.id] : null,
    scope,
    by: context.actor,
    // Half a sign is no text that Redis' scripts could read again.
    reason: context.reason.toWellFormed(),
    untilMs,
  };
}

/** All at once, so that one worker that does not answer is waited for once. */
async function deliver(
  context: ActionContext,
  given: readonly GivenOrder[],
  former: Former,
  expected: readonly WorkerState[],
): Promise<readonly WorkerResult[]> {
  const queueId = targetQueue(context).id;
  const ids = expected.map(({ id }) => id);
  const sent = await Promise.allSettled(
    given.map(({ order }) => context.agents.send(queueId, order, ids, ANSWER_WITHIN_MS)),
  );
  const failure = sent.find((one) => one.status === 'rejected');
  if (failure) await takeBack(context, given, former, failure.reason);
  const answers = sent.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const orders = given.map(({ order }) => order);
  const results = expected.map((worker) =>
    resultOf(
      worker,
      orders,
      answers.flatMap((of) => of.get(worker.id) ?? []),
    ),
  );
  if (results.length > 0 && results.every(({ result }) => result === 'refused')) {
    await putBack(context, given, former);
    throw new ActionError('refused-by-workers', refusedByAll(results));
  }
  return results;
}

async function putBack(context: ActionContext, given: readonly GivenOrder[], former: Former): Promise<void> {
  await giveBack(handleOf(context), given, former.kept, context.nowMs);
  await context.agents.noteGiven(former.known);
}

/**
 * It is kept but could not be published. Where Redis has said no it has been heard by nobody; else it may have been, and
 * then what is kept has to stay the same as what was heard.
 * @throws always: ActionError where all is as it was, else Unconfirmed.
 */
async function takeBack(
  context: ActionContext,
  given: readonly GivenOrder[],
  former: Former,
  error: unknown,
): Promise<never> {
  const { address } = context.link;
  if (!(error instanceof Error && error.name === 'ReplyError')) {
    const what = given.every(({ order }) => order.value === null) ? 'it is taken back' : 'it is kept';
    const why = error instanceof Error ? error.message : String(error);
    throw new Unconfirmed(
      `Could not tell the workers for sure (${why.slice(0, 60)}); ${what}, so they follow within half a minute: look first`,
    );
  }
  await putBack(context, given, former);
  const why = /NOPERM|no permissions/i.test(error.message)
    ? `Redis at ${address} does not let this user tell agents: allow +publish on channels spillway:*`
    : describeRefusal(error, address);
  throw new ActionError('refused-by-redis', `${why}; nothing was changed`);
}

/** Takes away orders of workers without a name that are gone for good. @returns whether there were any. */
async function dropEnded(context: ActionContext): Promise<boolean> {
  const { snapshot, nowMs } = context;
  if (nowMs - snapshot.hearing.sinceMs < KNOWS_ALL_MS) return false;
  const known = new Set(snapshot.workers.map(({ id }) => id));
  const ended = (await overridesOf(context)).filter(
    ({ scope, atMs }) => WORKER_ID.test(scope) && !known.has(scope) && nowMs - atMs > KNOWS_ALL_MS,
  );
  await takeOverrides(
    handleOf(context),
    ended.map(({ scope, setting }) => keptOrderKey(scope, setting)),
    nowMs,
  );
  return ended.length > 0;
}
