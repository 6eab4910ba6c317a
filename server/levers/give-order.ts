import {
  EVERY_WORKER,
  keptOrderKey,
  type Order,
  type OrderedValue,
  type WorkerAnswer,
} from '../../agent/protocol.js';
import { formatCount } from '../model/format.js';
import { dropKept, keepOrder, readKept, restoreKept } from '../redis/kept-orders.js';
import type { Snapshot } from '../watch/snapshot.js';
import type { WorkerState } from '../watch/worker-state.js';
import { type Applied, type LeverContext, LeverError, type Verified, type WorkerResult } from './lever.js';
import { handleOf, queueOf, whyNoWrites } from './queue-target.js';

/** Answers come within some ms; who has not answered by then is told as silent. */
const ANSWER_WITHIN_MS = 1_000;
/** Who has not beaten for so long is not expected to answer. */
const LISTENING_MS = 10_000;
const DAY_MS = 86_400_000;
export const LONGEST_MS = 7 * DAY_MS;

/** Workers of the queue that hear orders. */
export function listeners(queueId: string, snapshot: Snapshot, nowMs: number): readonly WorkerState[] {
  return snapshot.workers.filter(
    (worker) =>
      worker.queueId === queueId &&
      worker.agent !== null &&
      worker.isConnected !== false &&
      nowMs - worker.agent.lastBeatAtMs < LISTENING_MS,
  );
}

/** Why orders can't be given here; null where they can. */
export function whyNoOrders({ snapshot, target }: Pick<LeverContext, 'snapshot' | 'target'>): string | null {
  const refusal = whyNoWrites(snapshot);
  if (refusal !== null) return refusal;
  if (snapshot.hearing.status !== 'hearing')
    return `the console does not hear agents now${snapshot.hearing.problem ? ` (${snapshot.hearing.problem})` : ''}`;
  if (target.worker && target.worker.agent === null)
    return `${target.worker.label} has no agent: add attach(worker) from spillway/agent to its process; until then use the queue's global concurrency, rate limit or halt`;
  if (target.queue && !snapshot.workers.some((one) => one.queueId === target.queue?.id && one.agent !== null))
    return `no worker of ${target.queue.name} has the agent: add attach(worker) from spillway/agent to their process; until then use the queue's global concurrency, rate limit or halt`;
  return null;
}

/** What an order of one worker is kept under: its name where it has one, so that it outlives a restart. */
export function scopeOf(worker: WorkerState): string {
  return worker.agent?.key ?? worker.id;
}

/**
 * Keeps an order, publishes it, and gathers the answers. An order that every worker refuses is taken away again, so that
 * all is as it was.
 * @throws LeverError when every worker refuses; what Redis says.
 */
export async function giveOrder(
  context: LeverContext,
  value: OrderedValue,
  forMs: number | undefined,
): Promise<readonly WorkerResult[]> {
  const { worker } = context.target;
  const queue = queueOf(context);
  const handle = handleOf(context);
  const order: Order = {
    ...value,
    id: context.newId(),
    atMs: context.nowMs,
    queue: queue.id,
    workers: worker ? [worker.id] : null,
    scope: worker ? scopeOf(worker) : EVERY_WORKER,
    by: context.actor,
    reason: context.reason,
    untilMs: forMs === undefined || value.value === null ? null : context.nowMs + forMs,
  };
  const signed = context.agents.sign(order);
  const key = keptOrderKey(order.scope, order.setting);
  const former = (await readKept(handle))[key] ?? null;
  // Kept first: a worker that starts between the two finds it.
  await keepOrder(handle, order, signed, context.nowMs);
  const expected = worker ? [worker] : listeners(queue.id, context.snapshot, context.nowMs);
  const ids = expected.map(({ id }) => id);
  const answers = await context.agents.send(queue.id, signed, ids, ANSWER_WITHIN_MS);
  const results = expected.map((one) => resultOf(one, answers.get(one.id)));
  if (results.length > 0 && results.every(({ result }) => result === 'refused')) {
    await restoreKept(handle, key, former, context.nowMs);
    throw new LeverError('refused-by-workers', refusedByAll(results));
  }
  return results;
}

