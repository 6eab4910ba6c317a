import { ORDER_VALID_MS, type Order, type WorkerAnswer } from '../../agent/protocol.js';
import type { Applied, Verified, WorkerResult } from '../model/action.js';
import { formatCount, formatDuration } from '../model/format.js';
import type { WorkerState } from '../model/worker.js';

/**
 * Answers come within some ms, and from a host without CPU to spare after a second or more; who has not answered by then is
 * counted as silent. Nobody waits for it where all have answered.
 */
export const ANSWER_WITHIN_MS = 3_000;

/** What a worker made of orders that were sent together. A refusal counts before any other answer; the last one tells what holds. Pure. */
export function resultOf(
  worker: WorkerState,
  orders: readonly Order[],
  answers: readonly WorkerAnswer[],
): WorkerResult {
  const refusal = answers.find(({ result }) => result === 'refused');
  const last = answers[answers.length - 1];
  const answer = refusal ?? last;
  return {
    worker: worker.id,
    label: worker.label,
    result: answer?.result ?? (isLate(worker) ? 'late' : 'no-answer'),
    note: answer ? (answer.note ?? stillPaused(orders, answer)) : silenceOf(worker, orders),
    concurrency: last?.concurrency ?? null,
  };
}

function stillPaused(orders: readonly Order[], { paused }: WorkerAnswer): string | null {
  if (paused === null || !orders.some(({ setting, value }) => setting === 'paused' && value !== true))
    return null;
  if (paused === 'guard') return 'still stopped by its guard: it takes jobs when Redis has room again';
  return paused === 'application'
    ? 'still paused by its application'
    : 'still paused by an order for every worker of its queue';
}

/** Agents take no live order that is further off than this by their clock; what is kept they follow all the same. */
function isLate(worker: WorkerState): boolean {
  return Math.abs(worker.agent?.clockOffsetMs ?? 0) > ORDER_VALID_MS;
}

function lateness(offsetMs: number): string {
  const by = formatDuration(Math.abs(offsetMs) / 1000);
  return `its clock is ${by} ${offsetMs < 0 ? 'ahead of' : 'behind'} the console's, so it takes no live orders; set the clocks`;
}

function silenceOf(worker: WorkerState, orders: readonly Order[]): string {
  if (isLate(worker)) {
    const follows = orders.every(({ value }) => value === null)
      ? 'nothing is kept for it any more, and it follows that within half a minute'
      : 'the order is kept, and it follows that within half a minute';
    return `${lateness(worker.agent?.clockOffsetMs ?? 0)}; ${follows}`;
  }
  const ignored = worker.agent?.ignored;
  if (ignored && ignored.unsigned + ignored.forged > 0)
    return 'it ignores orders that are not signed with its secret: give the console the same agentSecret';
  if (orders.every(({ value }) => value === null))
    return 'nothing is kept for it any more, and it follows that when it is heard again';
  return orders.some(({ scope }) => scope === worker.id)
    ? 'it follows when it is heard again; if it has ended, so has the order'
    : 'it follows when it is heard again: the order is kept';
}

/** An order that was given, with what each worker has made of it. */
export type Ordered = Applied & { readonly workers: readonly WorkerResult[] };

export function refusedByAll(results: readonly WorkerResult[]): string {
  const reasons = [...new Set(results.map(({ note }) => note ?? 'no reason given'))];
  const who = results.length === 1 ? (results[0]?.label ?? 'the worker') : `all ${results.length} workers`;
  return `refused by ${who}: ${reasons.slice(0, 3).join('; ')}; nothing was changed`;
}

/**
 * One sentence: how many follow, who does not and why. Pure.
 * @param isTakenBack the orders are gone, and nothing is kept.
 */
export function appliedOf(results: readonly WorkerResult[], what: string, isTakenBack = false): Ordered {
  const count = (result: WorkerResult['result']): number =>
    results.filter((one) => one.result === result).length;
  const [applied, refused] = [count('applied'), count('refused')];
  const why = results.find(({ result }) => result === 'refused')?.note ?? '';
  const unanswered = (result: 'no-answer' | 'late', words: string): string =>
    count(result) > 0
      ? `${formatCount(count(result))} ${words}: ${results.find((one) => one.result === result)?.note ?? ''}.`
      : '';
  const nobody = isTakenBack
    ? `No worker hears it now; what was kept is taken back: ${what} for those that come.`
    : `No worker hears it now; it is kept for those that come: ${what}.`;
  const parts = [
    results.length === 0
      ? nobody
      : `${formatCount(applied)} of ${formatCount(results.length)} ${results.length === 1 ? 'worker' : 'workers'} confirmed: ${what}.`,
    refused > 0 ? `${formatCount(refused)} refused (${why}).` : '',
    unanswered('no-answer', `did not answer within ${ANSWER_WITHIN_MS / 1000} s`),
    unanswered('late', 'could not take it live'),
  ];
  return {
    summary: parts.filter((part) => part !== '').join(' '),
    workers: results,
  };
}

/** The workers' own answers are what is read back. Pure. */
export function verifiedOf(results: readonly WorkerResult[], fields: Verified['fields']): Verified {
  const silent = unansweredOf(results);
  const notes = new Set(
    results.flatMap(({ result, note }) => (result === 'applied' && note !== null ? note : [])),
  );
  return {
    ok: silent.length === 0,
    summary:
      silent.length === 0
        ? 'Every worker has answered.'
        : `In force where it was heard, and kept for the rest. Not confirmed by ${silent
            .map(({ label }) => label)
            .slice(0, 5)
            .join(', ')}${silent.length > 5 ? ` and ${formatCount(silent.length - 5)} more` : ''}.`,
    fields,
    warnings: [...notes].slice(0, 3),
  };
}

/** Workers that have neither taken the order nor refused it. Pure. */
export function unansweredOf(results: readonly WorkerResult[]): readonly WorkerResult[] {
  return results.filter(({ result }) => result === 'no-answer' || result === 'late');
}
