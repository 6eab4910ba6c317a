import type { Finding } from '../model/finding.js';
import type { Alert } from './alert.js';

/**
 * The finding that an alert leads to: its own, else that of the same job type, queue or process, else the worst that
 * explains it. null: the console has found nothing about it.
 * @param findings worst first.
 */
export function relatedFinding(
  { findingKey, subject }: Pick<Alert, 'findingKey' | 'subject'>,
  findings: readonly Finding[],
): Finding | null {
  const here = findings.filter(({ instance }) => instance === subject.instance);
  if (findingKey !== null) {
    const own = here.find(({ key }) => key === findingKey);
    if (own) return own;
  }
  const { queue, type } = subject;
  if (queue === null)
    return findingKey === null ? (here.find((one) => one.queue === null && isAboutRedis(one)) ?? null) : null;
  const ofQueue = here.filter((one) => one.queue === queue || one.queues?.includes(queue));
  return (
    (type === null ? undefined : ofQueue.find(({ jobType }) => jobType === type)) ??
    ofQueue[0] ??
    here.find(({ explains }) => explains?.some((one) => one.queue === queue)) ??
    null
  );
}

function isAboutRedis({ code }: Finding): boolean {
  return code.startsWith('redis.') || code.startsWith('console.');
}
