import type { CurrentFinding, Severity } from '../model/finding.js';
import type { QueueState, QueueVerdict } from '../model/snapshot.js';
import { magnitude } from '../model/words.js';
import { compareSeverity } from './track.js';

/** How much a verdict hurts those who wait for the jobs; steps of 100, so that the depth decides only among equals. */
const WEIGHT: Readonly<Record<QueueVerdict, number>> = {
  'no-workers': 800,
  'workers-paused': 790,
  stuck: 700,
  'blocked-by-memory': 600,
  overloaded: 550,
  growing: 500,
  failing: 450,
  paused: 400,
  'paused-by-spillway': 400,
  capped: 300,
  'rate-limited': 200,
  waiting: 120,
  running: 110,
  flowing: 100,
  idle: 0,
};

/** Where the flow is not the trouble, but something else is found about the queue. */
const PROBLEM_WEIGHT: Readonly<Record<QueueProblem['severity'], number>> = { critical: 600, warning: 350 };

/**
 * How far up a queue belongs in a list that is sorted by trouble: larger is worse. A stopped queue without jobs is
 * nobody's trouble.
 * @param problem the worst that is found about it; null: nothing.
 */
export function troubleOf({ backlog, verdict }: QueueState, problem: QueueProblem | null): number {
  const byFlow = backlog > 0 ? WEIGHT[verdict] : 0;
  const weight = Math.max(byFlow, problem === null ? 0 : PROBLEM_WEIGHT[problem.severity]);
  return weight > 0 ? weight + magnitude(backlog) : 0;
}

/** Is a finding about a queue, alone, among others, or by what it explains? What is shown elsewhere must not be missed on the queue's own page. */
export function isAboutQueue(finding: CurrentFinding, instance: string, queueId: string): boolean {
  if (finding.instance !== instance) return false;
  if (finding.queue === queueId || finding.queues?.includes(queueId)) return true;
  return finding.explains?.some(({ queue }) => queue === queueId) ?? false;
}

/** The worst that is found about a queue, whatever its jobs do. */
interface QueueProblem {
  readonly severity: Exclude<Severity, 'info'>;
  readonly headline: string;
}

/** Looks up the worst problem of a queue; null: none, or only notes. */
export type ProblemOf = (instance: string, queueId: string) => QueueProblem | null;

/** What every list of queues asks, so that no row is calm while a finding about its queue is not. Pure. */
export function problemsByQueue(findings: readonly CurrentFinding[]): ProblemOf {
  const worst = new Map<string, QueueProblem>();
  const note = (instance: string, queue: string | null, problem: QueueProblem): void => {
    if (queue === null) return;
    const key = `${instance}|${queue}`;
    const known = worst.get(key);
    if (!known || compareSeverity(problem.severity, known.severity) < 0) worst.set(key, problem);
  };
  for (const { instance, severity, headline, queue, queues = [], explains = [] } of findings) {
    if (severity === 'info') continue;
    for (const id of [queue, ...queues]) note(instance, id, { severity, headline });
    // How bad an effect is by itself is not kept where its cause is shown; that it is one is.
    for (const effect of explains)
      note(instance, effect.queue, { severity: 'warning', headline: effect.headline });
  }
  return (instance, queueId) => worst.get(`${instance}|${queueId}`) ?? null;
}
