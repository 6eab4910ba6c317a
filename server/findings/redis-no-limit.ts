import { formatBytes, formatRatio } from '../model/format.js';
import type { RedisNode } from '../watch/snapshot.js';
import type { FindingRule } from './finding.js';
import { nodeName } from './words.js';

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
        // No lever: the one for maxmemory raises a limit, and setting a first one is a decision about the machine.
        remedies: [],
        rank: 100 + 49 * Math.min(1, node.usedRatio ?? 0),
      })),
};

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
