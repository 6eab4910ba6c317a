import type { FindingRule } from '../model/finding.js';
import {
  evidenceOf,
  forWorkers,
  names,
  placeName,
  remedyFor,
  slotsLeft,
  titleOf,
} from './worker-evidence.js';

/** Who is out of the pool, gone or silent drags nobody any more. */
const AT_WORK = new Set(['healthy', 'overloaded', 'capped', 'rate-limited', 'stuck']);

export const workerOutlier: FindingRule = {
  code: 'worker.outlier',
  about: 'One worker is much slower, or fails much more, than its peers on the same job types.',
  detect: forWorkers(
    ({ outlier, verdict }) => outlier !== null && AT_WORK.has(verdict),
    (found, queue, snapshot) => {
      const queueId = found[0]?.queueId ?? '';
      const left = slotsLeft(snapshot, queueId, found);
      const share = queue && queue.backlog > 0 ? ' What it takes waits longer than it would elsewhere.' : '';
      return {
        severity: 'warning',
        title: titleOf(found, queue, 'drags the rest', 'drag the rest'),
        sentence: `${found
          .slice(0, 2)
          .map(({ outlier }) => outlier?.sentence ?? '')
          .join(
            ' ',
          )}${share} Taking ${names(found)} out of ${placeName(queue, queueId)} leaves the work to the others.`,
        evidence: evidenceOf(found),
        remedies: remedyFor(
          'worker.pause',
          found,
          found.length === 1 ? 'Take it out of the pool' : 'Take them out of the pool',
          `It takes no more jobs and finishes what it has in hand; ${left.slots} slots of ${left.workers} other workers are left.`,
        ),
        rank: 560 + Math.min(39, found.length),
      };
    },
  ),
};
