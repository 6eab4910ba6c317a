import type { Evidence, FindingRule } from '../model/finding.js';
import { formatDuration, formatThings } from '../model/format.js';
import type { Snapshot } from '../model/snapshot.js';
import { plainName, plainProblem } from '../model/words.js';

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
        queue: null,
        node: null,
        title: titleOf(snapshot, queues.length),
        sentence: `The console can not read ${what} for ${formatDuration((nowMs - sinceMs) / 1000)}: ${plainProblem(reason)}. What they hold is not known, no sum counts them, and their alerts stay as they were.`,
        evidence: evidenceOf(queues.length, nodes.length, reasons),
        remedies: [],
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
    { label: 'queues not known', value: queues, unit: 'count' },
    ...(nodes > 0 ? [{ label: 'masters not known', value: nodes, unit: 'count' as const }] : []),
    ...[...reasons].map(([reason, times]) => ({
      label: `why, of ${times}`,
      value: plainProblem(reason),
    })),
  ];
}
