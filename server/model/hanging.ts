import type { RunningJob } from '../../agent/protocol.js';
import type { QueueState } from './snapshot.js';
import type { AgentFacts } from './worker.js';

/** A job may take three times the slowest in a hundred of its kind, and 5 s at least, before it counts as hanging. */
const P99_TIMES = 3;
const MIN_GRACE_MS = 5_000;
/**
 * And half as long again as the longest that ended lately: of a client that batches thousands of runs end at once where its
 * batches fill, and then a few wait for its timer.
 */
const LONGEST_TIMES = 1.5;
/** For kinds of which too few have run to know what is usual. */
export const UNKNOWN_GRACE_MS = 60_000;
export const KNOWN_RUNS = 20;

type Queue = Pick<QueueState, 'types'> | null;

/** Jobs that run longer than is usual for their kind, longest first. */
export function hangingJobs(agent: AgentFacts, queue: Queue, nowMs: number): readonly RunningJob[] {
  return agent.oldest.filter((job) => nowMs - job.startedAtMs > graceMsOf(agent, queue, job.type));
}

export function graceMsOf(agent: AgentFacts, queue: Queue, type: string): number {
  const run = agent.types.find(({ name }) => name === type)?.run;
  if (!run || run.count < KNOWN_RUNS) return UNKNOWN_GRACE_MS;
  const longestMs = Math.max(run.longestMs, longestElsewhereMs(queue, type));
  return Math.max(MIN_GRACE_MS, P99_TIMES * run.p99Ms, LONGEST_TIMES * longestMs);
}

/** Of all processes of the queue lately: one that has just started does not know what its kind may take. */
function longestElsewhereMs(queue: Queue, type: string): number {
  const histogram = queue?.types.find(({ name }) => name === type)?.run?.histogram ?? [];
  return Math.max(0, ...histogram.filter(({ count }) => count > 0).map(({ upToMs }) => upToMs));
}
