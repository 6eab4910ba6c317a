import type { State } from '../../../views/band.js';
import type { IconName } from '../../../views/icon.js';
import { actionPath, encodePart, placeOf, queuePath } from '../../../views/links.js';
import type { QueueRowProps, Setting } from '../../../views/queue-row.js';
import { elementId, rateNumber, UNKNOWN } from '../../../views/words.js';
import { compareSeverity } from '../../findings/track.js';
import type { ProblemOf, QueueProblem } from '../../findings/trouble.js';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatRateLimit,
  formatRatio,
  rowSeconds,
} from '../../model/format.js';
import { compareTypes, typesOfQueue, typeTroubles } from '../../model/job-type-order.js';
import { drainSecondsOf, waitedSeconds, workersOf } from '../../model/queue-verdict.js';
import type { QueueState, QueueVerdict, Snapshot, UnreadQueue } from '../../model/snapshot.js';
import { troublesInWords } from './job-type-words.js';

interface VerdictWords {
  readonly word: string;
  readonly state: State;
  readonly icon: IconName;
}

const VERDICTS: Readonly<Record<QueueVerdict, VerdictWords>> = {
  'no-workers': { word: 'no workers', state: 'critical', icon: 'no-workers' },
  'workers-paused': { word: 'workers paused', state: 'critical', icon: 'paused' },
  stuck: { word: 'stuck', state: 'critical', icon: 'stuck' },
  'blocked-by-memory': { word: 'Redis full', state: 'critical', icon: 'blocked-by-memory' },
  overloaded: { word: 'overloaded', state: 'warning', icon: 'growing' },
  growing: { word: 'growing', state: 'warning', icon: 'growing' },
  paused: { word: 'paused by app', state: 'info', icon: 'paused' },
  'paused-by-spillway': { word: 'paused', state: 'info', icon: 'paused-by-spillway' },
  capped: { word: 'capped', state: 'warning', icon: 'capped' },
  'rate-limited': { word: 'rate-limited', state: 'info', icon: 'rate-limited' },
  failing: { word: 'failing', state: 'warning', icon: 'stuck' },
  running: { word: 'running', state: 'calm', icon: 'flowing' },
  waiting: { word: 'waiting', state: 'info', icon: 'paused' },
  flowing: { word: 'flowing', state: 'calm', icon: 'flowing' },
  idle: { word: 'idle', state: 'calm', icon: 'idle' },
};

/**
 * A queue's verdict in a word, never calmer than what is found about the queue: where its flow is no trouble and a finding
 * is, the word says so.
 * @param problem the worst that is found about it; null: nothing.
 */
export function verdictWordsOf(
  queue: Pick<QueueState, 'verdict' | 'flow' | 'backlog'>,
  problem: QueueProblem | null,
): VerdictWords & { readonly problem: string } {
  const words = VERDICTS[queue.verdict];
  // A stopped queue with work behind it is somebody's trouble, without it nobody's.
  const state = queue.flow !== 'running' && queue.backlog > 0 ? 'warning' : words.state;
  if (problem === null) return { ...words, state, problem: '' };
  const { severity, headline } = problem;
  if (state === 'critical' || state === 'warning')
    return { ...words, state: compareSeverity(state, severity) < 0 ? state : severity, problem: headline };
  return { word: 'problem', state: severity, icon: severity, problem: headline };
}

export interface RowContext {
  readonly problemOf: ProblemOf;
  readonly canAct: boolean;
  readonly hasManyInstances: boolean;
}

/** One queue as a row of the table. */
export function queueRowOf(queue: QueueState, snapshot: Snapshot, context: RowContext): QueueRowProps {
  const { canAct } = context;
  const { instance } = snapshot;
  const words = verdictWordsOf(queue, context.problemOf(instance, queue.id));
  const oldest = waitedSeconds(queue, snapshot);
  const used = snapshot.nodes.reduce((sum, node) => sum + node.countedBytes, 0);
  return {
    id: elementId('queue', `${instance}/${queue.id}`),
    queueId: queue.id,
    name: queue.name,
    place: placeOf(queue, instance, context.hasManyInstances),
    href: queuePath(instance, queue.id),
    state: words.state,
    icon: words.icon,
    verdict: words.word,
    problem: words.problem,
    types: typeBadgeOf(queue, instance),
    depth: formatCount(queue.backlog),
    active: formatCount(queue.counts.active),
    trend: sparklinePoints(queue.depthTrend),
    arrivals: rateNumber(queue.rates?.arrivalsPerSecond),
    departures: rateNumber(queue.rates?.departuresPerSecond),
    oldest: oldest === null ? UNKNOWN : formatDuration(oldest),
    drain: drainInWords(queue),
    memory: queue.memory ? formatBytes(queue.memory.totalBytes) : UNKNOWN,
    memoryShare:
      queue.memory && used > 0 ? formatRatio(Math.round((queue.memory.totalBytes / used) * 100) / 100) : '',
    failed: formatCount(queue.counts.failed),
    workers: workersInWords(queue, snapshot),
    concurrency: concurrencySetting(queue, instance, canAct),
    rateLimit: rateLimitSetting(queue, instance, canAct),
    flow: canAct ? flowAction(queue, instance) : null,
    checkbox: canAct ? { value: `${instance}/${encodePart(queue.id)}`, label: `Select ${queue.name}` } : null,
  };
}

