import {
  about,
  briefAge,
  briefCount,
  briefDuration,
  briefJobs,
  briefRatio,
  briefThings,
  jobsWaitBriefly,
} from '../model/brief.js';
import { fact } from '../model/evidence.js';
import type { FindingRule } from '../model/finding.js';
import { formatUtcTime } from '../model/format.js';
import { plainName } from '../model/words.js';
import type { WorkerState } from '../model/worker.js';
import {
  forWorkers,
  names,
  placeName,
  processesOf,
  remedyFor,
  slotsLeft,
  workerEvidence,
  workersHeadline,
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
    return [
      {
        worker: one ? first.id : null,
        queues: [...new Set(blocked.map(({ queueId }) => queueId))].slice(0, 100),
        severity: 'warning',
        headline: `${briefThings(blocked.length, 'worker')} blocked, as Redis is full`,
        cause: 'Redis is full and rejects the writes by which they take jobs.',
        effect: `${one ? 'It takes' : 'They take'} no new jobs.`,
        action: 'Make room; restarting workers would stop what still drains.',
        ...(held > 0
          ? { detail: 'Their agents keep them from spinning, and let go within a second of relief.' }
          : {}),
        evidence: [
          fact('workers', 'workers', blocked.length, 'count'),
          fact('guarded', 'held back by agents', held, 'count'),
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
      const one = found.length === 1;
      const processes = found.every(({ pid }) => pid === null) ? '' : ` (${processesOf(found)})`;
      return {
        severity: 'critical',
        ...workersHeadline(found, queue, 'not consuming'),
        cause: `${one ? 'It waits' : 'They wait'} on a connection that is dead, though it looks alive.`,
        effect: `${queue ? jobsWaitBriefly(queue.backlog) : 'Jobs wait'}, and ${one ? 'it takes' : 'they take'} none.`,
        action: `Reconnect ${one ? 'it' : 'them'}; if that does not help, restart ${one ? 'it' : 'them'}.`,
        detail: `It is about ${names(found)}${processes}.`,
        evidence: workerEvidence(found),
        remedies: remedyFor(
          'worker.reconnect',
          found,
          found.length === 1 ? 'Reconnect worker' : 'Reconnect workers',
          'New connections in the running process; no job is in hand that could suffer. Done once one is taken.',
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
      const isServed = left.workers > 0;
      const lost = found.reduce((sum, { agent }) => sum + (agent?.concurrency.now ?? 0), 0);
      return {
        severity: isServed && jobs === 0 ? 'warning' : 'critical',
        ...about(
          placeName(queue, queueId),
          `${briefCount(found.length)} of ${briefThings(left.workers + found.length, 'worker')} gone`,
        ),
        cause: `${names(latest)} went without a shutdown signal at ${formatUtcTime(Math.min(...found.map(({ lastSeenAtMs }) => lastSeenAtMs)))}: crashed or cut off.`,
        effect: `${jobs === 0 ? 'No job of theirs stalls' : `${briefJobs(jobs)} ${jobs === 1 ? 'stalls' : 'stall'}`}; ${isServed ? `${briefThings(left.slots, 'slot')} of ${briefThings(left.workers, 'other')} ${left.slots === 1 ? 'is' : 'are'} left` : 'no other worker with the agent is left'}.`,
        action: `Find out why and start ${found.length === 1 ? 'it' : 'them'} again, or dismiss what is not to come back.`,
        detail:
          'No heartbeat and no connection to Redis. Stalled jobs come back with the next check of a live worker.',
        evidence: workerEvidence(found),
        remedies: [
          ...(isServed && lost > 0 && (queue?.backlog ?? 0) > 0
            ? [
                {
                  action: 'workers.concurrency',
                  label: `Set concurrency of the others to ${Math.ceil((left.slots + lost) / left.workers)}`,
                  effect: `Each of the ${left.workers} left runs ${Math.ceil((left.slots + lost) / left.workers)} jobs at once, for the ${lost} slots that are gone.`,
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
      const one = found.length === 1;
      return {
        severity: 'warning',
        ...workersHeadline(found, queue, one ? 'an outlier' : 'outliers'),
        cause: outlierInWords(found),
        effect: `Jobs that ${one ? 'it takes' : 'they take'} ${found[0]?.outlier?.kind === 'failing' ? 'fail' : 'wait'} more than elsewhere.`,
        action: `Pause ${one ? 'it' : 'them'}: ${briefThings(left.workers, 'other')} with ${briefThings(left.slots, 'slot')} go on.`,
        detail: found
          .slice(0, 2)
          .map(({ outlier }) => outlier?.sentence ?? '')
          .join(' '),
        evidence: workerEvidence(found),
        remedies: remedyFor(
          'worker.pause',
          found,
          found.length === 1 ? 'Pause worker' : 'Pause workers',
          `It takes no more jobs and finishes what it has in hand; ${left.slots} slots of ${left.workers} other workers are left.`,
        ),
        rank: 560 + Math.min(39, found.length),
      };
    },
  ),
};

/** "track takes 4 s on web-3, 200 ms on its peers.": of the worst. */
function outlierInWords([worst]: readonly WorkerState[]): string {
  const outlier = worst?.outlier;
  if (!worst || !outlier) return '';
  const [type, name] = [plainName(outlier.type), plainName(worst.label)];
  return outlier.kind === 'slow'
    ? `${type} takes ${briefDuration(outlier.own / 1000)} on ${name}, and ${briefDuration(outlier.peers / 1000)} on its peers.`
    : `${briefRatio(outlier.own)} of ${type} jobs fail on ${name}, and ${briefRatio(outlier.peers)} on its peers.`;
}

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
      const one = found.length === 1;
      const running = found.reduce((sum, { agent }) => sum + (agent?.running ?? 0), 0);
      return {
        severity: 'warning',
        ...workersHeadline(found, queue, 'hung'),
        cause: hungInWords(found, nowMs),
        effect: `${briefJobs(running)} of ${one ? 'it' : 'them'} ${running === 1 ? 'does' : 'do'} not end, and ${one ? 'it takes' : 'they take'} no others.`,
        action: `Restart ${one ? 'it' : 'them'}${firstProcess(found)}: the jobs come back as stalled ones.`,
        ...(worst ? { detail: worst.sentence } : {}),
        evidence: [...workerEvidence(found), fact('processes', 'to restart', processesOf(found))],
        remedies: remedyFor(
          'worker.pause',
          heard,
          heard.length === 1 ? 'Pause worker' : 'Pause workers',
          `No more jobs go to ${heard.length === 1 ? 'it' : 'them'}; ${left.slots} slots of ${left.workers} other workers are left. What hangs stays until its process is restarted.`,
        ),
        rank: 660 + Math.min(39, found.length),
      };
    },
  ),
};

/** Of the worst: its process, or its jobs. */
function hungInWords([worst]: readonly WorkerState[], nowMs: number): string {
  const agent = worst?.agent;
  if (!agent) return 'Its jobs do not end.';
  const quietMs = nowMs - agent.lastBeatAtMs;
  if (quietMs >= HEARD_MS)
    return `No heartbeat for ${briefAge(quietMs / 1000)}: its process is stopped, or its event loop blocked.`;
  const sinceMs = Math.max(agent.lastFinishedAtMs ?? 0, agent.attachedAtMs);
  return `None of its jobs has ended for ${briefAge((nowMs - sinceMs) / 1000)}: what they call hangs.`;
}

/** " (pid 4711 on web-1)": of one whose process is known; the details name all. */
function firstProcess(found: readonly WorkerState[]): string {
  const [only, ...others] = found;
  return only?.pid == null || others.length > 0 ? '' : ` (${processesOf([only])})`;
}
