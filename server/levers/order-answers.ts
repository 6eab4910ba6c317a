import type { Order, WorkerAnswer } from '../../agent/protocol.js';
import { formatCount } from '../model/format.js';
import type { WorkerState } from '../watch/worker-state.js';
import type { Applied, Verified, WorkerResult } from './lever.js';

/** Answers come within some ms; who has not answered by then is told as silent. */
export const ANSWER_WITHIN_MS = 1_000;

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
    result: answer?.result ?? 'no-answer',
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

function silenceOf(worker: WorkerState, orders: readonly Order[]): string {
  const ignored = worker.agent?.ignored;
  if (ignored && ignored.unsigned + ignored.forged > 0)
    return 'it ignores orders that are not signed with its secret: give the console the same agentSecret';
  if (orders.every(({ value }) => value === null))
    return 'nothing is kept for it any more, and it follows that when it is heard again';
  return orders.some(({ scope }) => scope === worker.id)
    ? 'it follows when it is heard again; if it has ended, so has the order'
    : 'it follows when it is heard again: the order is kept';
}

export function refusedByAll(results: readonly WorkerResult[]): string {
  const reasons = [...new Set(results.map(({ note }) => note ?? 'no reason given'))];
  const who = results.length === 1 ? (results[0]?.label ?? 'the worker') : `all ${results.length} workers`;
  return `refused by ${who}: ${reasons.slice(0, 3).join('; ')}; nothing was changed`;
}

/**
 * One sentence: how many follow, who does not and why. Pure.
 * @param isTakenBack the orders are gone, and nothing is kept.
 */
export function appliedOf(results: readonly WorkerResult[], what: string, isTakenBack = false): Applied {
  const count = (result: WorkerResult['result']): number =>
    results.filter((one) => one.result === result).length;
  const [applied, refused, silent] = [count('applied'), count('refused'), count('no-answer')];
  const why = results.find(({ result }) => result === 'refused')?.note ?? '';
  const nobody = isTakenBack
    ? `No worker hears it now; what was kept is taken back: ${what} for those that come.`
    : `No worker hears it now; it is kept for those that come: ${what}.`;
  const parts = [
    results.length === 0
      ? nobody
      : `${formatCount(applied)} of ${formatCount(results.length)} ${results.length === 1 ? 'worker' : 'workers'} confirmed: ${what}.`,
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

/** The workers' own answers are what is read back. Pure. */
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
