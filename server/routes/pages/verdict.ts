import type { VerdictProps } from '../../../views/verdict.js';
import { coarseAge } from '../../../views/words.js';
import type { Finding, Thresholds } from '../../model/finding.js';
import { formatJobs, formatRate, formatThings } from '../../model/format.js';
import { drainSecondsOf } from '../../model/queue-verdict.js';
import { includesRole, type Role } from '../../model/role.js';
import { freshnessOf, isSettling } from '../../model/sight.js';
import type { Snapshot } from '../../model/snapshot.js';
import type { AppDeps } from '../app-deps.js';
import { worstOf } from './chrome.js';
import type { OverviewPast } from './overview-past.js';

/** The one line on top: the worst, how much else, and what flows. */
export function verdictLineOf(
  deps: Pick<AppDeps, 'watch' | 'alerts' | 'thresholds'>,
  nowMs: number,
  role: Role = 'viewer',
  past: Pick<OverviewPast, 'resolved'> | null = null,
  inForce = 0,
): VerdictProps {
  const worst = worstOf(deps, nowMs);
  const findings = deps.watch.findings();
  const snapshots = deps.watch.snapshots();
  const calm = worst.words === '' ? calmInWords(snapshots, deps.thresholds, nowMs) : null;
  return {
    state: calm?.state ?? worst.state,
    text: calm?.text ?? (worst.state === 'blind' ? 'Connecting to Redis' : worst.words),
    // The problem itself says it, below: here is how many there are.
    counts: worst.finding === null ? '' : countsInWords(findings),
    detail: [worst.finding === null ? countsInWords(findings) : '', trafficInWords(snapshots, nowMs)]
      .filter((part) => part !== '')
      .join(' · '),
    ...(worst.finding?.severity === 'critical' && includesRole(role, 'operator')
      ? { incidentHref: `/incidents/new?${new URLSearchParams({ finding: worst.finding.key })}` }
      : {}),
    // While anything is wrong, that is what matters.
    ...(calm && past?.resolved
      ? { resolved: { ...past.resolved, inForce, mayWrite: includesRole(role, 'operator') } }
      : {}),
  };
}

/** Nothing is found. Calm is more than that: nothing to speak of waits, and nothing was just changed. */
function calmInWords(
  snapshots: readonly Snapshot[],
  { backlogMinJobs }: Thresholds,
  nowMs: number,
): Pick<VerdictProps, 'state' | 'text'> {
  if (snapshots.some((snapshot) => isSettling(snapshot, nowMs)))
    return { state: 'info', text: 'Nothing is wrong, and settling after an action' };
  const waiting = snapshots
    .flatMap(({ queues }) => queues)
    .filter(({ backlog }) => backlog >= backlogMinJobs);
  const jobs = waiting.reduce((sum, { backlog }) => sum + backlog, 0);
  if (jobs === 0) return { state: 'calm', text: 'All clear' };
  const longest = Math.max(...waiting.map((queue) => drainSecondsOf(queue) ?? Number.NaN));
  const until = Number.isFinite(longest) ? `, for about ${coarseAge(longest, 5)}` : '';
  return { state: 'info', text: `Nothing is wrong; ${formatJobs(jobs)} still wait${until}` };
}

function countsInWords(findings: readonly Finding[]): string {
  const count = (severity: Finding['severity']): number =>
    findings.filter((finding) => finding.severity === severity).length;
  const critical = count('critical');
  const parts = [
    critical > 0 ? `${critical} critical` : '',
    count('warning') > 0 ? formatThings(count('warning'), 'warning') : '',
  ].filter((part) => part !== '');
  // Notes count where nothing is worse: the line is one line on a phone too.
  return parts.length > 0 || count('info') === 0 ? parts.join(', ') : formatThings(count('info'), 'note');
}

function trafficInWords(snapshots: readonly Snapshot[], nowMs: number): string {
  let queues = 0;
  let backlog = 0;
  let arrivals = 0;
  let departures = 0;
  let unread = 0;
  for (const snapshot of snapshots) {
    unread += snapshot.unread.queues.length;
    queues += snapshot.queues.length;
    for (const queue of snapshot.queues) {
      backlog += queue.backlog;
      arrivals += queue.rates?.arrivalsPerSecond ?? 0;
      departures += queue.rates?.departuresPerSecond ?? 0;
    }
  }
  const lastSeen = snapshots.some((snapshot) => freshnessOf(snapshot, nowMs).isLive)
    ? ''
    : 'when last seen: ';
  return `${lastSeen}${formatThings(queues, 'queue')}${withoutInWords(unread)} · ${formatJobs(backlog)} waiting · ${formatRate(arrivals)} in, ${formatRate(departures)} out`;
}

/** What a sum lacks; empty: nothing. */
export function withoutInWords(unreadQueues: number): string {
  return unreadQueues === 0 ? '' : ` (without ${formatThings(unreadQueues, 'queue')} that can not be read)`;
}
