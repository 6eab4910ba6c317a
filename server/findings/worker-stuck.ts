import type { FindingRule } from './finding.js';
import { evidenceOf, forWorkers, names, placeName } from './worker-evidence.js';

export const workerStuck: FindingRule = {
  code: 'worker.stuck',
  about: 'A worker has jobs in hand and finishes none: its jobs hang, or its process does.',
  detect: forWorkers(
    ({ verdict }) => verdict === 'stuck',
    (found, queue) => {
      const [worst] = found;
      const queueId = worst?.queueId ?? '';
      const who =
        found.length === 1
          ? `${names(found)} of ${placeName(queue, queueId)} is stuck`
          : `${names(found)} of ${placeName(queue, queueId)} are stuck`;
      return {
        severity: 'warning',
        title: found.length === 1 ? 'A worker is stuck' : `${found.length} workers are stuck`,
        sentence: `${who}: ${lowered(worst?.sentence ?? '')} Restarting ${found.length === 1 ? 'it' : 'them'} brings the jobs back as stalled ones.`,
        evidence: evidenceOf(found),
        remedies: [],
        rank: 660 + Math.min(39, found.length),
      };
    },
  ),
};

function lowered(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}
