import type { JobPageProps, Payload } from '../../../views/job-page.js';
import type { JobRowProps, JobTableProps } from '../../../views/job-table.js';
import { actionPath, jobPath, jobTypePath, queuePath, replayFormPath } from '../../../views/links.js';
import type { Fact } from '../../../views/state.js';
import { moment, UNKNOWN } from '../../../views/words.js';
import { formatBytes, formatCount, formatDuration, formatRunTime } from '../../model/format.js';
import type { JobDetail, JobPage, JobRow } from '../../model/job-view.js';
import type { JobState } from '../../model/memory.js';
import { includesRole, type Role } from '../../model/role.js';
import type { QueueState } from '../../model/snapshot.js';
import { plainName } from '../../model/words.js';

/** Jobs of one page of the table. */
export const JOBS_A_PAGE = 20;

const STATES: readonly (readonly [JobState, string, (queue: QueueState) => number])[] = [
  ['waiting', 'Waiting', (queue) => queue.counts.waiting],
  ['active', 'Active', (queue) => queue.counts.active],
  ['prioritized', 'Prioritized', (queue) => queue.counts.prioritized],
  ['delayed', 'Delayed', (queue) => queue.counts.delayed],
  ['waiting-children', 'Waiting for children', (queue) => queue.counts.waitingChildren],
  ['completed', 'Completed', (queue) => queue.counts.completed],
  ['failed', 'Failed', (queue) => queue.counts.failed],
];

const WHEN: Readonly<Record<JobState, string>> = {
  waiting: 'Due',
  active: 'Started',
  prioritized: 'Due',
  delayed: 'Due',
  'waiting-children': 'Started',
  completed: 'Finished',
  failed: 'Finished',
};

/** The state in an address; null for a word that is none. */
export function parseJobState(text: string | undefined): JobState | null {
  return STATES.find(([state]) => state === text)?.[0] ?? null;
}

/** Where a person looks first: what failed or, while nothing has, what waits. */
export function usualState(queue: QueueState): JobState {
  return queue.backlog === 0 && queue.counts.failed > 0 ? 'failed' : 'waiting';
}

export interface JobTableInput {
  readonly queue: QueueState;
  readonly instance: string;
  readonly state: JobState;
  readonly cursor: number;
  /** null: they could not be read, for the reason in `problem`. */
  readonly page: JobPage | null;
  readonly problem: string | null;
  /** Id of a job that was looked for, and is not in the queue; null: none was. */
  readonly missing: string | null;
  readonly showsData: boolean;
  readonly mayReplay: boolean;
  readonly nowMs: number;
}

export function jobTableOf(input: JobTableInput): JobTableProps {
  const { queue, instance, state, cursor, page } = input;
  const href = (wanted: JobState, at = 0): string =>
    `${queuePath(instance, queue.id)}?${new URLSearchParams({ state: wanted, ...(at > 0 ? { cursor: String(at) } : {}) })}#jobs`;
  const rows = page?.jobs ?? [];
  const last = cursor + rows.length;
  return {
    states: STATES.map(([name, label, count]) => ({
      label,
      count: formatCount(name === state && page ? page.total : count(queue)),
      href: href(name),
      isCurrent: name === state,
    })),
    rows: rows.map((job) => rowOf(job, input)),
    whenLabel: WHEN[state],
    hasReasons: state === 'failed',
    range:
      rows.length === 0
        ? ''
        : `${formatCount(cursor + 1)}–${formatCount(last)} of ${formatCount(page?.total ?? 0)}`,
    newer: cursor > 0 ? href(state, Math.max(0, cursor - JOBS_A_PAGE)) : null,
    older: page?.nextCursor != null ? href(state, page.nextCursor) : null,
    replayHref:
      rows.length > 0 && input.mayReplay && (state === 'failed' || state === 'completed')
        ? replayFormPath({ instance, queue: queue.id, from: state })
        : null,
    search: queuePath(instance, queue.id),
    note:
      input.problem ??
      (input.missing === null
        ? rows.length === 0
          ? 'No job is in this state.'
          : ''
        : `No job ${plainName(input.missing)} is in this queue.`),
  };
}

function rowOf(job: JobRow, { queue, instance, state, showsData, nowMs }: JobTableInput): JobRowProps {
  const when = whenOf(job, state);
  return {
    id: job.id,
    href: jobPath(instance, queue.id, job.id),
    name: job.name,
    typeHref: jobTypePath(instance, queue.id, job.name),
    added: job.timestampMs === null ? null : moment(job.timestampMs, nowMs),
    when: when === null ? null : moment(when, nowMs),
    duration: durationOf(job, state, nowMs),
    attempts: formatCount(job.attemptsMade),
    // What a job failed with often quotes its data.
    reason: showsData ? job.failedReason : null,
  };
}

