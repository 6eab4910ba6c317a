import type { RunningJob } from '../../agent/protocol.js';
import { type Evidence, fact } from '../model/evidence.js';
import { formatCount, formatDuration } from '../model/format.js';
import { attendedMs } from '../model/self-delay.js';
import type { QueueState, Snapshot } from '../model/snapshot.js';
import type { AgentFacts, SeenWorker, WorkerState, WorkerVerdict } from '../model/worker.js';

/** A job may take three times the slowest in a hundred of its kind, and 5 s at least, before it counts as hanging. */
const PATIENCE = 3;
const MIN_PATIENCE_MS = 5_000;
/**
 * And half as long again as the longest that ended lately: of a client that batches thousands of runs end at once where its
 * batches fill, and then a few wait for its timer.
 */
const LONGEST_PATIENCE = 1.5;
/** For kinds of which too few have run to know what is usual. */
export const UNKNOWN_PATIENCE_MS = 60_000;
const KNOWN_RUNS = 20;

type Queue = Pick<QueueState, 'types'> | null;

/** Jobs that run longer than is usual for their kind, longest first. */
export function hangingJobs(agent: AgentFacts, queue: Queue, nowMs: number): readonly RunningJob[] {
  return agent.oldest.filter((job) => nowMs - job.startedAtMs > patienceOf(agent, queue, job.type));
}

export function patienceOf(agent: AgentFacts, queue: Queue, type: string): number {
  const run = agent.types.find(({ name }) => name === type)?.run;
  if (!run || run.count < KNOWN_RUNS) return UNKNOWN_PATIENCE_MS;
  const longestMs = Math.max(run.longestMs, longestElsewhereMs(queue, type));
  return Math.max(MIN_PATIENCE_MS, PATIENCE * run.p99Ms, LONGEST_PATIENCE * longestMs);
}

/** Of all processes of the queue lately: one that has just started does not know what its kind may take. */
function longestElsewhereMs(queue: Queue, type: string): number {
  const histogram = queue?.types.find(({ name }) => name === type)?.run?.histogram ?? [];
  return Math.max(0, ...histogram.filter(({ count }) => count > 0).map(({ upToMs }) => upToMs));
}

export function usualWords(agent: AgentFacts, type: string): string {
  const run = agent.types.find(({ name }) => name === type)?.run;
  return run && run.count >= KNOWN_RUNS
    ? `, and 99 of 100 take at most ${formatDuration(run.p99Ms / 1000)}`
    : '';
}

export function hangingWords(agent: AgentFacts, queue: Queue, nowMs: number): string {
  const count = hangingJobs(agent, queue, nowMs).length;
  return count === 0
    ? ''
    : `, but ${formatCount(count)} of its ${formatCount(agent.running)} running jobs ${count === 1 ? 'takes' : 'take'} far longer than usual`;
}

export function hangingEvidence(agent: AgentFacts, queue: Queue, nowMs: number): readonly Evidence[] {
  const hanging = hangingJobs(agent, queue, nowMs);
  const [oldest] = hanging;
  if (!oldest) return [];
  return [
    fact('hanging-slots', 'hung slots', hanging.length, 'count'),
    fact(
      'longest-running',
      `longest: ${oldest.type}`,
      Math.round((nowMs - oldest.startedAtMs) / 100) / 10,
      'seconds',
    ),
  ];
}

/** One beat a second: with this, one may be lost or late. */
const SILENT_MS = 2_500;

/** In time that the console could listen: a beat that came while it was held up has not been read yet. */
export function isSilent(agent: AgentFacts, { nowMs, snapshot }: WorkerContext): boolean {
  return attendedMs(snapshot.self, agent.lastBeatAtMs, nowMs) > SILENT_MS;
}

export function flow(agent: AgentFacts): readonly Evidence[] {
  return [
    fact('slots-busy', 'slots busy', `${agent.running} of ${agent.concurrency.now}`),
    fact('finished-rate', 'finished', agent.finishedPerSecond, 'jobs/s'),
  ];
}

export function slotsOfWorker(agent: AgentFacts): string {
  return `${formatCount(agent.running)} of ${formatCount(agent.concurrency.now)} slots`;
}

export function expiry({ locks }: SeenWorker, nowMs: number): string {
  if (locks === null) return '';
  if (locks.lastExpiryAtMs === null) return ' now';
  return ` within ${formatDuration(Math.max(1, (locks.lastExpiryAtMs - nowMs) / 1000))}, when the last lock runs out`;
}

export function ago(atMs: number, { nowMs }: WorkerContext): string {
  return `${formatDuration(Math.max(0, nowMs - atMs) / 1000)} ago`;
}

export function seconds(ms: number): number {
  return Math.round(ms / 100) / 10;
}

export function judged(verdict: WorkerVerdict, sentence: string, evidence: readonly Evidence[]): Judged {
  return { verdict, sentence, evidence };
}

/** What is known beside the worker when it is judged. */
export interface WorkerContext {
  readonly queue: QueueState | null;
  readonly snapshot: Pick<Snapshot, 'nodes' | 'hearing' | 'link' | 'self'>;
  readonly nowMs: number;
}

/** What a worker is and why, before it is known who its peers are. */
export type Judged = Pick<WorkerState, 'verdict' | 'sentence' | 'evidence'>;
