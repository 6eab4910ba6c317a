import type { FindingRule } from '../model/finding.js';
import {
  evidenceOf,
  forWorkers,
  names,
  placeName,
  processesOf,
  remedyFor,
  slotsLeft,
  titleOf,
} from './worker-evidence.js';

/** Beats come once a second. */
const HEARD_MS = 2_500;

export const workerStuck: FindingRule = {
  code: 'worker.stuck',
  about: 'A worker has jobs in hand and finishes none: its jobs hang, or its process does.',
  detect: forWorkers(
    ({ verdict }) => verdict === 'stuck',
    (found, queue, snapshot, nowMs) => {
      const [worst] = found;
      const queueId = worst?.queueId ?? '';
      // One that says nothing hears nothing: only a restart helps it.
      const heard = found.filter(({ agent }) => agent !== null && nowMs - agent.lastBeatAtMs < HEARD_MS);
      const left = slotsLeft(snapshot, queueId, found);
      const who =
        found.length === 1
          ? `${names(found)} of ${placeName(queue, queueId)} is stuck`
          : `${names(found)} of ${placeName(queue, queueId)} are stuck`;
      return {
        severity: 'warning',
        title: titleOf(found, queue, 'is stuck', 'are stuck'),
        sentence: `${who}: ${lowered(worst?.sentence ?? '')} Restarting ${found.length === 1 ? 'it' : 'them'} (${processesOf(found)}) brings the jobs back as stalled ones.`,
        evidence: [...evidenceOf(found), { label: 'to restart', value: processesOf(found) }],
        remedies: remedyFor(
          'worker.pause',
          heard,
          heard.length === 1 ? 'Take it out of the pool' : 'Take them out of the pool',
          `No more jobs go to ${heard.length === 1 ? 'it' : 'them'}; ${left.slots} slots of ${left.workers} other workers are left. What hangs stays until its process is restarted.`,
        ),
        rank: 660 + Math.min(39, found.length),
      };
    },
  ),
};

function lowered(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}
