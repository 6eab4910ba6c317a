import { briefAge, briefCount, briefJobs, briefThings, few, headlineOf } from '../model/brief.js';
import { type Evidence, fact } from '../model/evidence.js';
import type { FindingRule, FoundNow } from '../model/finding.js';
import { formatDuration } from '../model/format.js';
import type { Loading } from '../model/sight.js';
import type { LostQueue, RedisNode, Snapshot } from '../model/snapshot.js';
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
  const isSnapshot = what === 'snapshot';
  return {
    severity: isRefusing ? 'critical' : 'warning',
    node: node.id,
    headline: headlineOf(
      nodeName(node, snapshot),
      isRefusing ? " rejects writes: it can't save" : " can't save to disk",
    ),
    cause: isSnapshot ? 'Its last snapshot failed.' : "Its append-only file can't be written.",
    effect: isRefusing
      ? "Producers can't add jobs, workers take and finish none, and actions fail (MISCONF)."
      : 'Nobody has tried to write lately; whoever does next is rejected (MISCONF).',
    action: isSnapshot
      ? 'Fix what its log names, then run BGSAVE.'
      : 'Fix what its log names: it ends with the first write that works.',
    detail: `It is ${plainName(node.address)}. Mostly the disk is full, its directory may not be written, or memory is too little to fork.${isSnapshot ? ' Where data may be lost with the process, CONFIG SET stop-writes-on-bgsave-error no lets writes in at once.' : ''}`,
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
    const missing = queues.reduce((sum, queue) => sum + missingOf(queue), 0);
    return [
      {
        severity: 'critical',
        headline: missing > 0 ? `${briefJobs(missing)} or more were lost` : 'Jobs were lost',
        cause: `${plainSentence(dataLoss.cause ?? 'It was found before this console was restarted')}.`,
        effect: lostInWords(queues),
        action: 'Add them again from their source, check persistence and replicas, then dismiss this.',
        detail: `${plainSentence(text)}.`,
        evidence: [
          ...(queues.length > 0
            ? [
                fact('jobs-missing', 'missing, at least', missing, 'jobs'),
                fact('queues-lost', 'queues', queues.length, 'count'),
              ]
            : []),
          fact('found-ago', 'found', `${briefAge((nowMs - atMs) / 1000)} ago`),
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
            effect: 'Hides it here; the timeline keeps it, and nothing in Redis changes.',
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

function lostInWords(queues: readonly LostQueue[]): string {
  const [worst, ...others] = queues;
  if (!worst) return 'What queues held before is not in Redis any more.';
  const more = others.length > 0 ? `, and ${briefThings(others.length, 'other queue')}` : '';
  return `${plainName(worst.id)} lost ${briefJobs(missingOf(worst))}${more}.`;
}

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
    const names = queues.length === 1 && first ? plainName(first.id) : briefThings(queues.length, 'queue');
    const what = queues.length > 0 ? names : `The master at ${plainName(nodes[0]?.last.address ?? '')}`;
    const isForGood = queues.every(({ last }) => last === null) && nodes.length === 0;
    return [
      {
        // Never read yet: most likely a matter of permissions, and nothing that was seen is lost from sight.
        severity: isForGood ? 'warning' : 'critical',
        headline: unreadHeadline(snapshot, queues.length),
        cause: `${what} can't be read: ${few(reason)}.`,
        effect: 'What they hold is not known: no sum counts them, and their alerts stay as they were.',
        action:
          nodes.length > 0
            ? 'Bring that master back, or fail over to its replica.'
            : "Find out why: mostly the console's user lacks permission for these keys.",
        detail: `It has been so for ${formatDuration((nowMs - sinceMs) / 1000)}.`,
        evidence: evidenceOf(queues.length, nodes.length, reasons),
        rank: 980,
        ...(queues.length > 0 ? { queues: queues.slice(0, MAX_NAMED).map(({ id }) => id) } : {}),
      },
    ];
  },
};

function unreadHeadline({ queues, unread, nodes }: Snapshot, unreadQueues: number): string {
  if (unread.nodes.length > 0)
    return `${unread.nodes.length} of ${unread.nodes.length + nodes.length} masters can't be read`;
  return `${briefCount(unreadQueues)} of ${briefThings(queues.length + unread.queues.length, 'queue')} can't be read`;
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
    fact('queues-unread', 'queues', queues, 'count'),
    ...(nodes > 0 ? [fact('masters-unread', 'masters', nodes, 'count')] : []),
    ...[...reasons].map(([reason, times]) => fact('reason', `reason, of ${times}`, plainProblem(reason))),
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
        const master = node.replicationLinkUp ? '' : ' whose link to the master is down';
        return {
          severity: isFailover ? 'critical' : 'warning',
          node: node.id,
          headline: headlineOf(nodeName(node, snapshot), ' is a read-only replica'),
          cause: `${plainName(node.address)} is a replica${master}.`,
          effect: 'Workers and producers that use this address are refused every write.',
          action: 'Connect them, and the console, to the master.',
          evidence: [
            fact('up-for', 'up for', node.uptimeSeconds, 'seconds'),
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
        cause: `Its Redis user may not write${refusal ? `: ${few(refusal)}` : ''}.`,
        effect: 'It shows everything, but its actions do not work.',
        action: 'Give that user write permission to act from here.',
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
    const why = link.problem === null ? '' : `: ${few(link.problem)}`;
    const lastRead =
      link.lastReadAtMs === null
        ? 'Nothing has been read from it yet'
        : `The last numbers are ${formatDuration(Math.max(0, nowMs - link.lastReadAtMs) / 1000)} old`;
    return [
      {
        // Nothing is known to be broken while a first connection is still tried.
        severity: isSlowStart ? 'warning' : 'critical',
        headline: isSlowStart ? 'Redis does not answer yet' : 'Redis is unreachable',
        cause: `No connection to ${plainName(link.address)}${why}.`,
        effect: "If the application can't reach it either, no job is added or done.",
        action: 'Check that Redis runs, and the network to it.',
        detail: `${lastRead}.`,
        evidence: [
          fact('disconnected-for', 'for', sinceSeconds, 'seconds'),
          fact('address', 'address', plainName(link.address)),
          ...(link.problem === null ? [] : [fact('problem', 'reason', plainProblem(link.problem))]),
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
    cause: `${plainName(address)} has been started and reads its data from disk.`,
    effect: 'Until it has, no job is added or done.',
    action: 'Wait, and do not restart it.',
    evidence: [
      fact('read-ratio', 'loaded', ratio, 'ratio'),
      fact('read-left', 'left', secondsLeft, 'seconds'),
    ],
    rank: 1000,
  };
}
