import type { QueueState } from '../watch/snapshot.js';
import type { QueueVerdict } from './verdict.js';
import { magnitude } from './words.js';

/** How much a verdict hurts those who wait for the jobs; steps of 100, so that the depth decides only among equals. */
const WEIGHT: Readonly<Record<QueueVerdict, number>> = {
  'no-workers': 800,
  stuck: 700,
  'blocked-by-memory': 600,
  overloaded: 550,
  growing: 500,
  paused: 400,
  halted: 400,
  capped: 300,
  'rate-limited': 200,
  flowing: 100,
  idle: 0,
};

/**
 * How far up a queue belongs in a list that is sorted by trouble: larger is worse. A stopped queue without jobs is
 * nobody's trouble.
 */
export function troubleOf(queue: QueueState, verdict: QueueVerdict): number {
  return queue.backlog > 0 ? WEIGHT[verdict] + magnitude(queue.backlog) : 0;
}
