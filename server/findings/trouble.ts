import type { QueueState, QueueVerdict } from '../model/snapshot.js';
import { magnitude } from '../model/words.js';
import type { QueueProblem } from './queue-evidence.js';

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
