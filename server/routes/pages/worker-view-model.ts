import type { FleetHeadProps } from '../../../views/fleet-head.js';
import type { IconName } from '../../../views/icon.js';
import { actionPath, encodePart, queuePath } from '../../../views/links.js';
import type { State } from '../../../views/state.js';
import { elementId, moment, rateNumber, UNKNOWN } from '../../../views/words.js';
import type { WorkerRowProps, WorkerTableProps } from '../../../views/worker-table.js';
import { formatBytes, formatCount, formatDuration, formatRateLimit } from '../../model/format.js';
import { includesRole, type Role } from '../../model/role.js';
import type { Snapshot } from '../../model/snapshot.js';
import { plainName } from '../../model/words.js';
import type { AgentFacts, Override, WorkerState, WorkerVerdict } from '../../model/worker.js';
import { byTrouble } from '../../model/worker.js';

export const WORKER_VERDICTS: Readonly<
  Record<WorkerVerdict, { readonly word: string; readonly state: State; readonly icon: IconName }>
> = {
  crashed: { word: 'crashed', state: 'critical', icon: 'no-workers' },
  stuck: { word: 'stuck', state: 'critical', icon: 'stuck' },
  silent: { word: 'silent', state: 'critical', icon: 'critical' },
  blocked: { word: 'blocked', state: 'critical', icon: 'blocked-by-memory' },
  overloaded: { word: 'overloaded', state: 'warning', icon: 'growing' },
  unknown: { word: 'not known', state: 'info', icon: 'blind' },
  capped: { word: 'capped', state: 'info', icon: 'capped' },
  'rate-limited': { word: 'rate-limited', state: 'info', icon: 'rate-limited' },
  draining: { word: 'draining', state: 'info', icon: 'arrow' },
  paused: { word: 'paused', state: 'info', icon: 'paused' },
  healthy: { word: 'healthy', state: 'calm', icon: 'calm' },
};

const MB = 1024 * 1024;
/** Beats come once a second. */
const SILENT_AFTER_MS = 2_500;
const OUTSIDE_WORD = 'no agent';
const OUTLIER_WORD = 'outlier';

import { upperFirst } from './preview-view-model.js';

export interface WorkerRowContext {
  readonly role: Role;
  readonly nowMs: number;
  /** The page is about many queues. */
  readonly hasQueue: boolean;
  readonly hasManyInstances: boolean;
}

export function workerRowOf(
  worker: WorkerState,
  snapshot: Snapshot,
  context: WorkerRowContext,
): WorkerRowProps {
  const { agent, verdict, outlier } = worker;
  // What it said last is not so any more.
  const heard = saysNothingNow(worker, snapshot.atMs) ? null : agent;
  const words = WORKER_VERDICTS[verdict];
  const canAct = includesRole(context.role, 'operator');
  const queueName = worker.queueId.slice(worker.queueId.lastIndexOf(':') + 1);
  return {
    id: elementId('worker', `${snapshot.instance}/${worker.id}`),
    label: plainName(worker.label),
    about: aboutOf(worker),
    queue: context.hasQueue
      ? {
          text: plainName(context.hasManyInstances ? `${snapshot.instance} · ${queueName}` : queueName),
          href: queuePath(snapshot.instance, worker.queueId),
        }
      : null,
    state: verdict === 'healthy' && outlier ? 'warning' : words.state,
    icon: words.icon,
    verdict: wordOf(worker),
    sentence: worker.sentence,
    outlier: outlier?.sentence ?? '',
    hasAgent: agent !== null,
    busy: heard === null ? UNKNOWN : formatCount(heard.running),
    slots: {
      value: agent === null || verdict === 'crashed' ? UNKNOWN : formatCount(agent.concurrency.now),
      label: `Change how many jobs ${worker.label} runs at once, now ${agent?.concurrency.now ?? 'not known'}`,
      href:
        canAct && agent && verdict !== 'crashed'
          ? action('worker.concurrency', snapshot.instance, worker.id)
          : null,
    },
    deployed:
      agent && verdict !== 'crashed' && agent.concurrency.deployed !== agent.concurrency.now
        ? `deployed ${formatCount(agent.concurrency.deployed)}`
        : '',
    trend: heard?.finishedTrend ?? [],
    finished: rateNumber(heard?.finishedPerSecond),
    failed: rateNumber(heard?.failedPerSecond),
    run: runOf(heard),
    waited: heard?.wait ? formatDuration(heard.wait.p50Ms / 1000) : UNKNOWN,
    loop: heard ? `${Math.round(heard.loopDelayP99Ms / 5) * 5} ms` : UNKNOWN,
    // By the megabyte it would change every second and say no more.
    memory:
      typeof heard?.rssBytes === 'number'
        ? formatBytes(Math.round(heard.rssBytes / (10 * MB)) * 10 * MB)
        : UNKNOWN,
    orders: (agent?.overrides ?? [])
      .filter(({ scope }) => scope !== '*')
      .map((order) => orderInWords(order, context.nowMs))
      .concat(refusalsOf(agent)),
    actions: canAct && agent ? actionsOf(worker, snapshot.instance, agent) : [],
    checkbox: canAct
      ? { value: `${snapshot.instance}/${encodePart(worker.id)}`, label: `Select ${worker.label}` }
      : null,
  };
}

