import { type Evidence, fact } from '../model/evidence.js';
import type { FindingRule, FoundNow } from '../model/finding.js';
import { formatDuration, formatRatio, formatThings } from '../model/format.js';
import type { Loading } from '../model/sight.js';
import type { RedisNode, Snapshot } from '../model/snapshot.js';
import { missingOf } from '../model/snapshot.js';
import { nodeName, plainName, plainProblem, plainSentence } from '../model/words.js';

/** Idle workers ask every 5 to 10 s: who is refused only then is refused all the time. */
const LATELY_MS = 30_000;

export const redisUnsaved: FindingRule = {
  code: 'redis.unsaved',
  about:
    'Redis can not save its data to disk and is set to refuse all writes then (MISCONF): producers fail and workers take no jobs.',
  detect: (snapshot, nowMs) => snapshot.nodes.flatMap((node) => unsaved(node, snapshot, nowMs) ?? []),
};

function unsaved(node: RedisNode, snapshot: Snapshot, nowMs: number): FoundNow | null {
  if (node.unsaved === null) return null;
  const { what, refusedAtMs } = node.unsaved;
  const isRefusing = refusedAtMs !== null && nowMs - refusedAtMs < LATELY_MS;
  const failed = what === 'snapshot' ? 'its last snapshot failed' : 'its append-only file can not be written';
  const effect = isRefusing
    ? 'refuses all writes (MISCONF): producers can’t add jobs, workers take and finish none, and actions that write do not work'
    : 'refuses all writes from now on (MISCONF); nobody has tried lately, and the next who adds or takes a job fails';
  const goOn =
    what === 'snapshot'
      ? ' Where the data may be lost with its process, `CONFIG SET stop-writes-on-bgsave-error no` lets writes in at once.'
      : '';
  return {
    severity: isRefusing ? 'critical' : 'warning',
    node: node.id,
    headline: isRefusing ? 'Redis refuses writes: it can’t save' : 'Redis can’t save to disk',
    sentence: `${nodeName(node, snapshot)} at ${plainName(node.address)} can’t write its data to disk (${failed}) and ${effect}. Its log says why: mostly a full disk, a directory that it may not write to, or too little memory to fork; ${what === 'snapshot' ? 'then `BGSAVE`: it ends with the first that works' : 'it ends with the first write to the file that works'}.${goOn}`,
    evidence: [fact('not-saved', 'not saved', what)],
    rank: 940,
  };
}

const MAX_EVIDENCE = 10;

export const redisDataLost: FindingRule = {
  code: 'redis.data-lost',
  about:
    'Redis came back empty or older after a restart, a failover or a flush, or many queues vanished at once: jobs are gone. Told for 24 hours, or until somebody dismisses it. Removing one queue, or a failover to a replica that has all, is none.',
  detect: ({ dataLoss }, nowMs) => {
    if (!dataLoss) return [];
    const { atMs, text, queues } = dataLoss;
    return [
      {
        severity: 'critical',
        headline: 'Jobs were lost',
        sentence: `${plainSentence(text)}. They are not in Redis any more: add them again from where they came, check that Redis keeps its data on disk and on replicas, and dismiss this once it is dealt with.`,
        evidence: [
          fact('found-ago', 'found', `${formatDuration((nowMs - atMs) / 1000)} ago`),
          ...(queues.length > 0
            ? [
                fact(
                  'jobs-missing',
                  'jobs missing, at least',
                  queues.reduce((sum, queue) => sum + missingOf(queue), 0),
                  'jobs',
                ),
                fact('queues-lost', 'queues that lost data', queues.length, 'count'),
              ]
            : []),
          ...queues
            .slice(0, MAX_EVIDENCE)
            .map((queue) =>
              fact(`missing:${queue.id}`, `missing in ${plainName(queue.id)}`, missingOf(queue), 'jobs'),
            ),
        ],
        remedies: [
          {
            action: 'redis.dismiss-loss',
            label: 'Dismiss',
            effect: 'It is not told any more; the timeline keeps it, and nothing in Redis changes.',
            queues: [],
            args: {},
          },
        ],
        rank: 995,
        ...(queues.length > 0 ? { queues: queues.map(({ id }) => id) } : {}),
      },
    ];
  },
};

const MAX_NAMED = 100;
const MAX_REASONS = 3;
/** A start, or slots on their way from one master to another, are over sooner. */
const PATIENCE_MS = 3_000;

export const redisUnread: FindingRule = {
  code: 'redis.unread',
  about:
    'Some queues, or a master of a Cluster, can not be read while the rest can: what they hold is not known. They are in no sum, and alerts about them stay as they were.',
  detect: (snapshot, nowMs) => {
    const queues = snapshot.unread.queues.filter(({ sinceMs }) => nowMs - sinceMs >= PATIENCE_MS);
    const { nodes } = snapshot.unread;
    const [first] = queues;
    if (!first && nodes.length === 0) return [];
    const reasons = reasonsOf(
      queues.map(({ problem }) => problem).concat(nodes.map(({ problem }) => problem)),
    );
    const [reason = ''] = reasons.keys();
    const sinceMs = Math.min(
      ...queues.map((queue) => queue.sinceMs),
      ...nodes.map(({ last }) => last.readAtMs),
    );
    const names = queues.length === 1 && first ? plainName(first.id) : formatThings(queues.length, 'queue');
    const what = queues.length > 0 ? names : `the master at ${plainName(nodes[0]?.last.address ?? '')}`;
    const isForGood = queues.every(({ last }) => last === null) && nodes.length === 0;
    return [
      {
        // Never read yet: most likely a matter of permissions, and nothing that was seen is lost from sight.
        severity: isForGood ? 'warning' : 'critical',
        headline: titleOf(snapshot, queues.length),
        sentence: `The console can not read ${what} for ${formatDuration((nowMs - sinceMs) / 1000)}: ${plainProblem(reason)}. What they hold is not known, no sum counts them, and their alerts stay as they were.`,
        evidence: evidenceOf(queues.length, nodes.length, reasons),
        rank: 980,
        ...(queues.length > 0 ? { queues: queues.slice(0, MAX_NAMED).map(({ id }) => id) } : {}),
      },
    ];
  },
};

