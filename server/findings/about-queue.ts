import type { CurrentFinding, Severity } from '../model/finding.js';
import { compareSeverity } from './track.js';

/** Is a finding about a queue, alone, among others, or by what it explains? What is told elsewhere must not be missed on the queue's own page. */
export function isAboutQueue(finding: CurrentFinding, instance: string, queueId: string): boolean {
  if (finding.instance !== instance) return false;
  if (finding.queue === queueId || finding.queues?.includes(queueId)) return true;
  return finding.explains?.some(({ queue }) => queue === queueId) ?? false;
}

/** The worst that is found about a queue, whatever its jobs do. */
export interface QueueProblem {
  readonly severity: Exclude<Severity, 'info'>;
  readonly title: string;
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
  for (const { instance, severity, title, queue, queues = [], explains = [] } of findings) {
    if (severity === 'info') continue;
    for (const id of [queue, ...queues]) note(instance, id, { severity, title });
    // How bad an effect is by itself is not kept where its cause is told; that it is one is.
    for (const effect of explains) note(instance, effect.queue, { severity: 'warning', title: effect.title });
  }
  return (instance, queueId) => worst.get(`${instance}|${queueId}`) ?? null;
}
