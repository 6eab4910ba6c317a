import { formatCount, formatRateLimit } from '../server/model/format.js';
import type { QueueState, Snapshot } from '../server/model/snapshot.js';
import { plainName } from '../server/model/words.js';
import type { AgentFacts, Override, WorkerState, WorkerVerdict } from '../server/model/worker.js';
import { byTrouble } from '../server/model/worker.js';
import type { IconName } from './icon.js';
import type { State } from './state.js';
import { moment } from './words.js';

/** What a worker's state is called, and how it is drawn: each that is trouble has a shape of its own. */
interface WorkerWords {
  readonly word: string;
  readonly state: State;
  readonly icon: IconName;
}

const VERDICTS: Readonly<Record<WorkerVerdict, WorkerWords>> = {
  crashed: { word: 'crashed', state: 'critical', icon: 'no-workers' },
  stuck: { word: 'hung', state: 'critical', icon: 'stuck' },
  silent: { word: 'not consuming', state: 'critical', icon: 'deaf' },
  blocked: { word: 'blocked', state: 'critical', icon: 'blocked-by-memory' },
  overloaded: { word: 'saturated', state: 'warning', icon: 'growing' },
  unknown: { word: 'not known', state: 'info', icon: 'blind' },
  capped: { word: 'capped', state: 'info', icon: 'capped' },
  'rate-limited': { word: 'rate-limited', state: 'info', icon: 'rate-limited' },
  draining: { word: 'draining', state: 'info', icon: 'arrow' },
  paused: { word: 'paused', state: 'info', icon: 'paused' },
  healthy: { word: 'healthy', state: 'calm', icon: 'calm' },
};

/** One word for a worker, wherever it is shown: an outlier that is otherwise well is what its finding calls it. */
export function workerWordsOf({
  verdict,
  agent,
  outlier,
}: Pick<WorkerState, 'verdict' | 'agent' | 'outlier'>): WorkerWords {
  if (agent === null && verdict === 'unknown') return { ...VERDICTS.unknown, word: 'no agent' };
  if (verdict === 'healthy' && outlier) return { word: 'outlier', state: 'warning', icon: 'warning' };
  return VERDICTS[verdict];
}

/** "1 crashed, 7 healthy": worst first, each worker once. */
export function verdictsInWords(workers: readonly WorkerState[]): string {
  if (workers.length === 0) return 'No workers';
  const counts = new Map<string, number>();
  for (const worker of [...workers].sort(byTrouble)) {
    const { word } = workerWordsOf(worker);
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return [...counts].map(([word, count]) => `${formatCount(count)} ${word}`).join(', ');
}

/** "34 of 120 slots busy, configured 60"; empty where no agent tells. */
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
  const was = deployed === now ? '' : `, configured ${formatCount(deployed)}`;
  return `${formatCount(busy)} of ${formatCount(now)} slots busy${was}`;
}

/** "Concurrency 20 by ada since 12:00:00 UTC: drain the backlog; until 13:00:00 UTC" */
export function orderInWords(order: Override, nowMs: number): string {
  const what = overrideInWords(order);
  const until = order.untilMs === null ? '' : `; until ${moment(order.untilMs, nowMs).text}`;
  return `${what.charAt(0).toUpperCase()}${what.slice(1)} by ${plainName(order.by)} since ${moment(order.atMs, nowMs).text}${order.reason ? `: ${order.reason.slice(0, 200)}` : ''}${until}`;
}

/** "concurrency 50", "paused" */
export function overrideInWords({ setting, value }: Pick<Override, 'setting' | 'value'>): string {
  if (setting === 'paused') return value ? 'paused' : 'kept running';
  if (setting === 'limiter') {
    if (value === 'none') return 'no rate limiter';
    if (typeof value === 'object' && value !== null && 'max' in value)
      return `rate limiter ${formatRateLimit(value.max, value.durationMs)}`;
    return 'rate limiter';
  }
  if (typeof value === 'object' && value !== null && 'factor' in value)
    return `concurrency × ${value.factor}`;
  return `concurrency ${typeof value === 'number' ? formatCount(value) : 'as configured'}`;
}

/** Beats come once a second. */
const SILENT_AFTER_MS = 2_500;

/** What its agent says of now; null: there is none, or it is gone or its process hangs, and what it said last is not so any more. */
export function heardNow({ verdict, agent }: WorkerState, atMs: number): AgentFacts | null {
  if (agent === null || verdict === 'crashed') return null;
  return verdict === 'stuck' && atMs - agent.lastBeatAtMs > SILENT_AFTER_MS ? null : agent;
}

/** "pid 4711 on web-1" */
export function processOf({ pid, host }: Pick<WorkerState, 'pid' | 'host'>): string {
  return [pid === null ? '' : `pid ${pid}`, host === null ? '' : `on ${plainName(host)}`]
    .filter((part) => part !== '')
    .join(' ');
}

/** The queue that a worker serves; null: it is not known now. */
export function queueOfWorker({ queueId }: WorkerState, { queues }: Snapshot): QueueState | null {
  return queues.find(({ id }) => id === queueId) ?? null;
}
