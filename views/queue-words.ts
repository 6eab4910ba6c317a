import type { Severity } from '../server/model/finding.js';
import { formatCount, formatDuration, rowSeconds } from '../server/model/format.js';
import type { TypeTrouble } from '../server/model/job-type-order.js';
import { drainSecondsOf } from '../server/model/queue-verdict.js';
import type { QueueState, QueueVerdict } from '../server/model/snapshot.js';
import { plainName } from '../server/model/words.js';
import type { IconName } from './icon.js';
import { actionPath } from './links.js';
import type { State } from './state.js';
import { UNKNOWN } from './words.js';

/** What a queue's state is called and how it is drawn. */
interface VerdictWords {
  readonly word: string;
  readonly state: State;
  readonly icon: IconName;
}

const VERDICTS: Readonly<Record<QueueVerdict, VerdictWords>> = {
  'no-workers': { word: 'no workers', state: 'critical', icon: 'no-workers' },
  'workers-paused': { word: 'workers paused', state: 'critical', icon: 'paused' },
  stuck: { word: 'no completions', state: 'critical', icon: 'stuck' },
  'blocked-by-memory': { word: 'Redis full', state: 'critical', icon: 'blocked-by-memory' },
  overloaded: { word: 'saturated', state: 'warning', icon: 'growing' },
  growing: { word: 'backlog growing', state: 'warning', icon: 'growing' },
  paused: { word: 'paused by app', state: 'info', icon: 'paused' },
  'paused-by-spillway': { word: 'paused', state: 'info', icon: 'paused-by-spillway' },
  capped: { word: 'capped', state: 'warning', icon: 'capped' },
  'rate-limited': { word: 'rate-limited', state: 'info', icon: 'rate-limited' },
  failing: { word: 'failing', state: 'warning', icon: 'stuck' },
  running: { word: 'running', state: 'calm', icon: 'flowing' },
  waiting: { word: 'waiting', state: 'info', icon: 'paused' },
  flowing: { word: 'OK', state: 'calm', icon: 'flowing' },
  idle: { word: 'idle', state: 'calm', icon: 'idle' },
};

/** What stands in place of a verdict where a queue can't be read. */
export const NOT_KNOWN: VerdictWords = { word: 'not known', state: 'warning', icon: 'stuck' };

/** The worst that is found about a queue. */
export interface FoundAbout {
  readonly severity: Exclude<Severity, 'info'>;
  readonly headline: string;
}

/**
 * A queue's verdict in a word, never calmer than what is found about the queue: where its flow is no trouble and a finding
 * is, the word says so.
 * @param problem null: nothing is found about it.
 */
export function verdictWordsOf(
  queue: Pick<QueueState, 'verdict' | 'flow' | 'backlog'>,
  problem: FoundAbout | null,
): VerdictWords & { readonly problem: string } {
  const words = VERDICTS[queue.verdict];
  // A stopped queue with work behind it is somebody's trouble, without it nobody's.
  const state = queue.flow !== 'running' && queue.backlog > 0 ? 'warning' : words.state;
  if (problem === null) return { ...words, state, problem: '' };
  const { severity, headline } = problem;
  if (state === 'critical' || state === 'warning')
    return { ...words, state: state === 'critical' ? state : severity, problem: headline };
  return { word: 'problem', state: severity, icon: severity, problem: headline };
}

export function drainInWords(queue: QueueState): string {
  const seconds = drainSecondsOf(queue);
  return seconds === null ? UNKNOWN : formatDuration(rowSeconds(seconds));
}

/** Pause or resume. */
export function flowAction(queue: QueueState, instance: string): { label: string; href: string } {
  const isRunning = queue.flow === 'running';
  const action = isRunning ? 'queue.pause' : 'queue.resume';
  return {
    label: isRunning ? 'Pause' : 'Resume',
    href: actionPath({ action, instance, queues: [queue.id] }),
  };
}

/** One or two words for a badge: "slow", "failing". */
const TROUBLE_WORDS: Readonly<Record<TypeTrouble, string>> = {
  failing: 'failing',
  absent: 'missing',
  'batch-wait': 'waits for batches',
  slow: 'slow',
};

/** "2 job types in trouble: send failing, track slow" */
export function troublesInWords(
  troubled: readonly { readonly name: string; readonly worst: TypeTrouble }[],
): string {
  const named = troubled.slice(0, 5).map(({ name, worst }) => `${plainName(name)} ${TROUBLE_WORDS[worst]}`);
  const more = troubled.length > 5 ? ` and ${formatCount(troubled.length - 5)} more` : '';
  const head = troubled.length === 1 ? '1 job type' : `${formatCount(troubled.length)} job types`;
  return `${head} in trouble: ${named.join(', ')}${more}`;
}