/** Takes back every order of a queue, its workers' own included. */
export async function takeBackAll(context: LeverContext): Promise<readonly WorkerResult[]> {
  const queue = queueOf(context);
  const handle = handleOf(context);
  const scopes = new Set(
    Object.keys(await readKept(handle)).map((key) => key.slice(0, key.lastIndexOf('|'))),
  );
  scopes.add(EVERY_WORKER);
  await dropKept(handle, [''], context.nowMs);
  const expected = listeners(queue.id, context.snapshot, context.nowMs);
  const ids = expected.map(({ id }) => id);
  let answers: ReadonlyMap<string, WorkerAnswer> = new Map();
  for (const scope of scopes) {
    const order: Order = {
      setting: 'all',
      value: null,
      id: context.newId(),
      atMs: context.nowMs,
      queue: queue.id,
      workers: null,
      scope,
      by: context.actor,
      reason: context.reason,
      untilMs: null,
    };
    // All answer each; the last answers tell what holds in the end.
    const heard = await context.agents.send(queue.id, context.agents.sign(order), ids, ANSWER_WITHIN_MS);
    answers = new Map([...answers, ...heard]);
  }
  return expected.map((one) => resultOf(one, answers.get(one.id)));
}

function resultOf(worker: WorkerState, answer: WorkerAnswer | undefined): WorkerResult {
  return {
    worker: worker.id,
    label: worker.label,
    result: answer?.result ?? 'no-answer',
    note: answer ? answer.note : silenceOf(worker),
    concurrency: answer?.concurrency ?? null,
  };
}

function silenceOf(worker: WorkerState): string {
  const ignored = worker.agent?.ignored;
  return ignored && ignored.unsigned + ignored.forged > 0
    ? 'it ignores orders that are not signed with its secret: give the console the same agentSecret'
    : 'it follows when it is heard again: the order is kept';
}

function refusedByAll(results: readonly WorkerResult[]): string {
  const reasons = [...new Set(results.map(({ note }) => note ?? 'no reason given'))];
  const who = results.length === 1 ? (results[0]?.label ?? 'the worker') : `all ${results.length} workers`;
  return `refused by ${who}: ${reasons.slice(0, 3).join('; ')}; nothing was changed`;
}

/** One sentence: how many follow, who does not and why. */
export function appliedOf(results: readonly WorkerResult[], what: string): Applied {
  const count = (result: WorkerResult['result']): number =>
    results.filter((one) => one.result === result).length;
  const [applied, refused, silent] = [count('applied'), count('refused'), count('no-answer')];
  const why = results.find(({ result }) => result === 'refused')?.note ?? '';
  const parts = [
    results.length === 0
      ? `No worker hears it now; it is kept for those that come: ${what}.`
      : `${applied === results.length ? `${formatCount(applied)} of ${formatCount(results.length)}` : `${formatCount(applied)} of ${formatCount(results.length)}`} ${results.length === 1 ? 'worker' : 'workers'} confirmed: ${what}.`,
    refused > 0 ? `${formatCount(refused)} refused (${why}).` : '',
    silent > 0
      ? `${formatCount(silent)} did not answer within ${ANSWER_WITHIN_MS / 1000} s: ${results.find(({ result }) => result === 'no-answer')?.note ?? ''}.`
      : '',
  ];
  return {
    summary: parts.filter((part) => part !== '').join(' '),
    freedBytes: null,
    affectedJobs: null,
    workers: results,
  };
}

/** The workers' own answers are what is read back. */
export function verifiedOf(results: readonly WorkerResult[], fields: Verified['fields']): Verified {
  const silent = results.filter(({ result }) => result === 'no-answer');
  const notes = new Set(
    results.flatMap(({ result, note }) => (result === 'applied' && note !== null ? note : [])),
  );
  return {
    ok: silent.length === 0,
    summary:
      silent.length === 0
        ? 'Every worker has answered.'
        : `Not confirmed by ${silent
            .map(({ label }) => label)
            .slice(0, 5)
            .join(', ')}.`,
    fields,
    warnings: [...notes].slice(0, 3),
  };
}