/** Without a heartbeat what it said last tells nothing of now: it is gone, or its process hangs. */
function saysNothingNow({ verdict, agent }: WorkerState, atMs: number): boolean {
  return (
    verdict === 'crashed' || (verdict === 'stuck' && atMs - (agent?.lastBeatAtMs ?? atMs) > SILENT_AFTER_MS)
  );
}

/** "pid 4711 · BullMQ 6.7.0", or that there is no agent. */
function aboutOf(worker: WorkerState): string {
  if (worker.agent === null) return 'no agent';
  const version = worker.agent.bullmqVersion;
  const labels = Object.entries(worker.agent.labels)
    .slice(0, 3)
    .map(([key, value]) => plainName(`${key} ${value}`));
  return [`pid ${worker.pid ?? UNKNOWN}`, version ? `BullMQ ${version}` : '', ...labels]
    .filter((part) => part !== '')
    .join(' · ');
}

function runOf(agent: AgentFacts | null): string {
  const run = agent?.types.find((type) => type.run !== null)?.run;
  if (!run) return UNKNOWN;
  return `${formatDuration(run.p50Ms / 1000)}, p99 ${formatDuration(run.p99Ms / 1000)}`;
}

function actionsOf(
  { id, verdict, replacedBy }: WorkerState,
  instance: string,
  agent: AgentFacts,
): WorkerRowProps['actions'] {
  if (verdict === 'crashed')
    return replacedBy ? [] : [{ label: 'Dismiss', href: action('worker.dismiss', instance, id) }];
  const own = agent.overrides.some(({ scope }) => scope !== '*');
  return [
    ...(verdict === 'silent' ? [{ label: 'Reconnect', href: action('worker.reconnect', instance, id) }] : []),
    agent.paused === null || agent.paused === 'guard'
      ? { label: 'Pause', href: action('worker.pause', instance, id) }
      : { label: 'Resume', href: action('worker.resume', instance, id) },
    { label: 'Limiter', href: action('worker.limiter', instance, id) },
    ...(own ? [{ label: 'Revert', href: action('worker.revert', instance, id) }] : []),
  ];
}

function action(name: string, instance: string, worker: string): string {
  return actionPath({ action: name, instance, workers: [worker] });
}

function refusalsOf(agent: AgentFacts | null): readonly string[] {
  return (agent?.overrides ?? []).flatMap(({ refusal, by }) =>
    refusal === null ? [] : `Does not follow the order by ${plainName(by)}: ${refusal}.`,
  );
}

/** "Concurrency 20 by ada since 12:00:00 UTC: drain the backlog; until 13:00:00 UTC" */
export function orderInWords(order: Override, nowMs: number): string {
  const until = order.untilMs === null ? '' : `; until ${moment(order.untilMs, nowMs).text}`;
  return `${upperFirst(overrideInWords(order))} by ${plainName(order.by)} since ${moment(order.atMs, nowMs).text}${order.reason ? `: ${order.reason.slice(0, 200)}` : ''}${until}`;
}

