import { fact } from '../model/evidence.js';
import type { FindingRule, FoundNow, Thresholds } from '../model/finding.js';
import { formatBytes, formatCount, formatEstimate, formatRatio } from '../model/format.js';
import type { NodeMemory } from '../model/memory.js';
import type { RedisNode, Snapshot } from '../model/snapshot.js';
import { magnitude, nodeName, plainName } from '../model/words.js';
import { HELD } from './explained.js';
import { raiseMaxmemory } from './make-room.js';
import { estimateEvidence, memorySeverity, surelyHeld } from './memory-share.js';

/** From this share of what is held on, queues are not alone in their Redis. */
const NOTABLE_RATIO = 0.2;

type Foreign = NonNullable<NodeMemory['foreign']>;

export const memoryForeignKeys: FindingRule = {
  code: 'memory.foreign-keys',
  about:
    'Keys that belong to no queue take a fifth of the memory or more, and can fill the Redis of the queues.',
  detect: (snapshot, _nowMs, thresholds) =>
    snapshot.nodes.flatMap((node) => {
      const foreign = node.memory?.foreign;
      if (!foreign || surelyHeld(foreign) < thresholds.retentionMinBytes) return [];
      return surelyHeld(foreign) >= node.countedBytes * NOTABLE_RATIO
        ? [foreignKeys(node, foreign, snapshot, thresholds)]
        : [];
    }),
};

function foreignKeys(
  node: RedisNode,
  foreign: Foreign,
  snapshot: Snapshot,
  thresholds: Thresholds,
): FoundNow {
  const ratio = foreign.bytes / Math.max(1, node.countedBytes);
  const [largest] = foreign.largest;
  const most = largest ? `; the largest is ${plainName(largest.key)} with ${formatBytes(largest.bytes)}` : '';
  const severity = memorySeverity(foreign, { ...snapshot, nodes: [node] }, thresholds);
  // Without pressure a larger limit would only hide it.
  const raise = severity === 'info' ? null : raiseMaxmemory(node);
  return {
    severity,
    queue: null,
    node: node.id,
    title: 'Keys of no queue hold memory',
    sentence: `${formatCount(foreign.keys)} keys in ${nodeName(node, snapshot)} that belong to no queue hold ${formatEstimate(foreign)}, ${formatRatio(ratio)} of what it holds${most}: as they grow, jobs are refused, and no action on queues frees them; let them expire, or give the queues a Redis of their own.`,
    evidence: [
      estimateEvidence(HELD, 'keys of no queue', foreign),
      fact('redis-share', 'share of what Redis holds', ratio, 'ratio'),
      fact('keys', 'number of keys', foreign.keys, 'count'),
      ...(largest ? [fact('largest-key', 'the largest', largest.bytes, 'bytes')] : []),
    ],
    remedies: raise ? [raise] : [],
    rank: 205 + magnitude(foreign.bytes / 4096),
  };
}
