import type { Finding } from './finding.js';

/** Is a finding about a queue, alone, among others, or by what it explains? What is told elsewhere must not be missed on the queue's own page. */
export function isAboutQueue(finding: Finding, instance: string, queueId: string): boolean {
  if (finding.instance !== instance) return false;
  if (finding.queue === queueId || finding.queues?.includes(queueId)) return true;
  return finding.explains?.some(({ queue }) => queue === queueId) ?? false;
}
