import type { OutcomeProps, TargetOutcome } from '../../../views/action-outcome.js';
import type { IconName } from '../../../views/icon.js';
import { actionPath } from '../../../views/links.js';
import type { State } from '../../../views/state.js';
import type { ActionCall, Outcome, OutcomeStatus, WorkerResult } from '../../model/action.js';
import { formatBytes, formatDuration, formatThings } from '../../model/format.js';
import { plainName } from '../../model/words.js';
import { hiddenQueues, hiddenWorkers, type Targeted } from './action-view-model.js';
import { changesOf, upperFirst } from './preview-view-model.js';

const MAX_SHOWN = 25;

export const STATUS_WORDS: Readonly<Record<OutcomeStatus, { word: string; state: State; icon: IconName }>> = {
  applied: { word: 'done and read back', state: 'calm', icon: 'calm' },
  unchanged: { word: 'was so already', state: 'info', icon: 'info' },
  unverified: { word: 'not confirmed by all', state: 'warning', icon: 'warning' },
  failed: { word: 'failed', state: 'critical', icon: 'critical' },
  refused: { word: 'refused', state: 'critical', icon: 'critical' },
};
const WORST_FIRST: readonly OutcomeStatus[] = ['failed', 'refused', 'unverified', 'unchanged', 'applied'];

/** What came of an action, worst target first. */
export function outcomeOf(outcomes: readonly Outcome[], { action, ask }: Targeted): OutcomeProps {
  const count = (status: OutcomeStatus): number =>
    outcomes.filter((outcome) => outcome.status === status).length;
  const worst = WORST_FIRST.find((status) => count(status) > 0) ?? 'unchanged';
  const freed = outcomes.flatMap((outcome) => outcome.freedBytes ?? []);
  const sorted = [...outcomes].sort((a, b) => WORST_FIRST.indexOf(a.status) - WORST_FIRST.indexOf(b.status));
  return {
    state: STATUS_WORDS[worst].state,
    icon: STATUS_WORDS[worst].icon,
    title: `${action.title}: ${titleOf(outcomes, worst)}`,
    summary: summaryOf(outcomes, count),
    freed: freed.length > 0 ? formatBytes(freed.reduce((sum, bytes) => sum + bytes, 0)) : null,
    outcomes: sorted.slice(0, MAX_SHOWN).map(targetOf),
    more: Math.max(0, outcomes.length - MAX_SHOWN),
    undo: undoOf(outcomes),
    goOn: ask.goOn === null ? null : { label: 'Go on to what you were about to do', href: ask.goOn },
    auditHref: '/audit',
  };
}

function titleOf(outcomes: readonly Outcome[], worst: OutcomeStatus): string {
  if (outcomes.length === 1 || worst === 'applied' || worst === 'unchanged') {
    return worst === 'applied' ? 'done' : STATUS_WORDS[worst].word;
  }
  const done = outcomes.filter((outcome) => outcome.status === 'applied').length;
  return done === 0 ? STATUS_WORDS[worst].word : `done in part`;
}

function summaryOf(outcomes: readonly Outcome[], count: (status: OutcomeStatus) => number): string {
  const slowest = Math.max(0, ...outcomes.map((outcome) => outcome.durationMs));
  const took = `Took ${slowest < 1000 ? `${Math.round(slowest)} ms` : formatDuration(slowest / 1000)}.`;
  if (outcomes.length === 1) return took;
  const parts = WORST_FIRST.filter((status) => count(status) > 0).map(
    (status) => `${formatThings(count(status), 'queue')} ${STATUS_WORDS[status].word}`,
  );
  return `${upperFirst(parts.join(', '))}. ${took}`;
}

function targetOf(outcome: Outcome): TargetOutcome {
  const words = STATUS_WORDS[outcome.status];
  const name =
    outcome.jobId !== null
      ? `job ${outcome.jobId}`
      : outcome.worker !== null
        ? (outcome.workers[0]?.label ?? outcome.worker)
        : (outcome.queue ?? `Redis ${outcome.instance}`);
  return {
    name: plainName(name),
    state: words.state,
    icon: words.icon,
    status: words.word,
    summary: upperFirst(outcome.summary),
    changes:
      outcome.status === 'refused' || outcome.status === 'failed' ? [] : changesOf(outcome.fields, true),
    warnings: outcome.warnings,
    workers: workersOf(outcome),
  };
}

const RESULTS: Readonly<Record<WorkerResult['result'], { word: string; state: State; icon: IconName }>> = {
  refused: { word: 'refused', state: 'critical', icon: 'critical' },
  'no-answer': { word: 'no answer yet', state: 'warning', icon: 'warning' },
  late: { word: 'clock too far off', state: 'warning', icon: 'warning' },
  applied: { word: 'in force', state: 'calm', icon: 'calm' },
};
const WORST_RESULT_FIRST: readonly WorkerResult['result'][] = ['refused', 'no-answer', 'late', 'applied'];

/** What each worker made of the order, worst first. */
function workersOf({ workers }: Outcome): TargetOutcome['workers'] {
  const sorted = [...workers].sort(
    (a, b) => WORST_RESULT_FIRST.indexOf(a.result) - WORST_RESULT_FIRST.indexOf(b.result),
  );
  return {
    rows: sorted.slice(0, MAX_SHOWN).map(({ label, result, note, concurrency }) => ({
      label: plainName(label),
      ...RESULTS[result],
      slots: concurrency === null ? '' : formatThings(concurrency, 'slot'),
      note: note ?? '',
    })),
    more: Math.max(0, sorted.length - MAX_SHOWN),
  };
}

/** One way back for all: only where it is the same call for each. What one worker did not confirm was done all the same. */
function undoOf(outcomes: readonly Outcome[]): OutcomeProps['undo'] {
  const calls = outcomes.flatMap(({ status, undo }) =>
    (status === 'applied' || status === 'unverified') && undo ? [undo] : [],
  );
  const [first] = calls;
  if (!first || !calls.every((call) => isSameCall(call, first))) return null;
  return {
    label: calls.length === 1 ? 'Undo' : `Undo for ${formatThings(calls.length, 'queue')}`,
    hidden: [
      { name: 'action', value: first.action },
      { name: 'instance', value: first.instance },
      // Only those that were changed: a queue that was paused by somebody else before stays paused.
      ...hiddenQueues(calls.flatMap((call) => call.queues)),
      ...hiddenWorkers(calls.flatMap((call) => call.workers ?? [])),
      ...(first.jobId === undefined ? [] : [{ name: 'jobId', value: first.jobId }]),
      { name: 'args', value: JSON.stringify(first.args) },
      { name: 'why', value: 'undo' },
    ],
  };
}

export function undoHref(call: ActionCall): string {
  return actionPath({
    action: call.action,
    instance: call.instance,
    queues: call.queues,
    args: call.args,
    why: 'undo',
    ...(call.jobId === undefined ? {} : { jobId: call.jobId }),
    ...(call.workers === undefined ? {} : { workers: call.workers }),
  });
}

function isSameCall(a: ActionCall, b: ActionCall): boolean {
  return (
    a.action === b.action && a.instance === b.instance && JSON.stringify(a.args) === JSON.stringify(b.args)
  );
}
