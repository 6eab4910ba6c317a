import { fact } from '../model/evidence.js';
import type { FindingRule } from '../model/finding.js';
import { formatCount, formatJobs, formatThings, formatUtcTime } from '../model/format.js';
import { jobsWait } from '../model/words.js';
import {
  evidenceOf,
  forWorkers,
  names,
  placeName,
  processesOf,
  remedyFor,
  slotsLeft,
  workersTitle,
} from './worker-evidence.js';

export const workerBlocked: FindingRule = {
  code: 'worker.blocked',
  about: 'Workers are refused by a full Redis; redis.full is the cause and has the remedies.',
  detect({ workers }) {
    const blocked = workers.filter(({ verdict }) => verdict === 'blocked');
    const [first] = blocked;
    if (!first) return [];
    const held = blocked.filter(({ agent }) => agent?.guard.sinceMs != null).length;
    const one = blocked.length === 1;
    const guard =
      held === 0
        ? 'without the guard they would spin'
        : `their agents hold ${held === blocked.length ? 'them' : formatCount(held)} back from spinning and let go within a second of relief`;
    return [
      {
        worker: one ? first.id : null,
        queues: [...new Set(blocked.map(({ queueId }) => queueId))].slice(0, 100),
        severity: 'warning',
        headline: one ? 'A worker is blocked' : `${formatCount(blocked.length)} workers are blocked`,
        sentence: `${one ? '1 worker is' : `${formatCount(blocked.length)} workers are`} refused new jobs because Redis is full; ${guard}. Make room; restarting them would stop what still drains.`,
        evidence: [
          fact('workers', 'workers', blocked.length, 'count'),
          fact('guarded', 'held back by the guard', held, 'count'),
        ],
        rank: 60 + Math.min(39, blocked.length),
      },
    ];
  },
};

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
        headline: workersTitle(found, queue, 'is silent', 'are silent'),
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

export const workerCrashed: FindingRule = {
  code: 'worker.crashed',
  about:
    'A worker with the agent sends no heartbeat and is not connected to Redis any more, without a farewell: its process has crashed, was killed, or lost its host or its way to Redis. Over once a successor (another of its name) works on the queue, or somebody dismisses it.',
  detect: forWorkers(
    ({ verdict, replacedBy }) => verdict === 'crashed' && replacedBy === null,
    (found, queue, snapshot) => {
      const [first] = found;
      // Who went last is the news.
      const latest = [...found].sort((a, b) => b.lastSeenAtMs - a.lastSeenAtMs);
      const queueId = first?.queueId ?? '';
      const left = slotsLeft(snapshot, queueId, found);
      const jobs = found.reduce(
        (sum, { locks, agent }) =>
          sum + (locks === null ? (agent?.running ?? 0) : locks.held + locks.orphaned),
        0,
      );
      const stalling =
        jobs === 0
          ? 'none of their jobs is still open'
          : `${formatJobs(jobs)} stall until a live worker’s check brings them back`;
      const isServed = left.workers > 0;
      const lost = found.reduce((sum, { agent }) => sum + (agent?.concurrency.now ?? 0), 0);
      return {
        severity: isServed && jobs === 0 ? 'warning' : 'critical',
        headline: `${formatCount(found.length)} of ${formatThings(left.workers + found.length, 'worker')} gone since ${formatUtcTime(Math.min(...found.map(({ lastSeenAtMs }) => lastSeenAtMs)))}`,
        sentence: `${names(latest)} of ${placeName(queue, queueId)} ${found.length === 1 ? 'sends no heartbeat and is' : 'send no heartbeat and are'} not connected to Redis any more; ${stalling}, and ${isServed ? `${left.slots} slots of ${left.workers} other ${left.workers === 1 ? 'worker is' : 'workers are'} left` : 'no other worker with the agent is left'}: find out why, and start ${found.length === 1 ? 'it' : 'them'} again, or dismiss what is not to come back.`,
        evidence: evidenceOf(found),
        remedies: [
          ...(isServed && lost > 0 && (queue?.backlog ?? 0) > 0
            ? [
                {
                  action: 'workers.concurrency',
                  label: `Raise the other ${left.workers === 1 ? 'worker' : 'workers'}`,
                  effect: `Each of the ${left.workers} left runs ${Math.ceil((left.slots + lost) / left.workers)} jobs at once, which makes up for the ${lost} slots that are gone.`,
                  queues: [queueId],
                  args: { value: Math.ceil((left.slots + lost) / left.workers) },
                },
              ]
            : []),
          ...remedyFor(
            'worker.dismiss',
            found,
            'Dismiss',
            `${found.length === 1 ? 'It is' : 'They are'} not missed any more; nothing in Redis changes.`,
          ),
        ],
        rank: 720 + Math.min(49, found.length),
      };
    },
  ),
};

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
        headline: workersTitle(found, queue, 'drags the rest', 'drag the rest'),
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
        headline: workersTitle(found, queue, 'is stuck', 'are stuck'),
        sentence: `${who}: ${lowered(worst?.sentence ?? '')} Restarting ${found.length === 1 ? 'it' : 'them'} (${processesOf(found)}) brings the jobs back as stalled ones.`,
        evidence: [...evidenceOf(found), fact('processes', 'to restart', processesOf(found))],
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
