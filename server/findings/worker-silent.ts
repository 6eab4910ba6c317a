import type { FindingRule } from './finding.js';
import { jobsWait } from './words.js';
import { evidenceOf, forWorkers, names, pauseRemedy, placeName } from './worker-evidence.js';

export const workerSilent: FindingRule = {
  code: 'worker.silent',
  about: 'A worker is connected and free, and takes nothing while jobs wait: it is deaf (incidents.md, 4).',
  detect: forWorkers(
    ({ verdict }) => verdict === 'silent',
    (found, queue) => {
      const queueId = found[0]?.queueId ?? '';
      const waiting = queue ? `while ${jobsWait(queue)}` : 'while jobs wait';
      return {
        severity: 'critical',
        title: found.length === 1 ? 'A worker is silent' : `${found.length} workers are silent`,
        sentence: `${names(found)} of ${placeName(queue, queueId)} ${found.length === 1 ? 'is' : 'are'} connected and free, and ${found.length === 1 ? 'takes' : 'take'} nothing ${waiting}: the connection on which ${found.length === 1 ? 'it waits' : 'they wait'} is dead though it looks alive. Restart ${found.length === 1 ? 'it' : 'them'}, or pause and resume.`,
        evidence: evidenceOf(found),
        remedies: pauseRemedy(
          found,
          found.length === 1 ? 'Pause it, then resume' : 'Pause them, then resume',
          'Pausing drops the connection on which it waits, and resuming makes a new one; no job is in hand that could suffer.',
        ),
        rank: 730 + Math.min(19, found.length),
      };
    },
  ),
};
