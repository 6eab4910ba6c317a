import { type Evidence, fact } from '../model/evidence.js';
import { formatCount, formatDuration } from '../model/format.js';
import { hangingJobs, KNOWN_RUNS } from '../model/hanging.js';
import { attendedMs } from '../model/self-delay.js';
import type { QueueState, Snapshot } from '../model/snapshot.js';
import type { AgentFacts, SeenWorker, WorkerState, WorkerVerdict } from '../model/worker.js';

type Queue = Pick<QueueState, 'types'> | null;

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
