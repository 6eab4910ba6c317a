import type { FindingRule } from '../model/finding.js';
import { jobsWait } from '../model/words.js';
import {
  evidenceOf,
  forWorkers,
  names,
  placeName,
  processesOf,
  remedyFor,
  titleOf,
} from './worker-evidence.js';

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
        title: titleOf(found, queue, 'is silent', 'are silent'),
        sentence: `${names(found)} of ${placeName(queue, queueId)} ${found.length === 1 ? 'is' : 'are'} connected and free, and ${found.length === 1 ? 'takes' : 'take'} nothing ${waiting}: the connection on which ${found.length === 1 ? 'it waits' : 'they wait'} is dead though it looks alive. Reconnect ${found.length === 1 ? 'it' : 'them'}; if that does not help, restart ${found.length === 1 ? 'it' : 'them'}${found.every(({ pid }) => pid === null) ? '' : ` (${processesOf(found)})`}.`,
        evidence: evidenceOf(found),
        remedies: remedyFor(
          'worker.reconnect',
          found,
          found.length === 1 ? 'Reconnect worker' : 'Reconnect workers',
          'New connections in the running process; it counts as done once a job is taken. No job is in hand that could suffer.',
        ),
        rank: 730 + Math.min(19, found.length),
      };
    },
  ),
};
