import type { ChartProps } from '../../../views/chart.js';
import { actionPath, queuePath } from '../../../views/links.js';
import type { QueueHeadProps } from '../../../views/queue-page.js';
import { drainInWords, flowAction, NOT_KNOWN, verdictWordsOf } from '../../../views/queue-words.js';
import type { Fact } from '../../../views/state.js';
import { moment, UNKNOWN } from '../../../views/words.js';
import { isAboutQueue, problemsByQueue } from '../../findings/trouble.js';
import { unreadQueue } from '../../model/finding.js';
import { formatBytes, formatCount, formatDuration, formatRate, formatRateLimit } from '../../model/format.js';
import { waitedSeconds } from '../../model/queue-verdict.js';
import { includesRole, type Role } from '../../model/role.js';
import type { QueueState, Snapshot } from '../../model/snapshot.js';
import type { AppDeps } from '../app-deps.js';
import { findingListOf } from './finding-parts.js';

/** The top of a queue's page. */
export function queueHeadOf(
  deps: Pick<AppDeps, 'watch'>,
  queue: QueueState,
  snapshot: Snapshot,
  role: Role,
  nowMs: number,
): QueueHeadProps {
  const problem = problemsByQueue(deps.watch.findings())(snapshot.instance, queue.id);
  const words = verdictWordsOf(queue, problem);
  const unread = unreadQueue(snapshot, queue.id);
  return {
    name: queue.name,
    place: `${queue.prefix} · ${snapshot.instance}`,
    state: words.state,
    icon: words.icon,
    verdict: words.word,
    note: noteOf(queue, nowMs),
    ...(unread
      ? {
          state: NOT_KNOWN.state,
          icon: NOT_KNOWN.icon,
          verdict: NOT_KNOWN.word,
          note: `It can not be read: ${unread.problem}. All numbers here are of ${moment(unread.sinceMs, nowMs).text}.`,
        }
      : {}),
    facts: [...flowFacts(queue, snapshot), ...settingFacts(queue), ...memoryFacts(queue)],
    actions: includesRole(role, 'operator') ? actionsOf(queue, snapshot.instance) : [],
  };
}

export function queueFindings(deps: AppDeps, instance: string, queueId: string, role: Role, nowMs: number) {
  return findingListOf(deps, role, nowMs, (finding) => isAboutQueue(finding, instance, queueId), true);
}

/** Who stopped it and when; or that the application set a concurrency over the console's pause. */
function noteOf(queue: QueueState, nowMs: number): string {
  if (queue.flow === 'paused')
    return 'Its application paused it: BullMQ’s own pause, not this console’s pause.';
  if (!queue.pause) return '';
  const when = moment(queue.pause.atMs, nowMs).text;
  if (queue.flow === 'paused-by-spillway')
    return `${queue.pause.actor} paused it from the console at ${when}.`;
  return `${queue.pause.actor} paused it at ${when}, but a concurrency was set over that since: jobs start again.`;
}

function flowFacts(queue: QueueState, snapshot: Snapshot): readonly Fact[] {
  const oldest = waitedSeconds(queue, snapshot);
  return [
    { label: 'Waiting', value: formatCount(queue.backlog) },
    { label: 'Active', value: formatCount(queue.counts.active) },
    {
      label: 'In',
      value: queue.rates ? formatRate(queue.rates.arrivalsPerSecond) : UNKNOWN,
      hint: 'By the id counter: duplicates count too',
    },
    { label: 'Out', value: queue.rates ? formatRate(queue.rates.departuresPerSecond) : UNKNOWN },
    { label: 'Oldest', value: oldest === null ? UNKNOWN : formatDuration(oldest) },
    { label: 'Empty in', value: drainInWords(queue) },
    { label: 'Workers', value: queue.workers === null ? UNKNOWN : formatCount(queue.workers) },
  ];
}

function settingFacts(queue: QueueState): readonly Fact[] {
  const limit = queue.rateLimit;
  return [
    {
      label: 'At once',
      value: queue.concurrency === null ? 'any' : formatCount(queue.concurrency),
      hint: 'Global concurrency',
    },
    { label: 'Rate limit', value: limit === null ? 'none' : formatRateLimit(limit.max, limit.durationMs) },
    {
      label: 'BullMQ',
      value: queue.bullmqVersion?.replace('bullmq:', '') ?? UNKNOWN,
      hint: 'Of whoever opened the queue last',
    },
  ];
}

function memoryFacts(queue: QueueState): readonly Fact[] {
  const memory = queue.memory;
  if (!memory) return [{ label: 'Memory', value: UNKNOWN }];
  return [
    {
      label: 'Memory',
      value: formatBytes(memory.totalBytes),
      hint: `Estimated from ${memory.sampledJobs} jobs`,
    },
    { label: 'In unfinished', value: formatBytes(memory.backlogBytes) },
    { label: 'In completed', value: formatBytes(memory.completedBytes) },
    { label: 'In failed', value: formatBytes(memory.failedBytes) },
    { label: 'In events', value: formatBytes(memory.eventsBytes) },
  ];
}

function actionsOf(queue: QueueState, instance: string): QueueHeadProps['actions'] {
  const link = (action: string, args: Readonly<Record<string, unknown>> = {}): string =>
    actionPath({ action, instance, queues: [queue.id], args });
  return [
    flowAction(queue, instance),
    { label: 'Global concurrency', href: link('queue.concurrency') },
    { label: 'Rate limit', href: link('queue.rate-limit') },
    { label: 'Trim events', href: link('queue.trim-events') },
    { label: 'Clean completed', href: link('queue.clean-finished', { state: 'completed' }) },
    { label: 'Clean failed', href: link('queue.clean-finished', { state: 'failed' }) },
  ];
}

export function queueChartsOf(queue: QueueState, instance: string): readonly ChartProps[] {
  const href = `${queuePath(instance, queue.id)}/series.json`;
  const history = String(new URLSearchParams({ instance, queue: queue.id }));
  const { rates } = queue;
  return [
    {
      id: 'chart-depth',
      title: 'Waiting and active',
      text: `${formatCount(queue.backlog)} waiting, ${formatCount(queue.counts.active)} active`,
      unit: 'jobs',
      lines: [
        { label: 'waiting', key: 'backlog', signal: 'queue_backlog_jobs', colour: 'one' },
        { label: 'active', key: 'active', signal: 'queue_active_jobs', colour: 'two' },
      ],
      href,
      history,
      limit: null,
    },
    {
      id: 'chart-rates',
      title: 'Jobs per second',
      text: rates
        ? `${formatRate(rates.arrivalsPerSecond)} in, ${formatRate(rates.departuresPerSecond)} out`
        : 'not measured yet',
      unit: 'perSecond',
      lines: [
        { label: 'in', key: 'arrivalsPerSecond', signal: 'queue_arrivals_per_second', colour: 'two' },
        { label: 'out', key: 'departuresPerSecond', signal: 'queue_departures_per_second', colour: 'one' },
      ],
      href,
      history,
      limit: null,
    },
  ];
}