/** "concurrency 50", "paused" */
export function overrideInWords({ setting, value }: Override): string {
  if (setting === 'paused') return value ? 'paused' : 'kept running';
  if (setting === 'limiter') {
    if (value === 'none') return 'no limiter';
    if (typeof value === 'object' && value !== null && 'max' in value)
      return `limiter ${formatRateLimit(value.max, value.durationMs)}`;
    return 'limiter';
  }
  if (typeof value === 'object' && value !== null && 'factor' in value)
    return `concurrency × ${value.factor}`;
  return `concurrency ${typeof value === 'number' ? formatCount(value) : 'as deployed'}`;
}

/** One word for a worker, wherever it is told: an outlier that is otherwise well is what its finding calls it. */
function wordOf({ verdict, agent, outlier }: WorkerState): string {
  if (agent === null && verdict === 'unknown') return OUTSIDE_WORD;
  return verdict === 'healthy' && outlier ? OUTLIER_WORD : WORKER_VERDICTS[verdict].word;
}

/** "7 healthy, 1 crashed": worst first, each worker once. */
export function verdictsInWords(workers: readonly WorkerState[]): string {
  if (workers.length === 0) return 'No workers';
  const counts = new Map<string, number>();
  for (const worker of [...workers].sort(byTrouble)) {
    const word = wordOf(worker);
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return [...counts].map(([word, count]) => `${formatCount(count)} ${word}`).join(', ');
}

/** "34 of 120 slots busy, 60 deployed" */
export function slotsInWords(workers: readonly WorkerState[]): string {
  const agents = workers.flatMap(({ agent, verdict }) => (verdict === 'crashed' ? [] : (agent ?? [])));
  if (agents.length === 0) return '';
  const sum = (read: (agent: AgentFacts) => number): number =>
    agents.reduce((total, one) => total + read(one), 0);
  const [busy, now, deployed] = [
    sum((agent) => agent.running),
    sum((agent) => agent.concurrency.now),
    sum((agent) => agent.concurrency.deployed),
  ];
  const was = deployed === now ? '' : `, ${formatCount(deployed)} deployed`;
  return `${formatCount(busy)} of ${formatCount(now)} slots busy${was}`;
}

/** What is said above a table of workers. */
export function fleetHeadOf(
  id: string,
  workers: readonly WorkerState[],
  snapshots: readonly Snapshot[],
  more: Pick<FleetHeadProps, 'orders' | 'actions'>,
  nowMs: number,
): FleetHeadProps {
  const [worst] = [...workers].sort(byTrouble);
  const words = WORKER_VERDICTS[worst?.verdict ?? 'healthy'];
  const outside = workers.filter(({ agent }) => agent === null).length;
  return {
    id,
    summary: verdictsInWords(workers),
    slots: slotsInWords(workers),
    state: worst ? words.state : 'info',
    icon: worst ? words.icon : 'info',
    deaf: deafInWords(snapshots, nowMs),
    ...more,
    attach:
      outside === 0
        ? ''
        : `${outside === 1 ? '1 worker has' : `${formatCount(outside)} workers have`} no agent: slots, run times and errors can’t be seen or changed there. In the worker’s process:`,
  };
}

function deafInWords(snapshots: readonly Snapshot[], nowMs: number): string {
  return snapshots
    .filter(({ hearing, link }) => hearing.status !== 'hearing' && link.status === 'live')
    .map(({ instance, hearing }) => {
      const since = moment(hearing.lastHeardAtMs ?? hearing.sinceMs, nowMs).text;
      const why = hearing.problem ? ` (${hearing.problem})` : '';
      return `Agents on Redis ${instance} can’t be heard since ${since}${why}: what workers say below is from then.`;
    })
    .join(' ');
}

const MAX_ROWS = 100;

export function workerTableOf(
  judged: readonly { readonly worker: WorkerState; readonly snapshot: Snapshot }[],
  context: WorkerRowContext,
  most = MAX_ROWS,
): WorkerTableProps {
  const shown = judged.slice(0, most);
  return {
    rows: shown.map(({ worker, snapshot }) => workerRowOf(worker, snapshot, context)),
    hasQueue: context.hasQueue,
    canAct: includesRole(context.role, 'operator'),
    more:
      judged.length > most
        ? `The ${formatCount(most)} worst of ${formatCount(judged.length)}; search for the others, or GET …/workers.`
        : '',
    empty: 'No worker is connected.',
  };
}