/** A queue of which nothing is known now: what waited when it was last read, and no number that would pass for one of now. */
export function unreadRowOf(queue: UnreadQueue, snapshot: Snapshot, context: RowContext): QueueRowProps {
  const { instance } = snapshot;
  const setting: Setting = { value: UNKNOWN, label: '', href: null };
  return {
    id: elementId('queue', `${instance}/${queue.id}`),
    queueId: queue.id,
    name: queue.name,
    place: placeOf(queue, instance, context.hasManyInstances),
    href: queuePath(instance, queue.id),
    ...NOT_KNOWN,
    state: context.problemOf(instance, queue.id)?.severity ?? NOT_KNOWN.state,
    problem: queue.problem,
    types: null,
    depth: queue.last ? `was ${formatCount(queue.last.backlog)}` : UNKNOWN,
    active: UNKNOWN,
    trend: '',
    arrivals: UNKNOWN,
    departures: UNKNOWN,
    oldest: UNKNOWN,
    drain: UNKNOWN,
    memory: UNKNOWN,
    memoryShare: '',
    failed: UNKNOWN,
    workers: UNKNOWN,
    concurrency: setting,
    rateLimit: setting,
    flow: null,
    checkbox: context.canAct
      ? { value: `${instance}/${encodePart(queue.id)}`, label: `Select ${queue.name}` }
      : null,
  };
}

/** What stands in place of a verdict where a queue can't be read. */
export const NOT_KNOWN = { state: 'warning', icon: 'stuck', verdict: 'not known' } as const;

function typeBadgeOf(queue: QueueState, instance: string): QueueRowProps['types'] {
  const troubled = typesOfQueue(queue)
    .toSorted(compareTypes('slow'))
    .flatMap(({ type }) => {
      const [worst] = typeTroubles(type);
      return worst === undefined ? [] : { name: type.name, worst };
    });
  if (troubled.length === 0) return null;
  return {
    count: formatCount(troubled.length),
    text: troublesInWords(troubled),
    href: `${queuePath(instance, queue.id)}#job-types`,
  };
}

const TROUBLED: ReadonlySet<string> = new Set(['crashed', 'stuck', 'silent', 'blocked']);

/** "7 of 8" where agents tell that some are in trouble; else how many are connected. */
function workersInWords(queue: QueueState, snapshot: Snapshot): string {
  const judged = workersOf(snapshot, queue.id).filter(({ agent }) => agent !== null);
  const troubled = judged.filter(({ verdict }) => TROUBLED.has(verdict)).length;
  const known = Math.max(judged.length, queue.workers ?? 0);
  if (troubled > 0) return `${formatCount(known - troubled)} of ${formatCount(known)}`;
  return queue.workers === null && known === 0 ? UNKNOWN : formatCount(known);
}

export function drainInWords(queue: QueueState): string {
  const seconds = drainSecondsOf(queue);
  return seconds === null ? UNKNOWN : formatDuration(rowSeconds(seconds));
}

/** While paused the setting that comes back is what a person wants to see. */
function concurrencySetting(queue: QueueState, instance: string, canAct: boolean): Setting {
  const value =
    queue.flow === 'paused-by-spillway' ? (queue.pause?.formerConcurrency ?? null) : queue.concurrency;
  return {
    value: value === null ? 'any' : formatCount(value),
    label: `Change how many jobs of ${queue.name} run at once, now ${value ?? 'any number'}`,
    href: canAct ? actionPath({ action: 'queue.concurrency', instance, queues: [queue.id] }) : null,
  };
}

function rateLimitSetting(queue: QueueState, instance: string, canAct: boolean): Setting {
  const limit = queue.rateLimit;
  const value = limit === null ? 'none' : shortRateLimit(limit.max, limit.durationMs);
  return {
    value,
    label: `Change the rate limit of ${queue.name}, now ${limit === null ? 'none' : formatRateLimit(limit.max, limit.durationMs)}`,
    href: canAct ? actionPath({ action: 'queue.rate-limit', instance, queues: [queue.id] }) : null,
  };
}

/** "10/s" */
export function shortRateLimit(max: number, durationMs: number): string {
  return durationMs === 1000
    ? `${formatCount(max)}/s`
    : `${formatCount(max)}/${formatDuration(durationMs / 1000)}`;
}

export function flowAction(queue: QueueState, instance: string): { label: string; href: string } {
  const action = queue.flow === 'running' ? 'queue.pause' : 'queue.resume';
  return {
    label: queue.flow === 'running' ? 'Pause' : 'Resume',
    href: actionPath({ action, instance, queues: [queue.id] }),
  };
}

const WIDTH = 80;
const HEIGHT = 20;
const MAX_POINTS = 40;

/** Points of a line through the last depths, on a scale from 0 to their largest. Empty where nothing ever waited. */
export function sparklinePoints(depths: readonly number[]): string {
  const step = Math.max(1, Math.ceil(depths.length / MAX_POINTS));
  const picked = depths.filter((_, i) => (depths.length - 1 - i) % step === 0);
  const largest = Math.max(0, ...picked);
  if (picked.length < 2 || largest <= 0) return '';
  return picked
    .map((depth, i) => {
      const x = Math.round((i / (picked.length - 1)) * WIDTH);
      const y = Math.round((HEIGHT - 1 - (depth / largest) * (HEIGHT - 2)) * 2) / 2;
      return `${x},${y}`;
    })
    .join(' ');
}
