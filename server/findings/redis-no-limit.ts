import type { FindingRule, Remedy } from '../model/finding.js';
import { formatBytes, formatRatio } from '../model/format.js';
import type { RedisNode } from '../model/snapshot.js';
import { nodeName } from '../model/words.js';
import { wholeMegabytes } from './make-room.js';

/** Above this share of the machine a missing limit is no longer a matter of taste. */
const WARN_RATIO = 0.5;
/** What Redis may take of the machine: the rest is for fragmentation, output buffers and the copy of a fork. */
const ADVISED_SHARE = 0.75;

export const redisNoLimit: FindingRule = {
  code: 'redis.no-limit',
  about:
    'No maxmemory is set: Redis grows until the container or the machine is out of memory and the kernel ends it.',
  detect: (snapshot) =>
    snapshot.nodes
      .filter((node) => node.maxBytes <= 0)
      .map((node) => ({
        severity: (node.usedRatio ?? 0) >= WARN_RATIO ? 'warning' : 'info',
        queue: null,
        node: node.id,
        title: 'No memory limit',
        sentence: `${nodeName(node, snapshot)} has no maxmemory, so ${bound(node)}: instead of refusing writes it would then be ended by the kernel, with every job that is not on disk${advice(node)}.`,
        evidence: [
          { label: 'held', value: node.countedBytes, unit: 'bytes' },
          ...(node.limit
            ? [
                {
                  label: `memory of the ${node.limit.source}`,
                  value: node.limit.bytes,
                  unit: 'bytes' as const,
                },
              ]
            : []),
        ],
        remedies: setLimit(node),
        rank: 100 + 49 * Math.min(1, node.usedRatio ?? 0),
      })),
};

/** A first limit, where it leaves room to what is held: one that made Redis refuse writes at once would be no help. */
function setLimit(node: RedisNode): readonly Remedy[] {
  const maxBytes = node.limit ? wholeMegabytes(node.limit.bytes * ADVISED_SHARE) : 0;
  // With another policy a limit would not refuse writes but begin to delete jobs.
  if (maxBytes < node.countedBytes * 1.25 || maxBytes <= 0 || node.policy !== 'noeviction') return [];
  return [
    {
      action: 'redis.raise-maxmemory',
      label: `Set maxmemory to ${formatBytes(maxBytes)}`,
      effect: `From ${formatBytes(maxBytes)} on Redis refuses writes instead of being ended by the kernel; now it holds ${formatBytes(node.countedBytes)}. Put it into redis.conf too.`,
      queues: [],
      args: { maxBytes },
    },
  ];
}

function bound(node: RedisNode): string {
  if (!node.limit)
    return `it may grow past its ${formatBytes(node.countedBytes)} until the machine has no more`;
  const where = node.limit.source === 'cgroup' ? 'its container' : 'its machine';
  return `only the ${formatBytes(node.limit.bytes)} of ${where} bound it, of which it holds ${formatRatio(node.usedRatio ?? 0)}`;
}

function advice(node: RedisNode): string {
  return node.limit
    ? `; set maxmemory to about ${formatBytes(node.limit.bytes * ADVISED_SHARE)}`
    : '; set maxmemory';
}
