import type { ReplayAbortProps } from '../../../views/replay-abort.js';
import type { ReplayCardProps, ReplayStatusProps } from '../../../views/replay-card.js';
import type { State } from '../../../views/state.js';
import { elementId, moment } from '../../../views/words.js';
import { formatCount, formatDuration, formatJobs, formatRate } from '../../model/format.js';
import type { ReplayView } from '../../model/replay.js';
import { hasEnded, SKIP_REASONS, type SkipReason } from '../../model/replay.js';
import { saidBy } from '../../model/replay-spec.js';
import { includesRole, type Role } from '../../model/role.js';
import { capitalized, plainName, plainSentence } from '../../model/words.js';

/** Cards shown; the API lists all. */
export const MAX_CARDS = 30;
const MAX_NAMED_QUEUES = 3;

/** A replay as a card. @param back the page that it stands on. */
export function replayCardOf(view: ReplayView, role: Role, nowMs: number, back: string): ReplayCardProps {
  const { record } = view;
  const id = elementId('replay', record.id);
  return {
    id,
    title: titleOf(record),
    about: saidBy(plainName(record.actor), plainSentence(record.spec.reason)),
    begun: moment(record.createdAtMs, nowMs),
    status: replayStatusOf(view, id),
    buttons: {
      id: `${id}-buttons`,
      action: `/replays/${encodeURIComponent(record.id)}/order`,
      back,
      orders: ordersOf(view, role),
      abortHref: `/replays/${encodeURIComponent(record.id)}/abort`,
      ratePerSecond: String(record.ratePerSecond),
    },
    reportHref: `/api/v1/replays/${encodeURIComponent(record.id)}/report.md`,
  };
}

function ordersOf({ record }: ReplayView, role: Role): ReplayCardProps['buttons']['orders'] {
  if (hasEnded(record) || !includesRole(role, 'operator')) return null;
  const first =
    record.state === 'running' ? { state: 'paused', label: 'Pause' } : { state: 'running', label: 'Resume' };
  return [first];
}

/** What ending a replay for good will do, before it is done. */
export function replayAbortOf(view: ReplayView): ReplayAbortProps {
  const { record, account } = view;
  const left = account.isCounted ? formatJobs(account.remaining) : 'Jobs';
  return {
    title: titleOf(record),
    action: `/replays/${encodeURIComponent(record.id)}/order`,
    effects: [
      `${left} not moved yet: left where they are; another replay of the same filter takes them.`,
      `${formatJobs(account.moved)} that were moved stay in their queues, and what comes of them is told for a day.`,
      'A replay that has ended does not begin again. Pause it where it may go on later.',
    ],
  };
}

function titleOf({ spec, queues }: ReplayView['record']): string {
  const names = queues.slice(0, MAX_NAMED_QUEUES).map(plainName).join(', ');
  const more = queues.length - MAX_NAMED_QUEUES;
  return `${capitalized(spec.from)} jobs of ${names}${more > 0 ? ` and ${more} more` : ''}`;
}

const STATES: Readonly<Record<ReplayView['record']['state'], State>> = {
  running: 'calm',
  paused: 'warning',
  done: 'calm',
  aborted: 'info',
  failed: 'critical',
};

/** Why it goes as it goes; that the guard has paused it stands before it already. */
export function reasonInWords(reason: string): string {
  return capitalized(plainSentence(reason).replace(/^Paused by the guard: /, ''));
}

function replayStatusOf(view: ReplayView, id: string): ReplayStatusProps {
  const { record, account } = view;
  const done = account.moved + account.skipped;
  const rate = record.state === 'running' ? ` · ${formatRate(view.movedPerSecond)}` : '';
  const left =
    view.remainingSeconds !== null && account.remaining > 0
      ? ` · ${formatDuration(view.remainingSeconds)} to go`
      : '';
  const total = account.isCounted ? formatCount(account.matched) : 'a number that is being counted';
  return {
    id: `${id}-status`,
    state: record.pausedBy === 'guard' ? 'critical' : STATES[record.state],
    stateWord: record.pausedBy === 'guard' ? 'paused by the guard' : record.state,
    reason: reasonInWords(view.paceReason),
    done,
    total: account.matched,
    progress: `${formatCount(done)} of ${total}${rate}${left}`,
    account: [
      ['matched', account.matched],
      ['moved', account.moved],
      ['succeeded', account.succeeded],
      ['failed again', account.failedAgain],
      ['still to run', account.toRun],
      ...(account.gone > 0 ? [['ended, kept nowhere', account.gone] as const] : []),
      ['skipped', account.skipped],
      ['remaining', account.remaining],
    ].map(([label, jobs]) => ({ label: String(label), value: formatCount(Number(jobs)) })),
    skipped: Object.entries(account.skippedBecause).flatMap(([reason, jobs]) =>
      jobs ? [`${formatCount(jobs)} skipped: ${SKIP_REASONS[reason as SkipReason]}.`] : [],
    ),
  };
}