function titleOf({ queues, unread, nodes }: Snapshot, unreadQueues: number): string {
  if (unread.nodes.length > 0)
    return `${unread.nodes.length} of ${unread.nodes.length + nodes.length} masters can not be read`;
  return `${unreadQueues} of ${formatThings(queues.length + unread.queues.length, 'queue')} can not be read`;
}

/** How often each is given, most frequent first. */
function reasonsOf(problems: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const problem of problems) counts.set(problem, (counts.get(problem) ?? 0) + 1);
  return new Map([...counts].sort((a, b) => b[1] - a[1]).slice(0, MAX_REASONS));
}

function evidenceOf(
  queues: number,
  nodes: number,
  reasons: ReadonlyMap<string, number>,
): readonly Evidence[] {
  return [
    fact('queues-unread', 'queues not known', queues, 'count'),
    ...(nodes > 0 ? [fact('masters-unread', 'masters not known', nodes, 'count')] : []),
    ...[...reasons].map(([reason, times]) => fact('reason', `why, of ${times}`, plainProblem(reason))),
  ];
}

export const redisReadOnly: FindingRule = {
  code: 'redis.read-only',
  about: 'Writes are refused: this is a read-only replica, or the console has no permission to write.',
  detect: (snapshot) => {
    const replicas = snapshot.nodes.filter((node) => node.isReadOnly);
    if (replicas.length > 0) {
      // Behind Sentinel or in a Cluster the console was led here, as applications are: then nobody finds a master.
      const isFailover = snapshot.link.topology !== 'single';
      return replicas.map((node): FoundNow => {
        const uptime = `up for ${formatDuration(node.uptimeSeconds)}`;
        const master = node.replicationLinkUp ? '' : ', and its link to the master is down';
        return {
          severity: isFailover ? 'critical' : 'warning',
          node: node.id,
          headline: 'Redis is a read-only replica',
          sentence: `${nodeName(node, snapshot)} at ${plainName(node.address)} is a read-only replica (${uptime})${master}: workers and producers that use this address are refused every write, and no action works here; connect to the master.`,
          evidence: [
            fact('role', 'role', node.role),
            fact('master-link', 'link to the master', node.replicationLinkUp ? 'up' : 'down'),
          ],
          rank: 900,
        };
      });
    }
    if (snapshot.capabilities?.canWrite !== false) return [];
    const refusal = snapshot.capabilities.refusals.canWrite;
    return [
      {
        severity: 'info',
        headline: 'The console may only look',
        sentence: `The console's Redis user may not write${refusal ? ` (${plainProblem(refusal)})` : ''}: it shows everything, but its actions do not work until the user is given write permission.`,
        evidence: refusal ? [fact('refusal', 'Redis says', plainProblem(refusal))] : [],
        rank: 90,
      },
    ];
  },
};

/** A first connection that takes longer than this is a trouble and not a start. */
const CONNECT_PATIENCE_MS = 5_000;

export const redisUnreachable: FindingRule = {
  code: 'redis.unreachable',
  about: 'The console cannot reach this Redis, so neither can it see nor act there.',
  detect: ({ link }, nowMs) => {
    const sinceSeconds = Math.max(0, nowMs - link.sinceMs) / 1000;
    const isSlowStart = link.status === 'connecting' && sinceSeconds * 1000 >= CONNECT_PATIENCE_MS;
    if (link.status !== 'unreachable' && !isSlowStart) return [];
    if (link.loading) return [loadingFinding(link.address, link.loading)];
    const why = link.problem === null ? '' : ` (${plainProblem(link.problem)})`;
    const lastRead =
      link.lastReadAtMs === null
        ? 'nothing has been read from it yet'
        : `the last numbers are ${formatDuration(Math.max(0, nowMs - link.lastReadAtMs) / 1000)} old`;
    return [
      {
        // Nothing is known to be broken while a first connection is still tried.
        severity: isSlowStart ? 'warning' : 'critical',
        headline: isSlowStart ? 'Redis does not answer yet' : 'Redis is unreachable',
        sentence: `The console has had no connection to Redis at ${plainName(link.address)} for ${formatDuration(sinceSeconds)}${why}: ${lastRead}; if the application can't reach it either, no job is added or done.`,
        evidence: [
          fact('address', 'address', plainName(link.address)),
          fact('disconnected-for', 'without connection for', sinceSeconds, 'seconds'),
        ],
        rank: 1000,
      },
    ];
  },
};

function loadingFinding(address: string, { ratio, secondsLeft }: Loading): FoundNow {
  return {
    severity: 'critical',
    headline: 'Redis is loading its data',
    sentence: `Redis at ${plainName(address)} has been started and reads its data from disk: ${formatRatio(ratio)} are read, about ${formatDuration(secondsLeft)} are left. Until then it serves nobody, and no job is added or done.`,
    evidence: [
      fact('read-ratio', 'read', ratio, 'ratio'),
      fact('read-left', 'left, by its own estimate', secondsLeft, 'seconds'),
    ],
    rank: 1000,
  };
}