/** From its start to its end, or until now. */
function durationOf({ processedAtMs, finishedAtMs }: JobRow, state: JobState, nowMs: number): string {
  const endMs =
    state === 'active' ? nowMs : state === 'completed' || state === 'failed' ? finishedAtMs : null;
  return processedAtMs === null || endMs === null
    ? UNKNOWN
    : formatRunTime(Math.max(0, endMs - processedAtMs));
}

function whenOf(job: JobRow, state: JobState): number | null {
  if (state === 'completed' || state === 'failed') return job.finishedAtMs;
  if (state === 'active' || state === 'waiting-children') return job.processedAtMs;
  return job.timestampMs === null ? null : job.timestampMs + job.delayMs;
}

export interface JobInput {
  readonly job: JobDetail;
  readonly queue: QueueState;
  readonly instance: string;
  readonly role: Role;
  readonly jobDataRole: Role;
  readonly nowMs: number;
}

/** One job; its payloads only for those who may see them. */
export function jobPageOf({ job, queue, instance, role, jobDataRole, nowMs }: JobInput): JobPageProps {
  const showsData = includesRole(role, jobDataRole);
  return {
    id: job.id,
    name: job.name,
    state: job.state,
    queue: { name: queue.name, href: queuePath(instance, queue.id) },
    facts: factsOf(job, nowMs),
    actions: includesRole(role, 'operator') ? actionsOf(job, queue, instance) : [],
    replayHref: includesRole(role, 'operator') ? replayHrefOf(job, queue, instance, showsData) : null,
    payloads: showsData ? payloadsOf(job) : null,
    dataRole: jobDataRole,
    note: job.isTruncated && showsData ? 'Large fields and long logs are cut here.' : '',
  };
}

function factsOf(job: JobDetail, nowMs: number): readonly Fact[] {
  const at = (ms: number | null): string => (ms === null ? UNKNOWN : moment(ms, nowMs).text);
  return [
    { label: 'Added', value: at(job.timestampMs) },
    { label: 'Started', value: at(job.processedAtMs) },
    { label: 'Finished', value: at(job.finishedAtMs) },
    { label: 'Attempts', value: formatCount(job.attemptsMade) },
    { label: 'Priority', value: job.priority === 0 ? UNKNOWN : formatCount(job.priority) },
    { label: 'Delay', value: job.delayMs === 0 ? UNKNOWN : formatDuration(job.delayMs / 1000) },
    { label: 'Memory', value: job.memoryBytes === null ? UNKNOWN : formatBytes(job.memoryBytes) },
    { label: 'Worker', value: job.processedBy ?? UNKNOWN },
    { label: 'Parent', value: job.parentKey ?? UNKNOWN },
  ];
}

function actionsOf(job: JobDetail, queue: QueueState, instance: string): JobPageProps['actions'] {
  const link = (action: string): string =>
    actionPath({ action, instance, queues: [queue.id], jobId: job.id });
  return [
    ...(job.state === 'failed' || job.state === 'completed'
      ? [{ label: 'Retry', href: link('job.retry') }]
      : []),
    ...(job.state === 'delayed' ? [{ label: 'Promote', href: link('job.promote') }] : []),
    ...(job.state === 'active' ? [] : [{ label: 'Remove', href: link('job.remove') }]),
  ];
}

/** The form that brings back its like: of the same type, and with the same error where the role may see it. */
function replayHrefOf(
  job: JobDetail,
  queue: QueueState,
  instance: string,
  showsData: boolean,
): string | null {
  if (job.state !== 'failed' && job.state !== 'completed') return null;
  return replayFormPath({
    instance,
    queue: queue.id,
    from: job.state,
    jobType: job.name,
    ...(showsData && job.failedReason !== null ? { errorText: job.failedReason } : {}),
  });
}

function payloadsOf(job: JobDetail): readonly Payload[] {
  const logs =
    job.logs.length < job.logsTotal
      ? `Logs, the last ${job.logs.length} of ${formatCount(job.logsTotal)}`
      : 'Logs';
  return [
    ...(job.failedReason === null ? [] : [{ title: 'Failed because', text: job.failedReason }]),
    ...job.stackTrace
      .slice(-3)
      .map((text, i, all) => ({ title: all.length > 1 ? `Stack trace ${i + 1}` : 'Stack trace', text })),
    { title: 'Data', text: indented(job.data) },
    { title: 'Options', text: indented(job.opts) },
    ...(job.returnValue === null ? [] : [{ title: 'Return value', text: indented(job.returnValue) }]),
    ...(job.progress === null ? [] : [{ title: 'Progress', text: indented(job.progress) }]),
    ...(job.logs.length === 0 ? [] : [{ title: logs, text: job.logs.join('\n') }]),
  ];
}

/** JSON with line breaks, or the text as it is where it is none. */
function indented(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
